"""What the robot must not walk or reach into: depth images in, a `safety.Scene` out.

Two layers of cells in the odometry frame remember for some seconds what was seen:
level surfaces at table height, and all that stands up from the floor. Tables become
thin boxes under their surface, so that what lies on them may be touched; the rest
becomes few upright boxes. A cell that is seen through is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.frames import from_planar, to_planar
from bidden.core.messages import Array, Grounding, Image, RobotState
from bidden.safety import Scene
from bidden.safety.scene import BOXES_MAX

from .boxes import Rectangle, fit_rectangles
from .cloud import STRIDE, Cloud, DepthReader, Mask

CELLS: Final = 128  # along each side of the memory; it wraps around
TABLES_MAX: Final = 8
EMPTY: Final = np.int64(-(2**63))  # stamp of a cell in which nothing was hit
_SCORE_MAX: Final = 6.0  # looks in vain that a cell survives, times two
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class SurroundingsConfig:
    """What counts as what; all values tuned in simulation, see `docs/safety.md`."""

    cell_m: float = 0.04
    reach_m: float = 2.0  # full speed 0.8 m/s, for 1 s of an old scene, and braking
    memory_s: float = 10.0
    floor_m: float = 0.15  # lower things are the floor, or do not stop a foot
    head_m: float = 1.4  # higher things are over the robot
    body_m: float = 0.13  # nothing else can be this near to the base's axis
    table_m: tuple[float, float] = (0.6, 1.1)  # tops where hands work; lower is solid
    table_least_m2: float = 0.05  # seen of a top before it counts; things are smaller
    table_thick_m: float = 0.04
    table_drop_m: float = 0.010  # under the measured top: error of depth and pose
    table_inset_m: float = 0.07  # the belly stands, and wrists pass, close to edges
    thing_m: float = 0.25  # height over a table up to which it carries it
    table_margin_m: float = 0.06  # around a top: its edge and legs, seen from aside
    low_m: float = 0.62  # a hand may be over what is lower
    low_inset_m: float = 0.02  # the thighs stand close to a bin to put into it
    tall_pad_m: float = 0.12  # around the rest: hands are ahead of the body
    person_radius_m: float = 0.20
    person_limbs_m: float = 0.12  # beside it; the arms' clearance to people covers them
    person_span_m: tuple[float, float] = (0.2, 1.55)  # ends of the axis
    person_confidence: float = 0.6

    def __post_init__(self) -> None:
        if not (self.cell_m > 0 and 2 * self.reach_m < (CELLS - 8) * self.cell_m):
            raise ValueError("reach_m must fit into the memory of CELLS cells")


class Surroundings:
    """Remembers what stands around the robot. Not thread-safe."""

    def __init__(self, config: SurroundingsConfig | None = None) -> None:
        self.config = config or SurroundingsConfig()
        self._reader = DepthReader()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._tops, self._solids = _Layer(), _Layer()
        self._person: tuple[Array, int] | None = None  # point in O, stamp
        self._scene: Scene | None = None

    def update(
        self, image: Image, state: RobotState, *, person: Grounding | None = None
    ) -> Scene:
        """The surroundings after one more image of the head camera.

        Args:
            image: with depth. From one that cannot be used nothing new is learned:
                the scene of before stays, with its older stamp, and the shield
                judges its age; if there was none, an empty one is given.
            state: the robot at the time of the image.
            person: where a person is believed to be, in B now; others are ignored.
        """
        pose = state.base_pose
        is_sound = np.shape(pose) == (3,) and bool((np.abs(pose) < 1e4).all())
        cloud = self._reader.read(image, state) if is_sound else None
        if cloud is None:
            return self._scene or Scene(stamp_ns=image.stamp_ns)
        now = image.stamp_ns
        for layer in (self._tops, self._solids):
            layer.forget(now - int(self.config.memory_s * 1e9))
        self._take_in(cloud, pose, now)
        for layer in (self._tops, self._solids):
            rows = layer.rows()
            rows = rows[layer.stamp[rows] < now]
            layer.doubt(rows[_is_seen_through(layer.points(rows), cloud, image, pose)])
        self._follow(person, cloud, image, pose)
        self._scene = self._build(pose, now)
        return self._scene

    def _take_in(self, cloud: Cloud, pose: Array, now: int) -> None:
        c = self.config
        z = cloud.p_B[..., 2]
        away = np.square(cloud.p_B[..., :2]).sum(axis=-1)
        near = (away < (c.reach_m + 0.2) ** 2) & (away > c.body_m**2)
        solid = near & cloud.solid & (z > c.floor_m) & (z < c.head_m)
        top = near & cloud.level & (z > c.table_m[0]) & (z < c.table_m[1])
        for layer, mask in ((self._solids, solid), (self._tops, top)):
            p = cloud.p_B[mask].astype(float)
            p[:, :2] = _turned(p[:, :2], pose[2]) + pose[:2]
            layer.add(p, self._cells(p), now)
        for layer in (self._tops, self._solids):  # where the robot is, or far away
            rows = layer.rows()
            xy = layer.mean[rows, :2] - pose[:2]
            far = np.abs(xy).max(axis=1) > (CELLS / 2 - 2) * c.cell_m
            own = np.square(xy).sum(axis=1) < c.body_m**2
            layer.stamp[rows[far | own]] = EMPTY

    def _cells(self, p: Array) -> Rows:
        """Index of each point's cell in the memory."""
        cell = np.floor(p[:, :2] / self.config.cell_m).astype(np.intp) % CELLS
        index: Rows = cell[:, 0] * CELLS + cell[:, 1]
        return index

    def _follow(
        self, person: Grounding | None, cloud: Cloud, image: Image, pose: Array
    ) -> None:
        """Remember where a person is; forget one that is seen through."""
        c, now = self.config, image.stamp_ns
        if (
            person is not None
            and person.phrase.endswith("person")
            and person.confidence >= c.person_confidence
            and np.shape(person.p_B) == (3,)
            and bool((np.abs(person.p_B) < 1e3).all())
        ):
            self._person = (from_planar(person.p_B, pose), now)
        elif self._person is not None:
            point, seen = self._person
            gone = _is_seen_through(point[None], cloud, image, pose, slack=0.4)[0]
            if gone or not now - seen <= c.memory_s * 1e9:
                self._person = None

    # -- boxes -------------------------------------------------------------------
    def _build(self, pose: Array, now: int) -> Scene:
        c = self.config
        tables = self._find_tables()
        solids = self._find_solids(tables, pose, BOXES_MAX - len(tables))
        spans = [
            (top - c.table_drop_m - c.table_thick_m, top - c.table_drop_m)
            for _, top in tables
        ] + [(low, high) for _, low, high in solids]
        outlines = [one for one, _ in tables] + [one for one, _, _ in solids]
        centre, half = np.zeros((2, len(spans), 3))
        yaw = np.zeros(len(spans))
        for k, (one, (low, high)) in enumerate(zip(outlines, spans, strict=True)):
            grow = c.tall_pad_m if high > c.low_m else -c.low_inset_m
            grow = -c.table_inset_m if k < len(tables) else grow
            half[k, :2] = np.maximum(one.half + grow, 0.01)
            half[k, 2], centre[k, 2] = 0.5 * (high - low), 0.5 * (high + low)
            centre[k, :2], yaw[k] = one.centre - pose[:2], one.yaw - pose[2]
        centre[:, :2] = _turned(centre[:, :2], -pose[2])
        scene = Scene(
            stamp_ns=now,
            base_pose=np.array(pose, float),
            box_centre=centre,
            box_half=half,
            box_yaw=yaw,
        )
        if self._person is None:
            return scene
        x, y, _ = to_planar(self._person[0], pose)
        ends = np.array([[[x, x], [y, y], c.person_span_m]])
        return replace(
            scene, person_ends=ends, person_radius=np.array([c.person_radius_m])
        )

    def _find_tables(self) -> list[tuple[Rectangle, float]]:
        """Outline and height of each top that was seen well enough."""
        c, layer = self.config, self._tops
        least = c.table_least_m2 / c.cell_m**2
        rows = layer.rows(least_score=2.0)
        found: list[tuple[Rectangle, float]] = []
        while len(rows) >= least and len(found) < TABLES_MAX:
            z = layer.mean[rows, 2]
            count = np.bincount(((z - c.table_m[0]) / 0.01).astype(np.intp))
            peak = np.argmax(np.convolve(count, (1, 2, 3, 2, 1), "same"))
            height = c.table_m[0] + 0.01 * (float(peak) + 0.5)
            same = np.abs(z - height) < 0.03
            if np.count_nonzero(same) < least:
                break
            for one in fit_rectangles(
                layer.mean[rows[same], :2], 4,
                cell_m=c.cell_m, gap_m=0.15, spare_m2=0.25,
            ):  # fmt: skip
                if len(one.rows) >= least:
                    top = float(np.median(z[same][one.rows]))
                    found.append((one, top))
            rows = rows[~same]
        found.sort(key=lambda f: -len(f[0].rows))
        tops: list[tuple[Rectangle, float]] = []
        for one, top in found[:TABLES_MAX]:
            carried = (
                0.0 < top - under < c.thing_m
                and table.contains(one.centre[None], c.table_margin_m)[0]
                for table, under in tops
            )
            if not any(carried):  # a tray is no table
                tops.append((one, top))
        return tops

    def _find_solids(
        self, tables: list[tuple[Rectangle, float]], pose: Array, most: int
    ) -> list[tuple[Rectangle, float, float]]:
        """Outline, lowest and highest point of what else is there, nearest first."""
        c, layer = self.config, self._solids
        rows = layer.rows(least_score=2.0)
        xy, high = layer.mean[rows, :2], layer.high[rows]
        keep = np.square(xy - pose[:2]).sum(axis=1) < c.reach_m**2
        for table, top in tables:
            keep &= ~((high < top + c.thing_m) & table.contains(xy, c.table_margin_m))
        if self._person is not None:
            away = np.square(xy - self._person[0][:2]).sum(axis=1)
            keep &= away > (c.person_radius_m + c.person_limbs_m) ** 2
        rows = rows[keep]
        is_low = layer.high[rows] < c.low_m
        found = []
        for group in (rows[is_low], rows[~is_low]):
            for one in fit_rectangles(
                layer.mean[group, :2], most // 2,
                cell_m=c.cell_m, gap_m=0.15, spare_m2=0.05,
            ):  # fmt: skip
                inside = group[one.rows]
                low, high_m = layer.low[inside].min(), layer.high[inside].max()
                found.append((one, float(low), float(high_m)))
        found.sort(key=lambda f: float(np.square(f[0].centre - pose[:2]).sum()))
        return found[:most]


class _Layer:
    """Occupied cells of one kind."""

    def __init__(self) -> None:
        n = CELLS * CELLS
        self.stamp = np.full(n, EMPTY)  # of the last hit [ns]
        self.score = np.zeros(n)  # hits, less what looked through
        self.mean = np.zeros((n, 3))  # of the hits, in O [m]
        self.low, self.high = np.zeros(n), np.zeros(n)  # of the hits [m]

    def rows(self, *, least_score: float = 0.0) -> Rows:
        """Indices of the cells that are occupied."""
        rows = np.flatnonzero(self.stamp != EMPTY)
        return rows[self.score[rows] >= least_score] if least_score > 0 else rows

    def points(self, rows: Rows) -> Array:
        """A point in each cell that was hit, in O, (N, 3)."""
        return self.mean[rows]

    def forget(self, before: int) -> None:
        """Empty the cells that were not hit since."""
        self.stamp[self.stamp < before] = EMPTY

    def add(self, p_O: Array, cells: Rows, now: int) -> None:
        """Take in hits (N, 3) with their cells (N,)."""
        if not len(cells):
            return
        order = np.argsort(cells, kind="stable")
        p, cells = p_O[order], cells[order]
        first = np.flatnonzero(np.diff(cells, prepend=-1))
        rows, count = cells[first], np.diff(first, append=len(cells))
        z = p[:, 2]
        mean = np.add.reduceat(p, first) / count[:, None]
        low, high = np.minimum.reduceat(z, first), np.maximum.reduceat(z, first)
        old = self.stamp[rows] != EMPTY
        score = np.where(old, self.score[rows], 0.0)
        gain = count / (count + score)
        self.mean[rows] += np.where(old, gain, 1.0)[:, None] * (mean - self.mean[rows])
        self.low[rows] = np.where(old, np.minimum(self.low[rows], low), low)
        self.high[rows] = np.where(old, np.maximum(self.high[rows], high), high)
        self.score[rows] = np.minimum(score + np.minimum(count, 2), _SCORE_MAX)
        self.stamp[rows] = now

    def doubt(self, rows: Rows) -> None:
        """These cells were seen through."""
        self.score[rows] -= 2.0
        self.stamp[rows[self.score[rows] <= 0.0]] = EMPTY


def _turned(xy: Array, yaw: float) -> Array:
    """Points (N, 2) turned by a yaw."""
    c, s = np.cos(yaw), np.sin(yaw)
    out: Array = xy @ np.array([[c, s], [-s, c]])
    return out


def _is_seen_through(
    p_O: Array, cloud: Cloud, image: Image, pose: Array, *, slack: float = 0.08
) -> Mask:
    """Which points (N, 3) of O the camera looks past, with a slack [m]."""
    p = p_O.copy()
    p[:, :2] = _turned(p[:, :2] - pose[:2], -pose[2])
    p = (p - image.X_BC[:3, 3]) @ image.X_BC[:3, :3]
    z = np.maximum(p[:, 2], 1e-3)
    pixel = p[:, :2] / z[:, None] * image.K[[0, 1], [0, 1]] + image.K[:2, 2]
    height, width = cloud.depth.shape
    u, v = np.floor(np.clip(pixel / STRIDE, -1, 10_000)).astype(np.intp).T
    inside = (p[:, 2] > 0.1) & (u >= 0) & (u < width) & (v >= 0) & (v < height)
    seen = cloud.depth[np.where(inside, v, 0), np.where(inside, u, 0)]
    through: Mask = inside & (seen > z + slack + 0.03 * z)
    return through
