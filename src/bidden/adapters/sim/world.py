"""One simulated world: a G1 in a room, its clock, its cameras, and the truth.

Waiting moves it: `world.clock.sleep_until` steps physics. The robot's gait runs
inside at 50 Hz, as it does inside a real body; a command that is not renewed in
`COMMAND_TIMEOUT_S` decays to standing.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import Array
from bidden.robot.g1 import CAMERAS, DEFAULT_Q, JOINTS, PELVIS_HEIGHT, READY_ARMS, SIDES

from .body import robot_spec
from .render import Renderer
from .room import add_room
from .scene import SceneConfig, ThingConfig
from .scene.catalog import LANDMARK_POINT_Z

PHYSICS_DT_S = 0.005
FALLEN_HEIGHT = 0.5  # [m] of the pelvis
FALLEN_UP = 0.6  # cosine of the pelvis tilt
THIRD_PERSON_PX = (640, 480)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Thing:
    """The truth about one thing. Only experts and evaluation may read it."""

    name: str
    kind: str
    shape: str
    colour: str
    p_W: Array  # the point by which it is known [m], (3,)
    yaw: float  # [rad]
    half_size: tuple[float, float, float]  # [m]
    support: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """The robot and one part of a thing touch."""

    thing: str  # its name, or "floor", "wall0" ...
    part: int  # number of the geom of the thing, in the order of `room`
    force: float  # [N]


class World:
    """A compiled scene and its state."""

    def __init__(self, scene: SceneConfig) -> None:
        self.scene = scene
        self.model = _compile(scene)
        self.data = mujoco.MjData(self.model)
        self._renderer: Renderer | None = None
        self.rng = np.random.default_rng((scene.seed, 7))
        model = self.model
        joints = [model.joint(name).id for name in JOINTS]
        self.q_adr = model.jnt_qposadr[joints]
        self.v_adr = model.jnt_dofadr[joints]
        self.ctrl_adr = np.array([model.actuator(name).id for name in JOINTS])
        fingers = [f"{side}_finger_{k}" for side in SIDES for k in "ab"]
        self.finger_ctrl = np.array([model.actuator(f).id for f in fingers])
        self.finger_q = np.array([model.joint(f).qposadr[0] for f in fingers])
        self.pelvis = model.body("pelvis").id
        self._root = model.body_rootid[self.pelvis]
        self.base_q = int(model.joint("floating_base_joint").qposadr[0])
        self.base_v = int(model.joint("floating_base_joint").dofadr[0])
        self.site = [model.site(f"{side}_grip").id for side in SIDES]
        self.reset()

    def reset(self) -> None:
        """Everything back to where the scene puts it."""
        mujoco.mj_resetData(self.model, self.data)
        self.place_robot(*self.scene.robot_start)

    def place_robot(
        self, x: float, y: float, yaw: float, *, arms: Array | None = None
    ) -> None:
        """Put the robot somewhere, standing, arms ready unless given (14,) [rad]."""
        d = self.data
        q = DEFAULT_Q.copy()
        q[15:] = READY_ARMS if arms is None else arms
        d.qpos[self.q_adr] = q
        d.qvel[:] = 0
        half = yaw / 2
        d.qpos[self.base_q : self.base_q + 7] = [
            x, y, PELVIS_HEIGHT, np.cos(half), 0, 0, np.sin(half),
        ]  # fmt: skip
        d.ctrl[self.ctrl_adr] = q
        mujoco.mj_forward(self.model, d)

    # -- truth ---------------------------------------------------------------
    def truth(self) -> dict[str, Thing]:
        """Every thing by name, with its present position."""
        return {t.name: self.thing(t) for t in self.scene.things}

    def thing(self, t: ThingConfig) -> Thing:
        """The present truth about one thing of the scene."""
        d, body = self.data, self.model.body(t.name).id
        R = d.xmat[body].reshape(3, 3)
        up = np.array([0.0, 0.0, self._point_height(t)])
        return Thing(
            name=t.name,
            kind=t.kind,
            shape=t.shape,
            colour=t.colour,
            p_W=d.xpos[body] + R @ up,
            yaw=float(np.arctan2(R[1, 0], R[0, 0])),
            half_size=t.half_size,
            support=t.support,
        )

    @staticmethod
    def _point_height(t: ThingConfig) -> float:
        """Height of the known point over the thing's bottom [m]."""
        if t.kind == "object":
            return t.half_size[2]
        if t.kind in ("receptacle", "table"):
            return 2 * t.half_size[2]
        return LANDMARK_POINT_Z[t.shape]

    def robot_pose(self) -> Array:
        """x, y [m], yaw [rad] of the pelvis in W, (3,)."""
        x, y, _, w, qx, qy, qz = self.data.qpos[self.base_q : self.base_q + 7]
        yaw = np.arctan2(2 * (w * qz + qx * qy), 1 - 2 * (qy**2 + qz**2))
        return np.array([x, y, yaw])

    def to_base(self, p_W: Array) -> Array:
        """A point of W in the base frame B [m], (3,)."""
        x, y, yaw = self.robot_pose()
        c, s = np.cos(yaw), np.sin(yaw)
        dx, dy = p_W[0] - x, p_W[1] - y
        return np.array([c * dx + s * dy, -s * dx + c * dy, p_W[2]])

    def hand_position(self, hand: int) -> Array:
        """The grip point of one hand in W [m], (3,)."""
        return np.asarray(self.data.site_xpos[self.site[hand]].copy())

    def fallen(self) -> bool:
        """Whether the robot lies, or is past saving."""
        height = self.data.qpos[self.base_q + 2]
        up = self.data.xmat[self.pelvis][8]
        return not (height > FALLEN_HEIGHT and up > FALLEN_UP)

    def held(self, hand: int) -> str | None:
        """Name of the object that both pads of a hand touch, if any."""
        pads = {f"{SIDES[hand]}_pad_a": 0, f"{SIDES[hand]}_pad_b": 1}
        touched: tuple[set[str], set[str]] = (set(), set())
        objects = {t.name for t in self.scene.things if t.kind == "object"}
        model = self.model
        for contact in self.data.contact:
            a, b = (model.geom(int(g)).name for g in contact.geom)
            for pad, other in ((a, b), (b, a)):
                if pad in pads and other in objects:
                    touched[pads[pad]].add(other)
        both = touched[0] & touched[1]
        return min(both) if both else None

    def touches(self) -> list[Touch]:
        """Every touch of the robot and a thing now, with its force."""
        found: list[Touch] = []
        wrench = np.zeros(6)
        for k in range(self.data.ncon):
            geoms = self.data.contact[k].geom
            owners = [self.model.geom_bodyid[int(g)] for g in geoms]
            own = [self.model.body_rootid[b] == self._root for b in owners]
            if own[0] == own[1]:
                continue
            other = int(geoms[own.index(False)])
            name, _, part = self.model.geom(other).name.partition("/")
            mujoco.mj_contactForce(self.model, self.data, k, wrench)
            force = float(np.linalg.norm(wrench[:3]))
            found.append(Touch(thing=name, part=int(part or 0), force=force))
        return found

    def push(self, velocity: Array) -> None:
        """Kick the robot: add to the velocity of its whole body in W [m/s], (3,)."""
        self.data.qvel[self.base_v : self.base_v + 3] += velocity

    def load_hand(self, hand: int, mass: float) -> None:
        """Hang a mass on the wrist of one hand [kg]; it stays for this world's life."""
        wrist = self.model.body(f"{SIDES[hand]}_wrist_yaw_link").id
        self.model.body_mass[wrist] += mass

    def hangs_below(self, hand: int) -> float | None:
        """How far the object in a hand reaches down from the grip point [m]."""
        name = self.held(hand)
        if name is None:
            return None
        thing = self.truth()[name]
        bottom = float(thing.p_W[2] - thing.half_size[2])
        return float(self.hand_position(hand)[2]) - bottom

    # -- pictures --------------------------------------------------------------
    def draw(
        self, camera: mujoco.MjvCamera, *, width_px: int, height_px: int, depth: bool
    ) -> tuple[NDArray[np.uint8], Array | None]:
        """A picture from any camera; the context is made at the first call."""
        if self._renderer is None:
            width = max(THIRD_PERSON_PX[0], *(m.width_px for m in CAMERAS))
            height = max(THIRD_PERSON_PX[1], *(m.height_px for m in CAMERAS))
            self._renderer = Renderer(self.model, width_px=width, height_px=height)
        return self._renderer.draw(
            self.data, camera, width_px=width_px, height_px=height_px, depth=depth
        )

    def render_third(self) -> NDArray[np.uint8]:
        """A spectator's view that follows the robot, (480, 640, 3)."""
        x, y, yaw = self.robot_pose()
        camera = mujoco.MjvCamera()
        camera.type = mujoco.mjtCamera.mjCAMERA_FREE
        camera.lookat[:] = [x + 0.3 * np.cos(yaw), y + 0.3 * np.sin(yaw), 0.75]
        camera.distance, camera.elevation = 2.4, -28
        camera.azimuth = float(np.rad2deg(yaw)) + 140
        width, height = THIRD_PERSON_PX
        return self.draw(camera, width_px=width, height_px=height, depth=False)[0]

    def close(self) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


def _compile(scene: SceneConfig) -> mujoco.MjModel:
    spec = robot_spec()
    add_room(spec, scene)
    option = spec.option
    option.timestep = PHYSICS_DT_S
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.visual.map.znear = 0.03
    spec.visual.map.zfar = 20.0
    model = spec.compile()
    model.stat.extent = 1.0
    head = model.camera("head")
    error = np.array(scene.camera_error)
    head.pos = head.pos + error[:3]
    angle = float(np.linalg.norm(error[3:]))
    if angle > 0:
        turn, quat = np.zeros(4), np.zeros(4)
        mujoco.mju_axisAngle2Quat(turn, error[3:] / angle, angle)
        mujoco.mju_mulQuat(quat, np.array(head.quat), turn)
        head.quat = quat
    return model
