"""Coverage of the shield by its own tests: fails under 100 % of lines and branches.

    python tools/cover.py

numba's loops count only where they run as plain Python. Those of `bidden.robot`, below
the shield, stay compiled, so that the whole takes a minute and a half.
"""

from __future__ import annotations

import sys

import numba
import pytest

import bidden.robot.ik_kernels
import bidden.robot.kernels  # noqa: F401

COVER = [
    "--cov=bidden.safety",
    "--cov-branch",
    "--cov-report=term-missing:skip-covered",
    "--cov-fail-under=100",
]


def main() -> int:
    """Exit code of pytest; 1 as well when a line or a branch was not run."""
    numba.config.DISABLE_JIT = 1
    return int(pytest.main(["-q", "tests/safety", *COVER, *sys.argv[1:]]))


if __name__ == "__main__":
    sys.exit(main())
