"""Make `.venv`, install Bidden into it, and fetch what is not shipped.

    python3 tools/setup.py sim video dev

Needs nothing but Python. Safe to repeat and quick when nothing changed: what it did
last is in `.venv/bidden-setup.json`, what the tools said in `.venv/bidden-setup.log`.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STATE = VENV / "bidden-setup.json"
LOG = VENV / "bidden-setup.log"
OLDEST = (3, 11)
# Without CUDA; the plain version brings it on Linux (3 GB).
TORCH_CPU = "torch==2.13.0+cpu"
PROBE = """
from bidden.adapters.sim.gl import probe_gl
works, said = probe_gl()
print(said)
raise SystemExit(not works)
"""
PACKAGES = "from bidden.adapters.sim.gl import apt_packages as p; print(p())"
FETCH = "import bidden.cli.doctor as doctor; raise SystemExit(doctor.mend())"
# Prints the requirements of the extras in argv that are not installed.
MISSING = """
import sys, tomllib, re
from importlib.metadata import PackageNotFoundError, version
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
wanted = list(project["dependencies"])
for extra in sys.argv[1:]:
    wanted += project["optional-dependencies"][extra]
for line in wanted:
    try:
        version(re.split("[<>=]", line)[0])
    except PackageNotFoundError:
        print(line)
"""


@dataclass
class State:
    """What set-up has done so far."""

    root: str = str(ROOT)  # scripts in a venv do not survive a move
    key: str = ""
    extras: list[str] = field(default_factory=list)
    train_declined: bool = False
    draws: str = ""  # the OpenGL that was seen to work

    def save(self) -> None:
        """Remember it for the next run."""
        STATE.write_text(json.dumps(asdict(self), indent=1))


def main() -> int:
    """Set up; 0 when all is ready."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("extras", nargs="*", help="sim, video, train, dev")
    parser.add_argument(
        "--train-if-small",
        action="store_true",
        help="add 'train' too, but only where torch comes without CUDA",
    )
    arguments = parser.parse_args()
    if sys.version_info < OLDEST:
        stop(
            f"Python 3.11 or newer is needed, this is {sys.version.split()[0]};"
            " name one: make PYTHON=python3.11 ..."
        )
    os.environ |= {
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    state = open_venv()
    key = current_key()
    extras = {*state.extras, *arguments.extras}
    if arguments.train_if_small and "train" not in extras:
        if state.train_declined and key == state.key:
            small = False
        else:
            small = torch_is_small()
        state.train_declined = not small
        extras |= {"train"} if small else set()
    if key != state.key or extras != set(state.extras):
        install(sorted(extras))
        state.key, state.extras = key, sorted(extras)
    if "sim" in extras and not state.draws:
        state.draws = ensure_drawing()
    state.save()
    if arguments.train_if_small and state.train_declined:
        print("torch without CUDA is not in reach: tests of training will be skipped")
    if "sim" in extras and subprocess.call([PYTHON, "-c", FETCH]):
        return 1
    print(f"ready: .venv has bidden[{','.join(state.extras)}]", flush=True)
    return 0


def open_venv() -> State:
    """Use the `.venv` that is there, or make one."""
    works = PYTHON.exists() and (
        subprocess.run([PYTHON, "-c", "import pip"]).returncode == 0
    )
    state = State()
    if STATE.exists():
        try:
            state = State(**json.loads(STATE.read_text()))
        except (ValueError, TypeError):
            works = False
    if works and state.root == str(ROOT):
        return state
    shutil.rmtree(VENV, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
    if code and apt_install("python3-venv"):
        code = subprocess.run([*command, "--clear"]).returncode
    if code:
        stop(f"could not make {VENV}; on Debian: sudo apt-get install -y python3-venv")
    return State()


def current_key() -> str:
    """Changes when what pip would install changes."""
    files = (ROOT / "pyproject.toml", ROOT / "constraints.txt")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def install(extras: list[str]) -> None:
    """Install the package, editable, with its extras at the pinned versions."""
    pip = [str(PYTHON), "-m", "pip", "install", "--constraint", "constraints.txt"]
    if "train" in extras and sys.platform != "darwin" and torch_is_small():
        pip.append(TORCH_CPU)
    target = f".[{','.join(extras)}]" if extras else "."
    if not run(f"installing bidden{target[1:]}", [*pip, "--editable", target]):
        command = [str(PYTHON), "-c", MISSING, *extras]
        missing = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        stop(
            "pip could not install everything (its words are above); still missing: "
            f"{', '.join(missing.stdout.split()) or 'bidden itself'}\n"
            "with the package index in reach, run the same line again"
        )


def torch_is_small() -> bool:
    """Whether pip can have torch without CUDA."""
    if sys.platform == "darwin":
        return True  # no build there has it
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--retries", "1"]
    probe = [*pip, "--dry-run", "--no-deps", TORCH_CPU]
    return subprocess.run(probe, capture_output=True).returncode == 0


def ensure_drawing() -> str:
    """Name of the OpenGL that draws here, after installing one if need be."""
    drawn = subprocess.run([PYTHON, "-c", PROBE], capture_output=True, text=True)
    if drawn.returncode == 0:
        return drawn.stdout.strip()
    named = subprocess.run([PYTHON, "-c", PACKAGES], capture_output=True, text=True)
    packages = named.stdout.split()
    if apt_install(*packages):
        drawn = subprocess.run([PYTHON, "-c", PROBE], capture_output=True, text=True)
        if drawn.returncode == 0:
            return drawn.stdout.strip()
    stop(
        f"the cameras cannot be drawn: {(drawn.stdout or drawn.stderr).strip()}\n"
        f"run: sudo apt-get install -y {' '.join(packages)}\n"
        "and then the same line again"
    )


def apt_install(*packages: str) -> bool:
    """Install system packages where that is possible without asking."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    names = " ".join(packages)
    get = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    return run("updating apt's lists", ["apt-get", "update"]) and run(
        f"apt: {names}", get
    )


def run(title: str, command: list[str]) -> bool:
    """Run one long step with a sign of life; shows what it said if it fails."""
    LOG.parent.mkdir(exist_ok=True)
    start = time.monotonic()
    live = sys.stdout.isatty()
    print(f"{title} ...", end="" if live else "\n", flush=True)
    with LOG.open("ab") as log:
        began = log.tell()
        step = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        while step.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                step.wait(timeout=1.0 if live else 10.0)
                break
            sign = f"{title} ... {time.monotonic() - start:.0f} s"
            print(f"\r{sign}" if live else sign, end="" if live else "\n", flush=True)
    passed = f"{time.monotonic() - start:.1f} s"
    back = "\r" if live else ""
    if step.returncode == 0:
        print(f"{back}{title}: done in {passed}", flush=True)
        return True
    said = LOG.read_bytes()[began:].decode(errors="replace").splitlines()
    print(f"{back}{title}: failed after {passed}")
    print("\n".join(f"  | {line}" for line in said[-12:]), flush=True)
    return False


def stop(message: str) -> NoReturn:
    """End with a message and a non-zero code."""
    sys.exit(f"setup: {message}")


if __name__ == "__main__":
    sys.exit(main())
