"""The house rules that no linter holds."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "bidden"
MODULES = sorted(SOURCE.rglob("*.py"))
PACKAGES = sorted(SOURCE.rglob("__init__.py"))
PYTHON = [
    path
    for folder in ("src", "tests", "tools", "benchmarks", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
FILE_LINES, FUNCTION_LINES, FOLDER_FILES, EXAMPLE_LINES = 400, 50, 8, 100
# `Any` stops where untyped libraries are spoken to.
MAY_SAY_ANY = ("adapters", "brain/models", "training")
HEAVY = {"PIL", "mujoco", "numpy", "onnxruntime", "rich", "tokenizers", "torch"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _imported(path: Path) -> set[str]:
    """Names that a file imports, as `module.name`."""
    found: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module or ''}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_files_stop_at_400_lines() -> None:
    long = {_name(p): n for p in PYTHON if (n := len(p.read_text().splitlines())) > 400}
    assert not long, f"over {FILE_LINES} lines: {long}"


def test_functions_stop_at_50_lines() -> None:
    long = {
        f"{_name(path)}:{node.lineno} {node.name}": lines
        for path in PYTHON
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    }
    assert not long, f"over {FUNCTION_LINES} lines: {long}"


def test_folders_hold_at_most_8_files() -> None:
    counts = Counter(_name(p.parent) for p in MODULES if p.name != "__init__.py")
    full = {k: n for k, n in counts.items() if n > FOLDER_FILES}
    assert not full, f"over {FOLDER_FILES} modules: {full}"


def test_examples_stop_at_100_lines() -> None:
    examples = sorted((ROOT / "examples").glob("*.py"))
    lines = {_name(p): len(p.read_text().splitlines()) for p in examples}
    assert not {k: n for k, n in lines.items() if n > EXAMPLE_LINES}


@pytest.mark.parametrize("path", PACKAGES, ids=_name)
def test_package_file_only_re_exports(path: Path) -> None:
    body = _tree(path).body
    assert ast.get_docstring(_tree(path)), "say in one line what the room is for"
    for node in body[1:]:
        if isinstance(node, ast.ImportFrom):
            ghosts = [a.name for a in node.names if a.asname != a.name]
            if node.module != "__future__":
                assert not ghosts, f"re-export as `X as X`: {ghosts}"
        else:
            assert isinstance(node, ast.Assign), f"line {node.lineno}"


@pytest.mark.parametrize("path", PACKAGES, ids=_name)
def test_every_exported_name_exists(path: Path) -> None:
    name = ".".join(path.parent.relative_to(SOURCE.parent).parts)
    if name.startswith("bidden.training"):
        pytest.importorskip("torch", reason="the extra 'train' is not installed")
    importlib.import_module(name)


def test_import_of_bidden_does_no_work() -> None:
    code = "import bidden, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(loaded.stdout.split())


def test_command_line_starts_without_torch_mujoco_or_networks() -> None:
    if importlib.util.find_spec("bidden.cli.main") is None:
        pytest.skip("there is no command line yet")
    code = "import bidden.cli.main, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"torch", "mujoco", "onnxruntime"} & set(loaded.stdout.split())


def test_any_stops_at_the_adapters() -> None:
    inside = tuple(f"{SOURCE / room}/" for room in MAY_SAY_ANY)
    strict = [p for p in MODULES if not str(p).startswith(inside)]
    assert not [_name(p) for p in strict if "typing.Any" in _imported(p)]


def test_only_the_shield_takes_the_seal() -> None:
    door = (f"{SOURCE / 'safety'}/", f"{SOURCE / 'core'}/")
    others = [p for p in MODULES if not str(p).startswith(door)]
    keys = re.compile(r"\b(claim_seal|_SEAL)\b")
    assert not [_name(p) for p in others if keys.search(p.read_text())]


def test_layers_hold() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    if not command.exists():
        pytest.skip("import-linter is not installed (extra 'dev')")
    ended = subprocess.run(
        [command, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout


def test_every_requirement_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(line for extra in extras for line in extra)]
    pinned = {
        line.split("==")[0]
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line and not line.startswith("#")
    }
    assert {re.split("[<>=]", line)[0] for line in wanted} <= pinned


def test_every_shipped_network_matches_its_contract() -> None:
    from bidden.brain.models.contract import WEIGHTS_DIR, Contract, contract_path

    for onnx in sorted(WEIGHTS_DIR.glob("*.onnx")):
        promised = Contract.load(contract_path(onnx)).sha256
        assert hashlib.sha256(onnx.read_bytes()).hexdigest() == promised, onnx.name


def test_links_between_documents_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert len(pages) > 4
    broken = [
        f"{_name(page)}: {target}"
        for page in pages
        for target in re.findall(
            r"(?<!!)\[[^\]]+\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()
        )
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_changelog_knows_this_version() -> None:
    import bidden

    assert f"## {bidden.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_decisions_are_numbered_without_gaps() -> None:
    notes = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(note.name.split("-")[0]) for note in notes]
    assert numbers == list(range(1, len(notes) + 1))
