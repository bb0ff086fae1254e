"""Say it, and a G1 in a simulated room does it.

python examples/01_say_it.py "turn around" --policy expert
"""

import argparse
from contextlib import closing

from bidden.adapters.sim.gl import choose_gl

choose_gl()  # before anything imports mujoco
from bidden.adapters.sim.house import SessionConfig, open_session  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description="Say it, and a G1 does it.")
    parser.add_argument("instruction", nargs="*", default=["wave"])
    parser.add_argument("--policy", default="expert", help="compact, expert or random")
    args = parser.parse_args()

    config = SessionConfig(seed=7, policy=args.policy)
    with closing(open_session(config)) as session:
        outcome = session.ask(" ".join(args.instruction))

    print(f"{outcome.status}: {outcome.reply}")
    for result in outcome.goals:
        print(f"  {result.goal.skill}: {result.status} after {result.sim_s:.1f} s")
    print(f"  shield: {outcome.rungs}, control tick p99 {outcome.tick.p99_ms:.2f} ms")


if __name__ == "__main__":
    main()
