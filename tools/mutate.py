"""Whether the tests of the shield notice mistakes: a seeded sample of small ones.

    python tools/mutate.py --minutes 30 --seed 1

Works on a copy of the tree. First every test says which lines it runs; then each
mistake of `tools/mutants.py` is put in by itself, and the tests that run its line are
run until one fails. What was done is kept in FOLDER/results.jsonl, so that the same
line goes on where it stopped. Prints what survived and one line of JSON.

Files that decide have `DENSE` times the chance of others to be drawn. numba's loops
run as plain Python where they, or a constant that they compile in, are changed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter, defaultdict
from pathlib import Path

import numba
import pytest
from mutants import Mutant, mutants_of

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "src/bidden/safety"
TESTS = "tests/safety"
DENSE = 3.0
SPARSE = ("foresight/",)  # they advise; what decides is the rest
PLAIN = ("kernels.py", "step.py")  # ends of the names of files for plain Python
PATIENCE_S = 20.0  # beyond three times what the tests take


class Notes:
    """A plugin that keeps what each test took [s]."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up set-up, call and tear-down."""
        self.seconds[report.nodeid] += report.duration


class Chosen:
    """A plugin that runs only some tests, in their order."""

    def __init__(self, names: list[str]) -> None:
        self._place = {name: k for k, name in enumerate(names)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the others out."""
        items[:] = [item for item in items if item.nodeid in self._place]
        items.sort(key=lambda item: self._place[item.nodeid])


class Bench:
    """The copy of the tree, and which of its tests run which line."""

    def __init__(self, tree: Path) -> None:
        self.tree, self.package = tree, tree / PACKAGE
        for name in ("src", "tests"):
            shutil.rmtree(tree / name, ignore_errors=True)
            shutil.copytree(ROOT / name, tree / name)  # with times: numba's cache holds
        shutil.copy2(ROOT / "pyproject.toml", tree)
        sys.path.insert(0, str(tree / "src"))
        os.environ["PYTHONPATH"] = str(tree / "src")  # of processes that tests start
        os.chdir(tree)
        self.files = sorted(self.package.rglob("*.py"))
        self._turn = 0
        self.seconds: dict[str, float] = {}
        self.runners: dict[str, dict[int, list[str]]] = {}

    def import_below(self) -> None:
        """What the package stands on, imported once; compiled code stays compiled."""
        import bidden.adapters.sim.gl
        import bidden.robot.ik_kernels
        import bidden.robot.kinematics

        assert Path(bidden.__file__).is_relative_to(self.tree)
        assert "bidden.safety" not in sys.modules

    def observe(self) -> None:
        """Run all tests once, and note what each took and which lines it ran."""
        kept, begun = self.tree / "lines.json", time.time()  # noqa: TID251
        newest = max(p.stat().st_mtime for f in ("src", "tests") for p in _python(f))
        if not (kept.exists() and kept.stat().st_mtime > newest):
            code = self._fork(lambda: self._observe(kept), limit_s=3600.0)
            if code != 0:
                sys.exit("mutate: the tests fail without any mistake: said.txt")
            os.utime(kept, (begun, begun))
        found = json.loads(kept.read_text())
        self.seconds = found["seconds"]
        self.runners = {
            file: {int(line): names for line, names in lines.items()}
            for file, lines in found["lines"].items()
        }

    def _observe(self, kept: Path) -> int:
        import coverage

        numba.config.DISABLE_JIT = 1
        notes = Notes()
        options = ["--cov=bidden.safety", "--cov-context=test", "--cov-report="]
        code = pytest.main(["-q", "-p", "no:cacheprovider", *options, TESTS], [notes])
        data = coverage.CoverageData()
        data.read()
        lines = {
            file.relative_to(self.package).as_posix(): {
                line: sorted({name.split("|")[0] for name in names if name})
                for line, names in data.contexts_by_lineno(str(file)).items()
            }
            for file in self.files
        }
        kept.write_text(json.dumps({"seconds": notes.seconds, "lines": lines}))
        return int(code)

    def tests_for(self, mutant: Mutant) -> list[str]:
        """Tests that run its line; all where it runs on import only. Likely first."""
        names = self.runners[mutant.file].get(mutant.line) or list(self.seconds)
        stem, turns = Path(mutant.file).stem, Counter[str]()
        keys = {}
        for name in names:
            function = name.partition("[")[0]
            turns[function] += 1
            keys[name] = (f"test_{stem}" not in name, turns[function] > 1)
        return sorted(names, key=lambda name: (*keys[name], self.seconds[name]))

    def try_one(self, mutant: Mutant) -> dict[str, object]:
        """Put the mistake in, run its tests, take it out again."""
        path = self.package / mutant.file
        source, times = path.read_bytes(), path.stat()
        names = self.tests_for(mutant)
        files = sorted({name.partition("::")[0] for name in names})
        arguments = ["-x", "-q", "-p", "no:cacheprovider", *files]

        def run() -> int:
            if mutant.file.endswith(PLAIN):
                numba.config.DISABLE_JIT = 1
            return int(pytest.main(arguments, [Chosen(names)]))

        begun = time.monotonic()
        try:
            path.write_bytes(mutant.applied(source))
            self._turn += 2  # [s] no two mistakes share a time, so none its bytecode
            os.utime(path, (times.st_atime, int(times.st_mtime) + self._turn))
            limit = PATIENCE_S + 3 * sum(self.seconds[name] for name in names)
            code = self._fork(run, limit_s=limit)
        finally:
            path.write_bytes(source)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        outcome = {0: "survived", 5: "survived", None: "timed out"}.get(code, "killed")
        took = round(time.monotonic() - begun, 2)
        return {"outcome": outcome, "seconds": took, "tests": len(names)}

    @staticmethod
    def _fork(run: object, *, limit_s: float) -> int | None:
        """Exit code of a function in a process of its own; None when it is too slow."""
        child = os.fork()
        if child == 0:
            code = 99
            try:
                said = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                quiet = os.open("said.txt", said)
                os.dup2(quiet, 1)
                os.dup2(quiet, 2)
                code = run()  # type: ignore[operator]
            except BaseException:  # noqa: BLE001 the child ends here, and says why
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)  # noqa: TID251
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None


def _python(folder: str) -> list[Path]:
    return list((ROOT / folder).rglob("*.py"))


def drawn(bench: Bench, *, seed: int, only: str) -> list[Mutant]:
    """All mutants in the order in which they are tried; a prefix is a sample."""
    keyed = []
    for path in bench.files:
        file = path.relative_to(bench.package).as_posix()
        weight = 1.0 if file.startswith(SPARSE) else DENSE
        for mutant in mutants_of(path.read_bytes(), file):
            key = random.Random(f"{seed} {mutant.key}").random() / weight
            if only in file:
                keyed.append((key, mutant.key, mutant))
    return [mutant for *_, mutant in sorted(keyed, key=lambda row: row[:2])]


def report(rows: list[dict[str, object]], *, seed: int, total: int) -> None:
    """What survived, and one line of JSON."""
    for row in sorted(rows, key=lambda row: (row["file"], row["line"])):
        if row["outcome"] != "killed":
            print(f"{row['outcome']} {row['file']}:{row['line']}")
            print(f"  - {row['old']}\n  + {row['new']}")
    by_file: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        by_file[str(row["file"])][str(row["outcome"])] += 1
    outcomes = Counter(str(row["outcome"]) for row in rows)
    figures = {
        "seed": seed,
        "possible": total,
        "mutants": len(rows),
        "killed": outcomes["killed"],
        "survived": outcomes["survived"],
        "timed_out": outcomes["timed out"],
        "by_file": {file: dict(counts) for file, counts in sorted(by_file.items())},
    }
    print(json.dumps(figures))


def main() -> int:
    """Try mutants until time or number is reached; 0 whatever survives."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--count", type=int, default=10**9, help="of mutants in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="part of the names of files")
    parser.add_argument("--survivors", action="store_true", help="try these again")
    parser.add_argument("--folder", type=Path, default=Path("runs/mutants"))
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    results = folder / "results.jsonl"
    done: dict[str, dict[str, object]] = {}
    if results.exists():
        rows = [json.loads(line) for line in results.read_text().splitlines()]
        done = {row["key"]: row for row in rows}  # the newest counts
    bench = Bench(folder)
    bench.import_below()
    bench.observe()
    end = time.monotonic() + 60 * arguments.minutes
    order = drawn(bench, seed=arguments.seed, only=arguments.only)
    for mutant in order[: arguments.count]:
        known = done.get(mutant.key)
        again = arguments.survivors and known and known["outcome"] != "killed"
        if time.monotonic() > end or (arguments.survivors and not again):
            continue
        if known and not again:
            continue
        found = {"key": mutant.key, **vars(mutant), **bench.try_one(mutant)}
        done[mutant.key] = found
        with results.open("a") as file:
            file.write(json.dumps(found) + "\n")
    tried = [done[m.key] for m in order[: arguments.count] if m.key in done]
    report(tried, seed=arguments.seed, total=len(order))
    return 0


if __name__ == "__main__":
    sys.exit(main())
