"""Every example runs as it stands, from a clean checkout, without robot or GPU."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What each must say; an example without a row fails here.
SAYS = {
    "01_say_it.py": "done:",
    "02_bring_your_policy.py": "the shield's answers: {",
    "03_read_a_recording.py": "all as recorded",
    "04_your_scene.py": "a misspelt key is refused",
    "05_ask_the_shield.py": "HOLD   disarmed",
}


def test_every_example_is_known_here() -> None:
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == set(SAYS)


@pytest.mark.parametrize("name", SAYS)
def test_example_runs(name: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / name)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert SAYS[name] in ended.stdout
    assert not list(tmp_path.iterdir()), "an example leaves nothing behind"
