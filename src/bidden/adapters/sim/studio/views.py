"""Views to learn grounding from: one compiled scene, dressed anew for every picture.

Compiling a scene costs half a second, a picture twenty milliseconds. So colours,
shapes, sizes, places, light, posture and the untold error of the camera are drawn
again for each picture inside the compiled model; only furniture stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from numpy.typing import NDArray

from bidden.adapters.sim.scene import random_scene
from bidden.adapters.sim.world import World
from bidden.core.messages import Array
from bidden.robot.g1 import CAMERAS
from bidden.robot.kinematics import camera_matrix

from .looks import Cast, Wardrobe
from .places import Places, turn

HEAD = CAMERAS[0]
POSITION_ERROR_M, ANGLE_ERROR_DEG = 0.001, 0.12  # of a calibrated camera; as in scenes
_FLIP = np.diag([1.0, -1.0, -1.0])  # MuJoCo's camera looks along -z, ours along +z
_BOX_POINTS = 0.7 * np.array(
    [[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)], float
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Label:
    """The truth about one thing in one picture."""

    shape: str
    colour: str  # "" for landmarks and tables
    p_C: Array  # its point in the true camera frame [m], (3,)
    p_B: Array  # its point in the base frame [m], (3,)
    visible: float  # share of its body that is in the picture and not hidden
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View:
    """One picture and its truth."""

    rgb: NDArray[np.uint8]
    depth: Array  # [m], without noise, (H, W)
    X_BC: Array  # what the robot believes, (4, 4)
    near: bool  # taken at a table, with things in reach
    labels: tuple[Label, ...]


class Studio:
    """One compiled scene in which many pictures are taken."""

    def __init__(self, seed: int) -> None:
        self._r = np.random.default_rng((seed, 31))
        self.world = World(random_scene(seed, pairs="train"))
        self._cast = Cast.of(self.world.scene)
        self._wardrobe = Wardrobe(self.world, self._r)
        self._places = Places(self.world, self._r)
        self._camera = self.world.model.camera("head").id
        self._torso = self.world.model.body(HEAD.link).id
        self._quat = _nominal_quat()

    def close(self) -> None:
        """Free the renderer."""
        self.world.close()

    def take(self, *, near: bool) -> View:
        """Dress everything anew and take one picture."""
        m, d = self.world.model, self.world.data
        looks = self._wardrobe.change()
        table = self._cast.tables[int(self._r.integers(len(self._cast.tables)))]
        self._places.lay(looks, mostly_on=table if near else None)
        if near:
            self._places.stand_at(table)
        else:
            self._places.stand_anywhere()
        held = self._places.pose_arms(near=near)
        if held:
            self._places.put_in_hand(*held, half=looks[held[0]].half)
        self._shake_camera()
        mujoco.mj_kinematics(m, d)
        mujoco.mj_comPos(m, d)
        mujoco.mj_camlight(m, d)
        camera = mujoco.MjvCamera()
        camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, self._camera
        rgb, depth = self.world.draw(
            camera, width_px=HEAD.width_px, height_px=HEAD.height_px, depth=True
        )
        assert depth is not None
        labels = []
        for t in self._cast.all:
            look = looks[t.name]
            rise = look.half[2] if t.kind == "object" else self._rise(t.name)
            p_W, p_C, visible = self._find(t.name, look.half, rise, depth)
            labels.append(
                Label(
                    shape=look.shape, colour=look.colour, p_C=p_C,
                    p_B=self.world.to_base(p_W), visible=visible,
                    held=held is not None and held[0] == t.name,
                )
            )  # fmt: skip
        return View(
            rgb=rgb, depth=depth, X_BC=self._believed_pose(), near=near,
            labels=tuple(labels),
        )  # fmt: skip

    def _rise(self, name: str) -> float:
        """Height of the point of a receptacle or landmark over its bottom [m]."""
        body = self.world.model.body(name).id
        thing = self.world.truth()[name]
        up = self.world.data.xmat[body].reshape(3, 3)[:, 2]
        return float((thing.p_W - self.world.data.xpos[body]) @ up)

    def _find(
        self, name: str, half: Array, rise: float, depth: Array
    ) -> tuple[Array, Array, float]:
        """A thing's point in W and in the true camera frame, and how visible it is."""
        d = self.world.data
        body = self.world.model.body(name).id
        R, p = d.xmat[body].reshape(3, 3), d.xpos[body]
        R_WC = d.cam_xmat[self._camera].reshape(3, 3) @ _FLIP
        p_WC = d.cam_xpos[self._camera]
        p_W = p + R[:, 2] * rise
        inside = p + (_BOX_POINTS * half + [0, 0, half[2]]) @ R.T
        share = visible_share((inside - p_WC) @ R_WC, depth, float(np.max(half[:2])))
        return p_W, (p_W - p_WC) @ R_WC, share

    def _shake_camera(self) -> None:
        """The part of the camera's pose that calibration does not know."""
        m, r = self.world.model, self._r
        position = np.array(HEAD.position)
        m.cam_pos[self._camera] = position + r.normal(0, POSITION_ERROR_M, 3)
        error, quat = np.zeros(4), np.zeros(4)
        angles = r.normal(0, np.deg2rad(ANGLE_ERROR_DEG), 3)
        mujoco.mju_euler2Quat(error, angles, "xyz")
        mujoco.mju_mulQuat(quat, self._quat, error)
        m.cam_quat[self._camera] = quat

    def _believed_pose(self) -> Array:
        """X_BC as kinematics know it (4, 4)."""
        w, nominal = self.world, np.zeros(9)
        mujoco.mju_quat2Mat(nominal, self._quat)
        R_WT = w.data.xmat[self._torso].reshape(3, 3)
        R_BW, X_BC = np.eye(3), np.eye(4)
        R_BW[:2, :2] = turn(-float(w.robot_pose()[2]))
        X_BC[:3, :3] = R_BW @ R_WT @ nominal.reshape(3, 3) @ _FLIP
        p_W = w.data.xpos[self._torso] + R_WT @ np.array(HEAD.position)
        X_BC[:3, 3] = w.to_base(p_W)
        return X_BC


def visible_share(points_C: Array, depth: Array, thickness: float) -> float:
    """Share of points that are in the picture and not behind something else.

    Args:
        points_C: in the camera frame [m], (N, 3).
        depth: of the picture [m], (H, W).
        thickness: of the thing that the points are in [m].
    """
    K = camera_matrix(HEAD)
    z = np.maximum(points_C[:, 2], 0.05)
    u = points_C[:, 0] / z * K[0, 0] + K[0, 2]
    v = points_C[:, 1] / z * K[1, 1] + K[1, 2]
    h, w = depth.shape
    inside = (points_C[:, 2] > 0.1) & (u >= 0) & (u < w) & (v >= 0) & (v < h)
    row = np.clip(v.astype(int), 0, h - 1)
    column = np.clip(u.astype(int), 0, w - 1)
    clear = depth[row, column] > z - 1.5 * thickness - 0.005
    return float(np.mean(inside & clear))


def _nominal_quat() -> Array:
    """Orientation of the head camera in the torso, MuJoCo's axes, wxyz."""
    s, c = np.sin(HEAD.pitch), np.cos(HEAD.pitch)
    x, y = np.array([0, -1.0, 0]), np.array([s, 0, c])
    quat = np.zeros(4)
    mujoco.mju_mat2Quat(quat, np.stack([x, y, np.cross(x, y)], 1).flatten())
    return quat
