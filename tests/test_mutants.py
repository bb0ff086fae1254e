"""The mistakes that `tools/mutate.py` tries are mistakes, and are Python."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = b'''
LIMIT: Final = 0.5

@cached(size=3)
def check(x: float, *, most: int = 2) -> bool:
    """At most 7."""
    assert x != 0
    if x <= LIMIT and not is_broken(x):
        found.append((Rung.HOLD, f"over {most + 1}"))
    return min(x, most) > -1
'''


@pytest.fixture
def mutants(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import mutants

    yield mutants
    del sys.modules["mutants"]


def test_the_mistakes_of_a_few_lines(mutants) -> None:  # type: ignore[no-untyped-def]
    found = [(m.line, m.old, m.new) for m in mutants.mutants_of(SOURCE, "x.py")]
    append = 'found.append((Rung.HOLD, f"over {most + 1}"))'
    assert sorted(found) == sorted(
        [
            (2, "0.5", "0.625"),
            (5, "2", "3"),
            (8, "x <= LIMIT", "(x < LIMIT)"),
            (8, "x <= LIMIT", "(x > LIMIT)"),
            (8, "x <= LIMIT and not is_broken(x)", "(x <= LIMIT or not is_broken(x))"),
            (8, "not is_broken(x)", "(is_broken(x))"),
            (9, append, "pass"),
            (9, "Rung.HOLD", "(Rung.SLOW)"),
            (9, "Rung.HOLD", "(Rung.RETREAT)"),
            (10, "return min(x, most) > -1", "return None"),
            (10, "min(x, most) > -1", "(min(x, most) >= -1)"),
            (10, "min(x, most) > -1", "(min(x, most) <= -1)"),
            (10, "min(x, most)", "(max(x, most))"),
            (10, "-1", "(1)"),
            (10, "1", "2"),
        ]
    )


def test_every_mistake_is_python_that_differs(mutants) -> None:  # type: ignore[no-untyped-def]
    for path in sorted((ROOT / "src/bidden/safety").rglob("*.py")):
        source = path.read_bytes()
        tree = ast.dump(ast.parse(source))
        found = mutants.mutants_of(source, path.name)
        assert len({mutant.key for mutant in found}) == len(found)
        for mutant in found[::25]:
            assert ast.dump(ast.parse(mutant.applied(source))) != tree, mutant
