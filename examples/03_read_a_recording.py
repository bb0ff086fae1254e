"""A recording holds every message. Make one, read it back, and judge it again.

python examples/03_read_a_recording.py            # makes a short one first
python examples/03_read_a_recording.py FILE.mcap  # of `bidden run --record DIR`
"""

import sys
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np

from bidden.evaluation.rejudge import rejudge
from bidden.system.events import Heard, Said
from bidden.system.tape import JudgedTick, open_tape


def make(folder: Path) -> Path:
    """Record a wave."""
    from bidden.adapters.sim.gl import choose_gl

    choose_gl()  # before anything imports mujoco
    from bidden.adapters.sim.house import SessionConfig, open_session

    path = folder / "wave.mcap"
    config = SessionConfig(seed=7, policy="expert", record=path)
    with closing(open_session(config)) as session:
        session.ask("wave")
    return path


def read(path: Path) -> None:
    """Print what happened, and how fast the arms moved."""
    tape = open_tape(path)
    fastest = 0.0
    for _, stamp_ns, message in tape.messages({"event", "tick"}):
        if isinstance(message, Heard | Said):
            verb = "heard" if isinstance(message, Heard) else "said"
            print(f"{stamp_ns * 1e-9:6.2f} s  {verb}: {message.text}")
        elif isinstance(message, JudgedTick):
            fastest = max(fastest, float(np.abs(message.state.dq[15:]).max()))
    print(f"fastest arm joint: {fastest:.2f} rad/s")
    print(f"messages: {tape.summary().counts}")

    judged = rejudge(tape)
    answer = "all as recorded" if judged.is_same else f"{judged.different} differ"
    print(f"{judged.ticks} ticks judged again: {answer}")


def main() -> None:
    if len(sys.argv) > 1:
        read(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory(prefix="bidden-example-") as folder:
        read(make(Path(folder)))


if __name__ == "__main__":
    main()
