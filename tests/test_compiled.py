"""Compiled loops are made again when anything that they took in has changed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from bidden.core import compiled
from bidden.core.compiled import PACKAGE, fingerprint, home, kernel_files

BASE = """
from numba import types
from bidden.core.compiled import compiled
FACTOR = 2.0
@compiled(types.float64(types.float64))
def grown(x):
    return FACTOR * x
"""
ABOVE = """
from numba import types
from bidden.core.compiled import compiled
from pkg.robot.kernels import grown
@compiled(types.float64(types.float64))
def twice(x):
    return 2.0 * grown(x)
"""
RUN = """
import sys, pathlib
from bidden.core import compiled
compiled.PACKAGE = pathlib.Path(sys.argv[1]) / "pkg"
sys.path.insert(0, sys.argv[1])
from pkg.safety.kernels import twice
print(twice(1.0), sum(twice.stats.cache_hits.values()))
"""


def test_a_loop_is_made_again_when_one_that_it_calls_changes(tmp_path: Path) -> None:
    for part, text in (("robot", BASE), ("safety", ABOVE)):
        (tmp_path / "pkg" / part).mkdir(parents=True)
        (tmp_path / "pkg" / part / "kernels.py").write_text(text)

    def run() -> list[str]:
        command = [sys.executable, "-c", RUN, str(tmp_path)]
        return subprocess.check_output(command, text=True).split()

    assert run() == ["4.0", "0"]
    assert run() == ["4.0", "1"]  # kept
    changed = BASE.replace("2.0", "0.5")  # the file of `twice` stays as it is
    (tmp_path / "pkg" / "robot" / "kernels.py").write_text(changed)
    assert run() == ["1.0", "0"]
    kept = list((tmp_path / "pkg" / "__pycache__").glob("kernels-*"))
    assert len(kept) == 2  # one for each package: nothing piles up


def test_a_fingerprint_tells_contents_and_names(tmp_path: Path) -> None:
    one, two = tmp_path / "a.py", tmp_path / "b.py"
    one.write_text("x = 1")
    two.write_text("x = 1")
    assert fingerprint([one]) == fingerprint([one])
    assert fingerprint([one]) != fingerprint([two])
    before = fingerprint([one, two])
    two.write_text("x = 2")
    assert fingerprint([one, two]) != before


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def test_loops_take_nothing_from_files_that_do_not_count() -> None:
    """Else a change of such a file would leave the old loop running."""
    known = {name_of(path) for path in kernel_files("safety")}
    assert len(known) == 6
    for path in PACKAGE.rglob("*.py"):
        text, name = path.read_text(), name_of(path)
        if "@compiled(" not in text:
            continue
        assert name in known, f"{name} is compiled but does not count"
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            inside = name.rsplit(".", node.level)[0] + "." if node.level else ""
            source = inside + node.module
            if source.startswith("bidden.") and source != "bidden.core.messages":
                assert source in known, f"{name} takes something from {source}"


def test_where_loops_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = home.__wrapped__
    monkeypatch.setattr(compiled, "PACKAGE", tmp_path / "code")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert find("robot").parent == tmp_path / "code" / "__pycache__"
    assert find("robot", str(tmp_path / "mine")).parent == tmp_path / "mine"
    monkeypatch.setattr(compiled, "PACKAGE", tmp_path / "file")
    (tmp_path / "file").write_text("no folder can be made here")
    assert find("robot").parent == tmp_path / "cache" / "bidden"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    alone = find("robot")
    assert alone.is_dir()
    assert alone.stat().st_mode & 0o077 == 0  # nobody else may write there
    alone.rmdir()
