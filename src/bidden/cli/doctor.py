"""`bidden doctor`: what is there, what is not, and the line that mends it."""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal, get_args

import msgspec
from rich.console import Console
from rich.table import Table

import bidden
from bidden.core.errors import AssetError, BiddenError
from bidden.runtime import assets

State = Literal["ok", "optional", "missing", "wrong"]
STYLE = {"ok": "green", "optional": "dim", "missing": "red", "wrong": "red"}
NETWORKS = ("vision", "language", "fusion", "gate")
NEEDED_EXTRAS = ("", "sim")  # without `sim` there is no body to run
DISK_GB = 1.0  # cache, a recording and a video, with room to spare
_IN_CHECKOUT = (Path(bidden.__file__).parents[2] / "Makefile").exists()
INSTALL = "make setup" if _IN_CHECKOUT else 'pip install "bidden[sim,video]"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row: a thing, its state, and what to do about it."""

    area: str
    what: str
    state: State
    found: str
    mend: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether something that is needed is not right."""
        return self.state in ("missing", "wrong")


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "doctor", help="what is there, what is not, and the line that mends it"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--mend",
        action="store_true",
        help="fetch assets that are missing or wrong first",
    )
    parser.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Look at everything; 0 when all that is needed is right, else 1."""
    if arguments.mend and mend():
        return 1
    console = Console()
    with console.status("looking ..."):
        findings = list(examine())
    if arguments.json:
        report = {
            "version": bidden.__version__,
            "ok": not any(f.is_bad for f in findings),
            "findings": [asdict(f) for f in findings],
        }
        print(msgspec.json.encode(report).decode())
    else:
        _show(console, findings)
    return int(any(f.is_bad for f in findings))


def mend() -> int:
    """Fetch every asset that is missing or wrong; 0 when all are whole."""
    try:
        assets.fetch(lambda line: print(line, flush=True))
    except AssetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def examine() -> Iterator[Finding]:
    """All findings, in the order in which they are worth mending."""
    yield from _machine()
    yield from _packages()
    yield from _drawing()
    yield from _assets()
    yield from _networks()


def _machine() -> Iterator[Finding]:
    found = f"{platform.python_version()}, {sys.prefix}"
    yield Finding(area="machine", what="python", state="ok", found=found)
    cores = str(os.cpu_count())
    yield Finding(area="machine", what="cores", state="ok", found=cores)
    for what, folder in (
        ("disk of the cache", assets.cache_dir()),
        ("disk here", Path()),
    ):
        there = next(
            p for p in (folder.absolute(), *folder.absolute().parents) if p.exists()
        )
        free_gb = shutil.disk_usage(there).free / 1e9
        enough = free_gb >= DISK_GB
        yield Finding(
            area="machine",
            what=what,
            state="ok" if enough else "wrong",
            found=f"{free_gb:.1f} GB free, {there}",
            mend=""
            if enough
            else f"free {DISK_GB:.0f} GB or more on the disk of {there}",
        )


def _packages() -> Iterator[Finding]:
    by_extra: dict[str, list[str]] = {}
    for line in metadata.requires("bidden") or []:
        marker = re.search(r"extra == ['\"](\w+)['\"]", line)
        name = re.split(r"[<>=~!; ]", line)[0]
        by_extra.setdefault(marker[1] if marker else "", []).append(name)
    for extra, names in sorted(by_extra.items()):
        needed = extra in NEEDED_EXTRAS
        versions = {name: _version(name) for name in sorted(names)}
        found = ", ".join(f"{name} {v}" for name, v in versions.items() if v)
        absent = [name for name, v in versions.items() if not v]
        if absent:
            found += f"{'; ' if found else ''}not there: {', '.join(absent)}"
        yield Finding(
            area="packages",
            what=f"extra '{extra}'" if extra else "run time",
            state="ok" if not absent else "missing" if needed else "optional",
            found=found,
            mend=INSTALL if absent and needed else "",
        )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _drawing() -> Iterator[Finding]:
    if not _version("mujoco"):
        return
    from bidden.adapters.sim.gl import apt_packages, probe_gl

    works, said = probe_gl()
    yield Finding(
        area="drawing",
        what="OpenGL for the cameras",
        state="ok" if works else "missing",
        found=f"{said}, drew a picture" if works else said,
        mend="" if works else f"sudo apt-get install -y {apt_packages()}",
    )


def _assets() -> Iterator[Finding]:
    states = {state.file: state for state in assets.check()}
    for wheel in assets.manifest().wheels:
        mine = [states[file] for file in wheel.files]
        bad = [state for state in mine if state.condition != "ok"]
        size_mb = sum(file.size for file in wheel.files) / 1e6
        found = f"{len(mine)} files, {size_mb:.1f} MB, hashes match"
        if bad:
            first, more = bad[0], f" (and {len(bad) - 1} more)" * (len(bad) > 1)
            found = (
                f"{first.file.path}: expected {first.expected}, got {first.got}{more}"
            )
        gone = all(state.condition == "missing" for state in bad)
        yield Finding(
            area="assets",
            what=f"from {wheel.pin}",
            state="ok" if not bad else "missing" if gone else "wrong",
            found=found,
            mend=assets.mend_command() if bad else "",
        )


def _networks() -> Iterator[Finding]:
    from bidden.brain.models.contract import Precision, weights_path

    for name in NETWORKS:
        for precision in get_args(Precision) if name != "gate" else ("int8",):
            path = weights_path(name, precision)
            try:
                state, found = _network(path)
            except BiddenError as error:
                state, found = "wrong", str(error)
            yield Finding(
                area="networks",
                what=f"{name} {precision}",
                state=state,
                found=found,
                mend="" if state == "ok" else _mend_networks(path.parent),
            )


def _network(path: Path) -> tuple[State, str]:
    from bidden.brain.models.contract import Contract, contract_path, sha256_of

    if not path.exists():
        return "missing", f"no file {path.name}"
    contract = Contract.load(contract_path(path))
    got = sha256_of(path.read_bytes())
    if got != contract.sha256:
        return "wrong", f"{path.name}: expected sha256 {contract.sha256}, got {got}"
    return "ok", f"version {contract.version}, sha256 {got[:12]} as its contract says"


def _mend_networks(folder: Path) -> str:
    if _IN_CHECKOUT:
        return f"git checkout -- {folder}   (or make them again: make train)"
    return "pip install --force-reinstall --no-deps bidden"


def _show(console: Console, findings: list[Finding]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("area", "what", "state", "found"):
        table.add_column(heading, overflow="fold")
    for f in findings:
        state = f"[{STYLE[f.state]}]{f.state}[/]"
        table.add_row(f.area, f.what, state, f.found.replace("[", r"\["))
    console.print(table)
    lines = dict.fromkeys(f.mend for f in findings if f.mend)
    if not lines:
        console.print("\nAll that is needed is there.", style="green")
    for line in lines:
        console.print("\nto mend it:", style="bold red")
        console.print(f"  {line}", soft_wrap=True, markup=False, highlight=False)
