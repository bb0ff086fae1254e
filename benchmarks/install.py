"""What a run-time install weighs and how fast `import bidden` is.

    python benchmarks/install.py

Makes fresh environments in a temporary folder: without extras, with `sim`, and with
`sim` and `video`, which `make setup` installs (its ffmpeg is not counted in the limit).
The last line is one JSON object. Limits: no torch, 600 MB, import under 0.3 s.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = 10
NOT_COPIED = (".*", "*.egg-info", "build", "data", "runs", "tests")


def main() -> int:
    """Measure both installs; 0 when they are inside the limits."""
    figures: dict[str, dict[str, float | bool]] = {}
    with tempfile.TemporaryDirectory(prefix="bidden-install-") as folder:
        # a copy: building in place would leave folders that later builds pick up
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*NOT_COPIED))
        kinds = {"runtime": "", "sim": "[sim]", "sim and video": "[sim,video]"}
        for name, target in kinds.items():
            figures[name] = measure(Path(folder) / name, f"{tree}{target}")
            print(name, figures[name], file=sys.stderr, flush=True)
    within = all(
        not f["torch"]
        and f["import_s"] < 0.3
        and (f["installed_mb"] <= 600 or "video" in name)
        for name, f in figures.items()
    )
    print(json.dumps({"benchmark": "install", "within_limits": within, **figures}))
    return int(not within)


def measure(venv: Path, target: str) -> dict[str, float | bool]:
    """Install into a fresh environment and look at it."""
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / "bin" / "python"
    bare_mb = size_mb(venv)  # Python's own part: pip, setuptools
    start = time.perf_counter()
    pip = [str(python), "-m", "pip", "install", "-qq", "--root-user-action=ignore"]
    pip += ["--disable-pip-version-check", "-c", "constraints.txt", target]
    subprocess.run(pip, cwd=ROOT, check=True)
    install_s = time.perf_counter() - start
    has_torch = subprocess.run([python, "-c", "import torch"], capture_output=True)
    return {
        "installed_mb": round(size_mb(venv) - bare_mb, 1),
        "install_s": round(install_s, 1),
        "torch": has_torch.returncode == 0,
        "import_s": round(import_s(python, "bidden"), 4),
        "import_command_line_s": round(import_s(python, "bidden.cli.main"), 4),
    }


def size_mb(folder: Path) -> float:
    """Size of all files under a folder [MB]."""
    files = (p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    return sum(p.stat().st_size for p in files) / 1e6


def import_s(python: Path, module: str) -> float:
    """Median time of an import, without the start of Python itself [s]."""
    code = f"import time; t = time.perf_counter(); import {module}; "
    code += "print(time.perf_counter() - t)"
    runs = [
        subprocess.run(
            [python, "-c", code], capture_output=True, text=True, check=True, cwd="/"
        )
        for _ in range(IMPORTS)
    ]
    return statistics.median(float(run.stdout) for run in runs)


if __name__ == "__main__":
    sys.exit(main())
