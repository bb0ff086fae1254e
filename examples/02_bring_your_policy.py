"""Any object with `name`, `reset` and `act` can drive the robot, under the shield.

This one turns on the spot with a raised hand. The control loop plays its chunks at
50 Hz and the shield judges every command, as for any other policy.
"""

from collections import Counter

import numpy as np

from bidden.adapters.sim.gl import choose_gl
from bidden.core.messages import ACTION_NAMES, ActionChunk, Goal, Observation, Skill

choose_gl()  # before anything imports mujoco
from bidden.adapters.sim.g1 import SimRobot, cameras  # noqa: E402
from bidden.adapters.sim.scene import random_scene  # noqa: E402
from bidden.adapters.sim.world import World  # noqa: E402
from bidden.safety import Shield  # noqa: E402
from bidden.system.executor import Executor  # noqa: E402
from bidden.system.loop import ControlLoop  # noqa: E402


class Pirouette:
    """Turns left at half a radian per second and lifts the right hand."""

    name = "pirouette"

    def reset(self, goal: Goal) -> None:
        """Nothing to forget."""

    def act(self, observation: Observation) -> ActionChunk:
        """Eight steps of a tenth of a second each; they expire after that."""
        actions = np.zeros((8, len(ACTION_NAMES)))
        actions[:, ACTION_NAMES.index("base_wz")] = 0.5  # [rad/s]
        actions[:, ACTION_NAMES.index("hand_dz")] = 0.01  # [m] per step
        return ActionChunk(
            stamp_ns=observation.stamp_ns,
            actions=actions,
            spread=np.zeros_like(actions),
            policy=self.name,
        )


def main() -> None:
    robot = SimRobot(World(random_scene(7)))
    eyes = cameras(robot)
    executor = Executor()
    loop = ControlLoop(robot, robot.clock, executor=executor, shield=Shield())
    loop.arm()
    goal = Goal(skill=Skill.WAVE, instruction="turn and greet")
    policy, began = Pirouette(), robot.read()
    policy.reset(goal)
    turned = 0.0
    for _ in range(20):  # 4 s at 5 Hz
        state = robot.read()
        observation = Observation(
            stamp_ns=state.stamp_ns,
            state=state,
            images={"head": eyes["head"].read()},
            goal=goal,
            started_ns=began.stamp_ns,
            start_pose=began.base_pose,
            hand_target=executor.hand_target.copy(),
            grip_command=executor.grip.copy(),
        )
        executor.load(policy.act(observation))
        loop.run(10)
        turned += 0.2 * float(robot.read().base_velocity[2])
    print(f"turned about {np.rad2deg(turned):.0f} degrees")
    print(f"the shield's answers: {dict(Counter(loop.rungs))}")


if __name__ == "__main__":
    main()
