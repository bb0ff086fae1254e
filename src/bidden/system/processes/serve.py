"""The policy's own process: `python -m bidden.system.processes.serve --fd N MAKE ...`.

It answers one call after another until its wire closes. A call that does not come
back ends the process, also when the policy holds the interpreter's lock.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import json
from collections.abc import Sequence
from functools import reduce
from typing import Final, cast

from bidden.core.errors import ConfigError
from bidden.core.messages import Goal
from bidden.core.ports import Policy
from bidden.runtime.processes.child import Wire

from .words import Answer, pack, pack_message, read_ask

CALL_MAX_S: Final = 30.0  # the process that asked has long given up


def make_policy(maker: str, arguments: Sequence[str]) -> Policy:
    """The policy that a name makes: "package.module:Class.load".

    Raises:
        ConfigError: there is no such thing.
    """
    module, _, name = maker.partition(":")
    try:
        found = reduce(getattr, name.split("."), importlib.import_module(module))
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"no policy '{maker}': {error}") from error
    made = found(*map(json.loads, arguments))  # type: ignore[operator]  # is a maker
    return cast(Policy, made)


def serve(wire: Wire, policy: Policy) -> None:
    """Answer until the other end hangs up."""
    wire.send(pack(Answer(number=0, name=policy.name)))
    while (frame := wire.receive(None)) is not None:
        ask, message = read_ask(frame)
        faulthandler.dump_traceback_later(CALL_MAX_S, exit=True)
        try:
            if isinstance(message, Goal):
                policy.reset(message)
                answer = Answer(number=ask.number, name=policy.name)
            else:
                body = pack_message(policy.act(message))
                answer = Answer(number=ask.number, name=policy.name, body=body)
        except Exception as error:  # the edge of a process: tell, and end
            text = f"{type(error).__name__}: {error}"[:300]
            wire.send(pack(Answer(number=ask.number, error=text)))
            wire.finish(1.0)
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()
        wire.send(pack(answer))
        wire.finish(CALL_MAX_S)


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("maker")
    parser.add_argument("arguments", nargs="*", help="JSON values")
    args = parser.parse_args()
    serve(Wire.of_descriptor(args.fd), make_policy(args.maker, args.arguments))


if __name__ == "__main__":
    main()
