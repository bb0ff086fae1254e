"""JSON lines in, the same lines with a verdict out: what `bidden judge` does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from bidden.core.errors import ConfigError

from .gate import InstructionGate


class _Asked(msgspec.Struct, frozen=True):
    """What is read of a line; its other fields pass through untouched."""

    text: str
    scene: str = ""


def judge_lines(gate: InstructionGate, lines: Iterable[bytes]) -> Iterator[bytes]:
    """Each line again with `verdict`, `score` (below 0 refuses) and `rule`.

    Args:
        gate: who judges.
        lines: JSON objects with `text` and, if there is one, `scene`; empty lines are
            passed over.

    Raises:
        ConfigError: a line is no such object; says which.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            asked = msgspec.json.decode(line, type=_Asked)
            fields = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"line {number}: expected a JSON object with 'text': {error}"
            ) from None
        judged = gate.judge(asked.text, scene=asked.scene)
        encode = msgspec.json.encode
        fields |= {
            "verdict": msgspec.Raw(encode(judged.verdict)),
            "score": msgspec.Raw(encode(round(judged.score, 4))),
            "rule": msgspec.Raw(encode(judged.rule)),
            "reason": msgspec.Raw(encode(judged.reason)),
        }
        yield encode(fields)
