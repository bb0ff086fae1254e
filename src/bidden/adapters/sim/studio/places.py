"""New places for things, robot and hands inside a compiled scene."""

from __future__ import annotations

import mujoco
import numpy as np

from bidden.adapters.sim.scene import ThingConfig
from bidden.adapters.sim.world import World
from bidden.core.messages import Array
from bidden.robot.g1 import ARM, DEFAULT_Q, PELVIS_HEIGHT, READY_ARMS

from .looks import Cast, Look
from .postures import MIRROR, Postures


class Places:
    """Moves what is free; things may stand anywhere on a table, not only in reach."""

    def __init__(self, world: World, r: np.random.Generator) -> None:
        self._w, self._r = world, r
        self._cast = Cast.of(world.scene)
        self._postures = Postures(world)
        self._near: list[Array] = []  # places on the table stood at, in W

    def lay(self, looks: dict[str, Look], *, mostly_on: ThingConfig | None) -> None:
        """Spread the free things over the tables."""
        r = self._r
        taken: list[tuple[Array, float]] = []
        self._near = []
        for k in r.permutation(len(self._cast.free)):
            t = self._cast.free[int(k)]
            radius = float(np.max(looks[t.name].half[:2]))
            here = mostly_on if r.random() < 0.7 else None
            for _ in range(30):
                on = here or self._cast.tables[int(r.integers(len(self._cast.tables)))]
                p = self._spot(on, radius, is_dish=t.kind == "receptacle")
                gap = radius + r.uniform(0.03, 0.06)
                if all(np.hypot(*(p - q)) > gap + s for q, s in taken):
                    taken.append((p, radius))
                    if on is mostly_on:
                        self._near.append(p)
                    top = 2 * on.half_size[2]
                    self._move(t, np.array([*p, top]), r.uniform(-np.pi, np.pi))
                    break
            else:
                self._move(t, np.array([0, 0, -5.0]), 0.0)

    def _spot(self, on: ThingConfig, radius: float, *, is_dish: bool) -> Array:
        """A place on a table, mostly near its front edge, (2,)."""
        r = self._r
        room = np.array(on.half_size[:2]) - 0.03 - min(radius, 0.1)
        front = r.uniform(0.06, 0.26) + (radius if is_dish else 0.0)
        local = np.array([front - on.half_size[0], r.uniform(-1, 1) * room[1]])
        if r.random() < 0.15:
            local = r.uniform(-1, 1, 2) * room
        return np.asarray(turn(on.yaw) @ np.clip(local, -room, room) + on.position[:2])

    def _move(self, t: ThingConfig, p_W: Array, yaw: float) -> None:
        adr = int(self._w.model.joint(t.name).qposadr[0])
        self._w.data.qpos[adr : adr + 7] = [
            *p_W, np.cos(yaw / 2), 0, 0, np.sin(yaw / 2),
        ]  # fmt: skip

    def stand_at(self, table: ThingConfig) -> None:
        """Put the robot in front of a table, mostly in front of something on it."""
        r = self._r
        edge = r.uniform(0.10, 0.32)
        side = r.uniform(-1, 1) * table.half_size[1]
        if self._near and r.random() < 0.8:
            p_W = self._near[int(r.integers(len(self._near)))]
            local = turn(-table.yaw) @ (p_W - np.array(table.position[:2]))
            side = float(local[1]) + r.normal(0, 0.15)
        local = np.array([-table.half_size[0] - edge, side])
        p = turn(table.yaw) @ local + np.array(table.position[:2])
        self._stand(p, table.yaw + r.normal(0, 0.2))

    def stand_anywhere(self) -> None:
        """Put the robot on the free floor, mostly turned to something."""
        r = self._r
        p = r.uniform(0, 1.0) * turn(r.uniform(-np.pi, np.pi)) @ np.array([1.0, 0.0])
        yaw = r.uniform(-np.pi, np.pi)
        if r.random() < 0.75:
            c = self._cast
            things = (*c.tables, *c.tables, *c.tables, *c.landmarks, *c.bins)
            aim = things[int(r.integers(len(things)))].position
            yaw = np.arctan2(aim[1] - p[1], aim[0] - p[0]) + r.normal(0, 0.35)
        self._stand(p, yaw)

    def _stand(self, p: Array, yaw: float) -> None:
        """Standing or in the middle of a step: nothing is quite upright."""
        r, w = self._r, self._w
        q = DEFAULT_Q.copy()
        q[:12] += r.normal(0, 0.05, 12)
        q[12:15] += r.normal(0, [0.06, 0.03, 0.04])
        q[15:] = READY_ARMS + r.normal(0, 0.06, 14)
        w.data.qpos[w.q_adr] = q
        lean, heading, quat = np.zeros(4), np.zeros(4), np.zeros(4)
        roll, pitch = r.normal(0, np.deg2rad(1.5), 2)
        mujoco.mju_euler2Quat(lean, np.array([roll, pitch, 0.0]), "xyz")
        mujoco.mju_axisAngle2Quat(heading, np.array([0, 0, 1.0]), float(yaw))
        mujoco.mju_mulQuat(quat, heading, lean)
        height = PELVIS_HEIGHT - 0.005 + r.normal(0, 0.01)
        w.data.qpos[w.base_q : w.base_q + 7] = [*p, height, *quat]
        w.data.qpos[w.finger_q] = r.uniform(0, 0.045)
        mujoco.mj_kinematics(w.model, w.data)

    def pose_arms(self, *, near: bool) -> tuple[str, int] | None:
        """Draw a posture for each arm; which object is in which hand, if any."""
        r, w = self._r, self._w
        held: tuple[str, int] | None = None
        aims = [w.data.xpos[w.model.body(t.name).id] for t in self._cast.free]
        for hand in (0, 1):
            u = r.random()
            if u < (0.35 if near else 0.6):
                continue
            if near and u < 0.8 and aims:
                aim = aims[int(r.integers(len(aims)))].copy()
                aim += [*r.normal(0, 0.04, 2), r.uniform(0.0, 0.16)]
                q = self._postures.towards(w, aim, hand=hand)
            else:
                q = self._postures.raised(r)
            sign = 1.0 if hand == 0 else MIRROR
            w.data.qpos[w.q_adr[ARM[hand]]] = q * sign + r.normal(0, 0.03, 7)
            if held is None and self._cast.objects and r.random() < 0.3:
                objects = self._cast.objects
                held = (objects[int(r.integers(len(objects)))].name, hand)
        mujoco.mj_kinematics(w.model, w.data)
        return held

    def put_in_hand(self, name: str, hand: int, *, half: Array) -> None:
        """Put an object between the fingers of a hand."""
        w, r = self._w, self._r
        R = w.data.site_xmat[w.site[hand]].reshape(3, 3)
        quat = np.zeros(4)
        yaw = np.arctan2(R[1, 0], R[0, 0]) + r.normal(0, 0.1)
        mujoco.mju_axisAngle2Quat(quat, np.array([0, 0, 1.0]), float(yaw))
        if r.random() < 0.3:  # it turned with the hand, and slipped
            slip = np.zeros(4)
            mujoco.mju_mat2Quat(quat, R.flatten())
            angle = float(r.normal(0, 0.4))
            mujoco.mju_axisAngle2Quat(slip, np.array([0, 1.0, 0]), angle)
            mujoco.mju_mulQuat(quat, quat.copy(), slip)
        axes = np.zeros(9)
        mujoco.mju_quat2Mat(axes, quat)
        centre = w.data.site_xpos[w.site[hand]] + r.normal(0, 0.006, 3)
        adr = int(w.model.joint(name).qposadr[0])
        w.data.qpos[adr : adr + 3] = centre - axes.reshape(3, 3)[:, 2] * half[2]
        w.data.qpos[adr + 3 : adr + 7] = quat
        w.data.qpos[w.finger_q[2 * hand : 2 * hand + 2]] = min(float(half[1]), 0.045)
        mujoco.mj_kinematics(w.model, w.data)


def turn(yaw: float) -> Array:
    """Rotation in the plane, (2, 2)."""
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s], [s, c]])
