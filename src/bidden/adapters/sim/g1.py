"""The simulated G1 behind the ports: clock, robot, cameras."""

from __future__ import annotations

from functools import cache

import mujoco
import numpy as np
from numpy.typing import NDArray

from bidden.core.frames import from_planar, wrap
from bidden.core.messages import Array, Image, RobotState
from bidden.core.vetted import VettedCommand, require_vetted
from bidden.robot.g1 import (
    ARMS,
    CAMERAS,
    GRIP_TRAVEL,
    READY_ARMS,
    CameraMount,
)
from bidden.robot.kinematics import Kinematics, camera_matrix

from .body import ARM_KP
from .body.crouch import Crouch
from .body.gait import TICK_S, Gait
from .world import PHYSICS_DT_S, World

TICK_NS = 20_000_000
COMMAND_TIMEOUT_NS = 100_000_000  # then the body stands by itself
_GRAVITY_HELP = 0.8  # [rad] largest shift of an arm target against gravity
_FIELD_PX = 640  # side of the noise that pictures get windows of
_SQUEEZE = 0.010  # [m] that closed fingers are commanded past each other


class SimClock:
    """Simulated time; sleeping advances the physics."""

    def __init__(self, robot: SimRobot) -> None:
        self._robot = robot

    def now_ns(self) -> int:
        """Simulated time [ns]."""
        return self._robot.now_ns

    def sleep_until(self, stamp_ns: int) -> None:
        """Advance the world to `stamp_ns`."""
        while self._robot.now_ns < stamp_ns:
            self._robot.advance()


class Odometry:
    """Leg odometry: true motion with a scale error and slow yaw drift.

    1 % of distance and 1 % of turning are typical for legged odometry (tuned).
    """

    def __init__(self, rng: np.random.Generator, pose: Array) -> None:
        self._scale = 1.0 + rng.normal(0, 0.01, 3)
        self._last = pose.copy()
        self.pose: Array = np.zeros(3)

    def update(self, pose: Array) -> None:
        """Take in the true pose x, y, yaw in W."""
        dx, dy = pose[:2] - self._last[:2]
        turn = wrap(pose[2] - self._last[2])
        c, s = np.cos(self._last[2]), np.sin(self._last[2])
        step = np.array([c * dx + s * dy, -s * dx + c * dy, turn]) * self._scale
        x, y, _ = from_planar(step, self.pose)
        self.pose = np.array([x, y, wrap(self.pose[2] + step[2])])
        self._last = pose.copy()


class SimRobot:
    """A G1 that balances by itself and follows vetted commands."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = SimClock(self)
        self._gait, self._crouch = Gait(), Crouch()
        self.reset()

    def reset(self) -> None:
        """Stand with the arms ready, grippers open, odometry at zero."""
        w = self.world
        self.now_ns = 0
        self._step = 0
        self._velocity: Array = np.zeros(3)
        self._arm_q: Array = w.data.qpos[w.q_adr[ARMS]].copy()
        if not np.any(self._arm_q):
            self._arm_q = READY_ARMS.copy()
        self._grip: Array = np.zeros(2)
        self._settle = 0.0
        self._written_ns = 0
        self._odometry = Odometry(w.rng, w.robot_pose())
        self._gait.reset()
        self._crouch.reset()

    def write(self, command: VettedCommand) -> None:
        """Take over a vetted command.

        Raises:
            RobotError: it is not a `VettedCommand`.
        """
        require_vetted(command)
        self._velocity = command.command.base_velocity
        self._arm_q = command.command.arm_q
        self._grip = command.command.grip
        self._settle = command.settle
        self._written_ns = self.now_ns

    def read(self) -> RobotState:
        """What the sensors say now; base velocity is true, without noise."""
        w, d = self.world, self.world.data
        R = d.xmat[w.pelvis].reshape(3, 3)
        yaw = w.robot_pose()[2]
        c, s = np.cos(yaw), np.sin(yaw)
        v = d.qvel[w.base_v : w.base_v + 6]
        fingers = d.qpos[w.finger_q]
        force = d.actuator_force[w.finger_ctrl]
        return RobotState(
            stamp_ns=self.now_ns,
            q=d.qpos[w.q_adr].copy(),
            dq=d.qvel[w.v_adr].copy(),
            torque=d.actuator_force[w.ctrl_adr].copy(),
            gyro=v[3:6].copy(),
            gravity=-R[2].copy(),
            base_pose=self._odometry.pose.copy(),
            base_velocity=np.array([c * v[0] + s * v[1], -s * v[0] + c * v[1], v[5]]),
            grip_width=2 * GRIP_TRAVEL - fingers.reshape(2, 2).sum(1),
            grip_force=np.abs(force).reshape(2, 2).mean(1),
        )

    def advance(self) -> None:
        """One physics step; every fourth one is a tick of the body's own gait."""
        if self._step % round(TICK_NS * 1e-9 / PHYSICS_DT_S) == 0:
            self._tick()
        mujoco.mj_step(self.world.model, self.world.data)
        self._step += 1
        self.now_ns = round(self._step * PHYSICS_DT_S * 1e9)

    def _tick(self) -> None:
        w, d = self.world, self.world.data
        late = self.now_ns - self._written_ns > COMMAND_TIMEOUT_NS
        velocity = np.zeros(3) if late else self._velocity
        R = d.xmat[w.pelvis].reshape(3, 3)
        speed = float(np.hypot(*d.qvel[w.base_v : w.base_v + 2]))
        gyro = d.qvel[w.base_v + 3 : w.base_v + 6]
        felt, given = self._crouch.bend(
            self._settle,
            speed,
            gravity=-R[2],
            gyro=gyro,
            q=d.qpos[w.q_adr],
            torque=d.actuator_force[w.ctrl_adr],
            tick_s=TICK_S,
        )
        targets = given + self._gait.targets(
            velocity,
            gyro,
            gravity=-R[2],
            q=d.qpos[w.q_adr] - felt,
            dq=d.qvel[w.v_adr],
        )
        arms_v = w.v_adr[ARMS]
        help_q = np.clip(d.qfrc_bias[arms_v] / ARM_KP, -_GRAVITY_HELP, _GRAVITY_HELP)
        targets[ARMS] = self._arm_q + help_q
        d.ctrl[w.ctrl_adr] = targets
        d.ctrl[w.finger_ctrl] = np.repeat(self._grip, 2) * (GRIP_TRAVEL + _SQUEEZE)
        self._odometry.update(w.robot_pose())


class SimCamera:
    """One camera on the robot; the head's depth has a D435's noise and holes."""

    def __init__(self, robot: SimRobot, mount: CameraMount) -> None:
        self._robot, self._mount = robot, mount
        self._kinematics = Kinematics()
        self._K = camera_matrix(mount)
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._camera.fixedcamid = robot.world.model.camera(mount.name).id

    @property
    def name(self) -> str:
        """The mount's name."""
        return self._mount.name

    def read(self) -> Image:
        """A frame of this moment."""
        m, state = self._mount, self._robot.read()
        rgb, depth = self._robot.world.draw(
            self._camera, width_px=m.width_px, height_px=m.height_px, depth=m.has_depth
        )
        if depth is not None:
            depth = add_depth_noise(depth, self._robot.world.rng)
        return Image(
            stamp_ns=state.stamp_ns,
            camera=m.name,
            rgb=np.ascontiguousarray(rgb),
            depth=depth,
            K=self._K,
            X_BC=self._kinematics.camera_pose(state.q, state.gravity, mount=m),
        )


def add_depth_noise(depth: Array, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise of a stereo depth camera: scale 0.5 %, 1 mm + 3 mm/m^2, holes at edges.

    Spread as in the D435 data sheet's "2 % at 2 m" bound, tuned towards its typical
    error; holes where depth jumps by more than 5 % between neighbours, and at random.
    """
    normal, even = _fields()
    z = depth * np.float32(1 + rng.normal(0, 0.005))
    sigma = depth * depth
    sigma *= np.float32(0.003)
    sigma += np.float32(0.001)
    sigma *= _window(normal, depth.shape, rng)
    z += sigma
    slack = depth * np.float32(0.05)
    jump = np.zeros(z.shape, bool)
    jump[:, 1:] = np.abs(depth[:, 1:] - depth[:, :-1]) > slack[:, 1:]
    jump[1:] |= np.abs(depth[1:] - depth[:-1]) > slack[1:]
    luck = _window(even, depth.shape, rng)
    hole = jump & (luck < 0.6)
    hole |= luck > 0.998
    hole |= depth > 8.0
    z[hole] = 0
    return z.astype(np.float32, copy=False)


@cache
def _fields() -> tuple[Array, Array]:
    """Normal and even noise to cut windows from; to draw it anew takes far longer."""
    rng = np.random.default_rng(8)
    shape = (_FIELD_PX, _FIELD_PX)
    return rng.standard_normal(shape, np.float32), rng.random(shape, np.float32)


def _window(field: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    height, width = shape
    i = int(rng.integers(field.shape[0] - height + 1))
    j = int(rng.integers(field.shape[1] - width + 1))
    window: Array = field[i : i + height, j : j + width]
    return window


def cameras(robot: SimRobot) -> dict[str, SimCamera]:
    """All cameras of the body, by name."""
    return {mount.name: SimCamera(robot, mount) for mount in CAMERAS}
