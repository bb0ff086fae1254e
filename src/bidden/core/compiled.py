"""Loops that numba compiles, kept on disk for as long as none of them has changed.

numba keeps a loop until its own file changes, but takes in others that it calls, and
constants, with it. So what is kept lies in a folder named by all the files that a loop
may take something from; see `kernel_files`.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path

from numba import __version__, config, njit

PACKAGE = Path(__file__).parents[1]


def compiled(signature):
    """Decorator: compile for this signature now, or take what is kept."""

    def compile_now(loop):
        before = config.CACHE_DIR
        part = loop.__module__.split(".")[1]
        config.CACHE_DIR = str(home(part, before))
        try:
            return njit(signature, cache=True)(loop)
        finally:
            config.CACHE_DIR = before

    return compile_now


def kernel_files(part: str) -> list[Path]:
    """Files that a loop of this package may take something from: all `*kernels.py`.

    Loops of `robot` know nothing but those of `robot`; all others know these as well.
    """
    parts = sorted({"robot", part})
    found = [p for one in parts for p in sorted((PACKAGE / one).rglob("*kernels.py"))]
    return [Path(__file__), *found]


def fingerprint(files: Iterable[Path]) -> str:
    """Tells whether anything in these files, or numba, has changed."""
    said = sha256(__version__.encode())
    for path in files:
        said.update(path.name.encode() + sha256(path.read_bytes()).digest())
    return said.hexdigest()[:16]


@cache
def home(part: str, wanted: str = "") -> Path:
    """Folder for the loops of a package; older ones beside the source are removed.

    Args:
        part: the package, such as "safety".
        wanted: `NUMBA_CACHE_DIR`, when somebody has set it.

    Beside the source, else in the user's cache, else in a folder of this process alone:
    what lies there is run, so it must not be one that others may write to.
    """
    name = fingerprint(kernel_files(part))
    user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    beside = PACKAGE / "__pycache__"
    for place in [Path(wanted)] if wanted else [beside, Path(user) / "bidden"]:
        folder = place / f"kernels-{part}-{name}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if not os.access(folder, os.W_OK):
            continue
        for old in beside.glob(f"kernels-{part}-*") if place == beside else ():
            if old != folder:
                shutil.rmtree(old, ignore_errors=True)
        return folder
    return Path(tempfile.mkdtemp(prefix="bidden-kernels-"))
