"""Foreseen distances: hand, arm or body, to three kinds of boxes and to people."""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array
from bidden.robot.capsules import HAND_PARTS, BodyCapsules
from bidden.safety.scene import Scene, box_poses

GROUPS: Final = ("hand", "arm", "body")
KINDS: Final = ("slab", "low", "tall")  # table tops, what hands reach over, the rest
FAR: Final = 1.0  # [m] farther is as good as not there
SLAB_BOTTOM: Final = 0.5  # [m] boxes that begin above it are table tops
LOW_TOP: Final = 0.65  # [m] boxes that end below it are low
_REACH: Final = 1.6  # [m] 0.8 m/s for a second, and an arm
_TINY: Final = 1e-9


class ForeseenGaps:
    """Least distances over the predicted second; holds constants only."""

    def __init__(self, body: BodyCapsules) -> None:
        hands = [any(part in name for part in HAND_PARTS) for name in body.names]
        arms = np.isin(np.arange(len(body.names)), body.arms)
        group = np.where(hands, 0, np.where(arms, 1, 2))
        self._groups = [np.flatnonzero(group == g) for g in range(len(GROUPS))]
        self._radius = body.radius[None, :, None]

    def to_boxes(self, points: Array, scene: Scene) -> Array:
        """Distance at each look of each group to the nearest box of each kind.

        Args:
            points: on the capsules' axes, base frame of now [m], (K, N, 3, 3).
            scene: surroundings in the base frame of now.

        Returns:
            [m], negative inside, at most `FAR`, (K, 3 groups, 3 kinds).
        """
        gaps = np.full((len(points), len(GROUPS), len(KINDS)), FAR)
        X_OB = box_poses(scene.box_centre, scene.box_yaw)
        beyond = np.maximum(np.abs(X_OB[:, :2, 3]) - scene.box_half[:, :2], 0.0)
        near = np.square(beyond).sum(axis=1) <= _REACH * _REACH
        if not near.any():
            return gaps
        kinds = _kinds_of(scene)
        flat = points.reshape(-1, 3)
        for m in np.flatnonzero(near):
            q = np.abs(flat @ X_OB[m, :3, :3].T + X_OB[m, :3, 3]) - scene.box_half[m]
            out = np.maximum(q, 0.0)
            inside = np.minimum(q.max(axis=1), 0.0)
            d = np.sqrt(np.einsum("ni,ni->n", out, out)) + inside
            d = d.reshape(points.shape[:3]) - self._radius
            for g, rows in enumerate(self._groups):
                least = d[:, rows].min(axis=(1, 2))
                gaps[:, g, kinds[m]] = np.minimum(gaps[:, g, kinds[m]], least)
        return gaps

    def to_people(self, points: Array, scene: Scene) -> Array:
        """Distance at each look of each group to the nearest person [m], (K, 3)."""
        gaps = np.full((len(points), len(GROUPS)), FAR)
        for ends, radius in zip(scene.person_ends, scene.person_radius, strict=True):
            a, along = ends[:, 0], ends[:, 1] - ends[:, 0]
            u = ((points - a) @ along) / max(float(along @ along), _TINY)
            away = points - (a + np.clip(u, 0.0, 1.0)[..., None] * along)
            d = np.sqrt(np.einsum("...i,...i", away, away)) - radius - self._radius
            for g, rows in enumerate(self._groups):
                least = d[:, rows].min(axis=(1, 2))
                gaps[:, g] = np.minimum(gaps[:, g], least)
        return gaps


def _kinds_of(scene: Scene) -> list[int]:
    middle, half = scene.box_centre[:, 2], scene.box_half[:, 2]
    is_slab, is_low = middle - half >= SLAB_BOTTOM, middle + half <= LOW_TOP
    kinds: list[int] = np.where(is_slab, 0, np.where(is_low, 1, 2)).tolist()
    return kinds
