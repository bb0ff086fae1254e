"""New light, colours, shapes and sizes inside a compiled scene."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from bidden.adapters.sim.scene import SceneConfig, ThingConfig
from bidden.adapters.sim.scene.catalog import COLOURS, HALF_SIZE, training_pairs
from bidden.adapters.sim.world import World
from bidden.core.messages import Array

_G = mujoco.mjtGeom
_GEOM = {
    "cube": _G.mjGEOM_BOX,
    "box": _G.mjGEOM_BOX,
    "ball": _G.mjGEOM_SPHERE,
    "cylinder": _G.mjGEOM_CYLINDER,
}
RIVALS = 0.6  # share of pictures in which things share a colour and a shape
TWINS = 0.08  # share of pictures in which two things are called the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """The things of a scene by what may be done with them."""

    tables: tuple[ThingConfig, ...]
    objects: tuple[ThingConfig, ...]  # free, may become any shape and colour
    dishes: tuple[ThingConfig, ...]  # free receptacles
    bins: tuple[ThingConfig, ...]
    landmarks: tuple[ThingConfig, ...]

    @staticmethod
    def of(scene: SceneConfig) -> Cast:
        """Sort the things of a scene."""
        things = scene.things
        receptacles = [t for t in things if t.kind == "receptacle"]
        return Cast(
            tables=tuple(t for t in things if t.kind == "table"),
            objects=tuple(t for t in things if t.kind == "object"),
            dishes=tuple(t for t in receptacles if t.support),
            bins=tuple(t for t in receptacles if not t.support),
            landmarks=tuple(t for t in things if t.kind == "landmark"),
        )

    @property
    def free(self) -> tuple[ThingConfig, ...]:
        """What can be moved."""
        return (*self.dishes, *self.objects)

    @property
    def all(self) -> tuple[ThingConfig, ...]:
        """Everything, in the order of labels."""
        return (*self.free, *self.bins, *self.landmarks, *self.tables)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """What one thing is in the present picture."""

    shape: str
    colour: str  # "" for landmarks and tables
    half: Array  # half size [m], (3,)


class Wardrobe:
    """Changes how a compiled scene looks; never a held-out pair."""

    def __init__(self, world: World, r: np.random.Generator) -> None:
        self._m, self._r = world.model, r
        self._cast = Cast.of(world.scene)
        self._rgba = self._m.geom_rgba.copy()
        for t in self._cast.objects:  # or else a new geom_pos would be ignored
            self._m.geom_sameframe[self._m.geom(t.name).id] = 0

    def change(self) -> dict[str, Look]:
        """Everything anew; what each thing has become, by name."""
        self._light()
        self._paint_room()
        looks = {t.name: self._as_built(t) for t in self._cast.all}
        for t, (colour, shape) in zip(self._cast.objects, self._pairs(), strict=True):
            looks[t.name] = self._reshape(t, shape, colour)
        for t in (*self._cast.dishes, *self._cast.bins):
            colour = list(COLOURS)[int(self._r.integers(len(COLOURS)))]
            rgb = self._shade(colour)
            for g in self._geoms(t):
                self._m.geom_rgba[g, :3] = rgb
            looks[t.name] = Look(
                shape=t.shape, colour=colour, half=np.array(t.half_size)
            )
        return looks

    @staticmethod
    def _as_built(t: ThingConfig) -> Look:
        return Look(shape=t.shape, colour=t.colour, half=np.array(t.half_size))

    def _light(self) -> None:
        m, r = self._m, self._r
        m.vis.headlight.ambient[:] = r.uniform(0.15, 0.45)
        m.vis.headlight.diffuse[:] = r.uniform(0.1, 0.4)
        for i in range(m.nlight):
            v = r.normal(size=3)
            v[2] = -abs(v[2]) - 0.7
            m.light_dir[i] = v / np.linalg.norm(v)
            m.light_diffuse[i] = r.uniform(0.05, 0.5) * (1 + r.uniform(-0.1, 0.1, 3))

    def _paint_room(self) -> None:
        m, r = self._m, self._r
        floor = r.uniform(0.2, 0.9) * (1 + r.uniform(-0.2, 0.2, 3))
        m.mat_rgba[m.material("floor").id, :3] = np.clip(floor, 0.02, 1)
        wall = np.clip(r.uniform(0.3, 0.95) + r.uniform(-0.1, 0.1, 3), 0, 1)
        for k in range(4):
            m.geom_rgba[m.geom(f"wall{k}").id, :3] = wall
        for t in self._cast.tables:
            warmth = r.uniform(-0.3, 0.3) * np.array([1, 0.2, -0.9])
            rgb = r.uniform(0.2, 0.9) * (1 + warmth)
            if r.random() < 0.15:
                rgb = r.uniform(0.2, 0.9, 3)
            m.mat_rgba[m.material(t.name).id, :3] = np.clip(rgb, 0.02, 1)
        for t in self._cast.landmarks:
            tint = r.uniform(0.8, 1.2) * (1 + r.uniform(-0.12, 0.12, 3))
            for g in self._geoms(t):
                m.geom_rgba[g, :3] = np.clip(self._rgba[g, :3] * tint, 0, 1)

    def _pairs(self) -> list[tuple[str, str]]:
        """A colour and a shape for each object."""
        r, pool = self._r, training_pairs()
        drawn = [pool[i] for i in r.permutation(len(pool))]
        first = drawn[0]
        if r.random() < RIVALS:
            rivals = [p for p in drawn[1:] if p[0] == first[0]][:2]
            rivals += [p for p in drawn[1:] if p[1] == first[1]][:2]
            drawn = list(dict.fromkeys([first, *rivals, *drawn]))
        drawn = drawn[: len(self._cast.objects)]
        if drawn and r.random() < TWINS:
            drawn[-1] = first
        return drawn

    def _reshape(self, t: ThingConfig, shape: str, colour: str) -> Look:
        m, r = self._m, self._r
        half = np.array(HALF_SIZE[shape]) * r.uniform(0.88, 1.12)
        if shape in ("cylinder", "box"):
            half[2] *= r.uniform(0.83, 1.12)
        g = m.geom(t.name).id
        m.geom_type[g] = _GEOM[shape]
        m.geom_size[g] = half if shape != "cylinder" else [half[0], half[2], 0]
        m.geom_pos[g] = [0, 0, half[2]]
        m.geom_rbound[g] = float(np.linalg.norm(half))
        m.geom_rgba[g, :3] = self._shade(colour)
        return Look(shape=shape, colour=colour, half=half)

    def _shade(self, colour: str) -> Array:
        r = self._r
        c = np.array(COLOURS[colour]) * r.uniform(0.76, 1.2) + r.uniform(-0.05, 0.05, 3)
        return np.asarray(np.clip(c, 0.01, 1))

    def _geoms(self, t: ThingConfig) -> range:
        body = self._m.body(t.name)
        start = int(body.geomadr[0])
        return range(start, start + int(body.geomnum[0]))
