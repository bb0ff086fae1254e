"""JSON lines in, the same lines with a verdict out: what `bidden judge` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Final

import msgspec

from bidden.core.errors import ConfigError

from .gate import InstructionGate

MAX_LINE: Final = 1 << 20  # bytes of one line; a longer one is not read into memory


class _Asked(msgspec.Struct, frozen=True):
    """What is read of a line; its other fields pass through untouched."""

    text: str
    scene: str = ""


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of a file of any size, one at a time; of a line too long, its beginning."""
    while line := stream.readline(MAX_LINE + 1):
        rest = line
        while len(rest) > MAX_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE + 1)
        yield line


def judge_lines(
    gate: InstructionGate,
    lines: Iterable[bytes],
    *,
    on_bad: Callable[[str], None] | None = None,
) -> Iterator[bytes]:
    """Each line again with `verdict`, `score` (below 0 refuses), `rule` and `reason`.

    Args:
        gate: who judges.
        lines: JSON objects with `text` and, if there is one, `scene`; empty lines are
            passed over.
        on_bad: told of each line that is no such object, which is then left out.

    Raises:
        ConfigError: a line is no such object, says which; only without `on_bad`.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            judged = _judged(gate, line)
        except (msgspec.MsgspecError, UnicodeDecodeError, ConfigError) as error:
            bad = f"line {number}: expected a JSON object with 'text': {error}"
            if on_bad is None:
                raise ConfigError(bad) from None
            on_bad(bad)
        else:
            yield judged


def _judged(gate: InstructionGate, line: bytes) -> bytes:
    if len(line) > MAX_LINE:
        raise ConfigError(f"longer than {MAX_LINE} bytes")
    asked = msgspec.json.decode(line, type=_Asked)
    fields = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    judged = gate.judge(asked.text, scene=asked.scene)
    encode = msgspec.json.encode
    fields |= {
        "verdict": msgspec.Raw(encode(judged.verdict)),
        "score": msgspec.Raw(encode(round(judged.score, 4))),
        "rule": msgspec.Raw(encode(judged.rule)),
        "reason": msgspec.Raw(encode(judged.reason)),
    }
    return encode(fields)
