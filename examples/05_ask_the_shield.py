"""Every command passes the shield. Ask it yourself: no robot, no world, no network."""

import numpy as np

from bidden.core.messages import Command, RobotState
from bidden.robot.g1 import ARMS, DEFAULT_Q, READY_ARMS
from bidden.safety import Shield

TICK_NS = 20_000_000  # 50 Hz


def standing(now_ns: int) -> RobotState:
    """What a robot that stands with its arms ready would measure."""
    q = DEFAULT_Q.copy()
    q[ARMS] = READY_ARMS
    return RobotState(
        stamp_ns=now_ns,
        q=q,
        dq=np.zeros(29),
        torque=np.zeros(29),
        gyro=np.zeros(3),
        gravity=np.array([0.0, 0.0, -1.0]),
        base_pose=np.zeros(3),
        base_velocity=np.zeros(3),
        grip_width=np.full(2, 0.09),
        grip_force=np.zeros(2),
    )


def wish(
    now_ns: int, *, forward: float = 0.1, arms: float = 0.0, age_s: float = 0.0
) -> Command:
    """A command: walk forward [m/s], move every arm joint by so much [rad]."""
    return Command(
        stamp_ns=now_ns - int(age_s * 1e9),
        source_ns=now_ns - int(age_s * 1e9),
        base_velocity=np.array([forward, 0.0, 0.0]),
        arm_q=READY_ARMS + arms,
        grip=np.zeros(2),
    )


def main() -> None:
    shield = Shield()
    wishes = [
        ("before it is armed", {}),
        ("a slow step forward", {"forward": 0.02}),
        ("5 m/s forward", {"forward": 5.0}),
        ("arms by 2 rad at once", {"arms": 2.0}),
        ("a joint target that is no number", {"arms": float("nan")}),
        ("a command from 2 s ago", {"age_s": 2.0}),
    ]
    now_ns = 10 * TICK_NS
    for words, values in wishes:
        now_ns += TICK_NS
        vetted, verdict = shield.judge(
            wish(now_ns, **values), standing(now_ns), now_ns=now_ns
        )
        forward = vetted.command.base_velocity[0]
        reasons = ", ".join(verdict.reasons) or "-"
        print(f"{words:34} {verdict.rung.name:6} {reasons:28} walks {forward:.2f} m/s")
        if not shield.is_armed:
            shield.arm()


if __name__ == "__main__":
    main()
