"""Arm postures for training pictures: hands near things, without solving for them."""

from __future__ import annotations

import mujoco
import numpy as np

from bidden.adapters.sim.world import World
from bidden.core.messages import RIGHT, Array
from bidden.robot.g1 import ARM, DEFAULT_Q, READY_ARMS

MIRROR: Array = np.array([1, -1, -1, 1, -1, 1, -1.0])  # right arm angles to left
_N = 2500
_LOW = np.array([-1.6, -1.2, -0.8, -1.0, -1.0, -0.6, -0.6])
_HIGH = np.array([1.0, 0.3, 0.8, 1.2, 1.0, 0.8, 0.6])
_library: list[tuple[Array, Array]] = []  # filled once per process


class Postures:
    """A library of right-arm postures and where they put the grip point."""

    def __init__(self, world: World) -> None:
        if not _library:
            _library.append(_build(world))
        self.q, self.p = _library[0]

    def towards(self, world: World, p_W: Array, *, hand: int) -> Array:
        """Right-arm angles (7,) that bring that hand closest to a point of W."""
        torso = world.model.body("torso_link").id
        R = world.data.xmat[torso].reshape(3, 3)
        target = R.T @ (p_W - world.data.xpos[torso])
        if hand != RIGHT:
            target = target * [1, -1, 1]
        below = np.maximum(target[2] - 0.02 - self.p[:, 2], 0.0)
        cost = np.linalg.norm(self.p - target, axis=1) + below
        return self.q[int(np.argmin(cost))]

    def raised(self, r: np.random.Generator) -> Array:
        """Carrying: near the ready posture."""
        return np.asarray(READY_ARMS[7:] + r.normal(0, 0.15, 7))


def _build(world: World) -> tuple[Array, Array]:
    m, r = world.model, np.random.default_rng(5)
    d = mujoco.MjData(m)
    q = r.uniform(_LOW, _HIGH, (_N, 7))
    torso, site = m.body("torso_link").id, world.site[RIGHT]
    d.qpos[world.q_adr] = DEFAULT_Q
    places, forward = [], []
    for angles in q:
        d.qpos[world.q_adr[ARM[RIGHT]]] = angles
        mujoco.mj_kinematics(m, d)
        R = d.xmat[torso].reshape(3, 3)
        places.append(R.T @ (d.site_xpos[site] - d.xpos[torso]))
        forward.append(R.T @ d.site_xmat[site].reshape(3, 3)[:, 0])
    p, x = np.array(places), np.array(forward)
    good = (x[:, 0] > 0.4) & (x[:, 2] < 0.1) & (p[:, 0] > 0.1)
    return q[good], p[good]
