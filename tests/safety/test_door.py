"""One door to the motors."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bidden
from bidden.core.messages import Command, Rung, Verdict
from bidden.core.vetted import Seal, VettedCommand, claim_seal
from bidden.safety import Shield

SOURCE = Path(bidden.__file__).parent
MAY_MAKE = {"safety/shield.py"}
MAY_CLAIM = {"safety/shield.py"}
ALLOWED_ROOTS = {"core", "robot", "safety"}
LIBRARIES = {"numpy", "numba", "msgspec"} | set(sys.stdlib_module_names)


def callers(name: str) -> set[str]:
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                function = node.func
                called = getattr(function, "attr", getattr(function, "id", ""))
                if called == name:
                    found.add(path.relative_to(SOURCE).as_posix())
    return found


def test_the_list_of_makers_is_closed() -> None:
    assert callers("VettedCommand") == MAY_MAKE
    assert callers("claim_seal") == MAY_CLAIM


def test_nobody_else_can_make_a_vetted_command(command_of: type[Command]) -> None:
    command = command_of()
    verdict = Verdict(stamp_ns=0, rung=Rung.PASS)
    with pytest.raises(TypeError, match=r"only safety\.Shield"):
        VettedCommand(command, verdict, settle=0.0, seal=Seal())
    with pytest.raises(TypeError, match="missing"):
        VettedCommand(command, verdict, settle=0.0)  # type: ignore[call-arg]


def test_the_seal_is_handed_out_once_and_shared_by_shields() -> None:
    Shield()
    Shield()
    with pytest.raises(RuntimeError, match=r"belongs to bidden\.safety\.Shield"):
        claim_seal("somebody else")


def test_a_thief_that_comes_first_leaves_the_shield_without_a_seal() -> None:
    code = (
        "from bidden.core.vetted import claim_seal; claim_seal('thief')\n"
        "from bidden.safety import Shield\n"
        "try: Shield()\n"
        "except RuntimeError as e: print(e)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "belongs to thief" in ended.stdout, ended.stderr


def test_a_vetted_command_cannot_be_changed(bench) -> None:  # type: ignore[no-untyped-def]
    vetted, _ = bench.tick()
    with pytest.raises(AttributeError):
        vetted.command = None
    for array in (
        vetted.command.arm_q,
        vetted.command.base_velocity,
        vetted.command.grip,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_safety_imports_core_robot_numpy_and_numba_only() -> None:
    for path in (SOURCE / "safety").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            for name in names:
                root, _, rest = name.partition(".")
                if root == "bidden":
                    assert rest.split(".")[0] in ALLOWED_ROOTS, (path, name)
                else:
                    assert root in LIBRARIES, (path, name)
