"""Random scenes: the same seed always draws the same one.

A room has a free disc in its middle; furniture stands around it and faces it, so
that any straight walk between two places in front of furniture is free.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from .catalog import (
    COLOURS,
    HALF_SIZE,
    HELD_OUT_PAIRS,
    LANDMARKS,
    TABLE_RECEPTACLES,
    all_pairs,
    training_pairs,
)
from .config import Kind, SceneConfig, ThingConfig

Pairs = Literal["train", "all", "unseen"]
FREE_RADIUS = 1.25  # [m] of the free disc in the middle of the room


def random_scene(seed: int, *, pairs: Pairs = "train") -> SceneConfig:
    """Draw a scene; the same seed and pairs give the same scene."""
    return _SceneDraw(seed, pairs).draw()


class _SceneDraw:
    def __init__(self, seed: int, pairs: Pairs) -> None:
        self.seed, self.pairs = seed, pairs
        self.r = np.random.default_rng((seed, 20261122))
        self.things: list[ThingConfig] = []

    def draw(self) -> SceneConfig:
        r = self.r
        self._furniture()
        self._objects()
        start = r.uniform(0, 0.6) * np.exp(1j * r.uniform(-np.pi, np.pi))
        lights = (self._light(), self._light())
        error = np.concatenate(
            [r.normal(0, 0.001, 3), r.normal(0, np.deg2rad(0.12), 3)]
        )
        return SceneConfig(
            seed=self.seed,
            things=tuple(self.things),
            robot_start=(
                float(start.real),
                float(start.imag),
                float(r.uniform(-np.pi, np.pi)),
            ),
            room_half=float(r.uniform(3.2, 4.2)),
            floor_rgb=self._tint(r.uniform(0.2, 0.85), 0.2),
            floor_texture=int(r.integers(0, 6)),
            wall_rgb=self._tint(r.uniform(0.35, 0.95), 0.1),
            ambient=float(r.uniform(0.18, 0.42)),
            lights=lights,
            camera_error=tuple(float(v) for v in error),
        )

    def _light(self) -> tuple[float, float, float, float]:
        x, y, z = (float(v) for v in self.r.normal(size=3))
        return (x, y, -abs(z) - 0.8, float(self.r.uniform(0.1, 0.5)))

    def _tint(self, value: float, width: float) -> tuple[float, float, float]:
        c = np.clip(value * (1 + self.r.uniform(-width, width, 3)), 0.02, 1)
        return (float(c[0]), float(c[1]), float(c[2]))

    def _furniture(self) -> None:
        r = self.r
        n_tables = int(r.choice([2, 3], p=[0.6, 0.4]))
        n_marks = int(r.integers(2, 5 if n_tables == 2 else 4))
        marks = [str(m) for m in r.permutation(LANDMARKS)[:n_marks]]
        items: list[tuple[str, float]] = [
            ("table", float(r.uniform(0.42, 0.62))) for _ in range(n_tables)
        ]
        items += [(m, HALF_SIZE[m][1]) for m in marks]
        if r.random() < 0.5:
            items.append(("bin", HALF_SIZE["bin"][1]))
        items = [items[i] for i in r.permutation(len(items))]
        spans = np.array([2 * np.arctan2(w + 0.16, FREE_RADIUS) for _, w in items])
        slack = 2 * np.pi - spans.sum()
        shares = r.dirichlet(np.ones(len(items))) * max(slack, 0.0)
        angle = r.uniform(-np.pi, np.pi)
        heights = self._table_heights(n_tables)
        for (name, width), span, share in zip(items, spans, shares, strict=True):
            angle += float(span) / 2
            self._stand(name, width, float(angle), heights)
            angle += float(span) / 2 + float(share)

    def _table_heights(self, n: int) -> list[float]:
        """Heights at least 4 cm apart, so that low and high mean something."""
        while True:
            h = self.r.uniform(0.72, 0.84, n)
            if np.min(np.diff(np.sort(h))) >= 0.04:
                return [float(v) for v in h]

    def _stand(
        self, name: str, width: float, angle: float, heights: list[float]
    ) -> None:
        r = self.r
        n_same = sum(t.shape == name for t in self.things)
        if name == "table":
            half = (float(r.uniform(0.22, 0.32)), width, heights.pop() / 2)
        else:
            h = np.array(HALF_SIZE[name]) * r.uniform(0.92, 1.08)
            half = (float(h[0]), float(h[1]), float(h[2]))
        extra = 0.35 if name == "door" else float(r.uniform(0.0, 0.25))
        distance = FREE_RADIUS + half[0] + extra
        if name == "bin":
            distance = FREE_RADIUS + half[0] + 0.05
        colour, rgb = "", self._tint(r.uniform(0.25, 0.85), 0.25)
        if name == "bin":
            colour, rgb = self._colour(list(COLOURS)[int(r.integers(len(COLOURS)))])
        self.things.append(
            ThingConfig(
                name=f"{colour} {name}".strip()
                if name != "table"
                else f"table {n_same + 1}",
                kind="table"
                if name == "table"
                else ("receptacle" if name == "bin" else "landmark"),
                shape=name,
                colour=colour,
                position=(
                    float(distance * np.cos(angle)),
                    float(distance * np.sin(angle)),
                    0.0,
                ),
                yaw=float(angle + r.uniform(-0.12, 0.12)),
                half_size=half,
                mass=3.0,
                rgb=rgb,
                texture=int(r.integers(-1, 6)),
            )
        )

    def _colour(self, name: str) -> tuple[str, tuple[float, float, float]]:
        r = self.r
        c = np.clip(
            np.array(COLOURS[name]) * r.uniform(0.8, 1.18) + r.uniform(-0.04, 0.04, 3),
            0.01,
            1,
        )
        return name, (float(c[0]), float(c[1]), float(c[2]))

    def _pairs(self, n: int) -> list[tuple[str, str]]:
        r = self.r
        pool = list(training_pairs() if self.pairs == "train" else all_pairs())
        drawn = [pool[i] for i in r.permutation(len(pool))]
        first = drawn[0]
        if self.pairs == "unseen":
            held = sorted(HELD_OUT_PAIRS)
            first = held[int(r.integers(len(held)))]
        rest = [p for p in drawn if p != first]
        if r.random() < 0.6:  # rivals: the same colour and the same shape
            same_colour = [p for p in rest if p[0] == first[0]]
            same_shape = [p for p in rest if p[1] == first[1]]
            rest = same_colour[:1] + same_shape[:1] + rest
        return list(dict.fromkeys([first, *rest]))[:n]

    def _objects(self) -> None:
        r = self.r
        tables = [t for t in self.things if t.shape == "table"]
        wanted: list[tuple[str, str, Kind]] = [
            (colour, shape, "object")
            for colour, shape in self._pairs(int(r.integers(4, 8)))
        ]
        taken = {(t.colour, t.shape) for t in self.things}
        for _ in range(int(r.integers(1, 4))):
            colour = list(COLOURS)[int(r.integers(len(COLOURS)))]
            shape = TABLE_RECEPTACLES[int(r.integers(len(TABLE_RECEPTACLES)))]
            if (colour, shape) not in taken:
                taken.add((colour, shape))
                wanted.insert(1, (colour, shape, "receptacle"))
        for colour, shape, kind in wanted:
            self._place(colour, shape, kind, tables)

    def _place(
        self, colour: str, shape: str, kind: Kind, tables: list[ThingConfig]
    ) -> None:
        r = self.r
        half = np.array(HALF_SIZE[shape]) * r.uniform(0.9, 1.1)
        if shape in ("cylinder", "box"):
            half[2] *= r.uniform(0.85, 1.1)
        for _ in range(60):
            table = tables[int(r.integers(len(tables)))]
            # a band along the front edge that an arm reaches [m]
            depth = r.uniform(0.075, 0.15) + (half[0] if kind == "receptacle" else 0.0)
            side = r.uniform(-1, 1) * (table.half_size[1] - 0.06 - half[1])
            local = np.array([-table.half_size[0] + depth, side])
            c, s = np.cos(table.yaw), np.sin(table.yaw)
            p = np.array(table.position[:2]) + np.array([[c, -s], [s, c]]) @ local
            gap = 0.105 if kind == "object" else 0.09
            if all(
                np.hypot(*(p - t.position[:2])) > gap + half[1] * 0.5 + t.half_size[1]
                for t in self.things
                if t.support
            ):
                name, rgb = self._colour(colour)
                self.things.append(
                    ThingConfig(
                        name=f"{name} {shape}",
                        kind=kind,
                        shape=shape,
                        colour=name,
                        position=(float(p[0]), float(p[1]), 2 * table.half_size[2]),
                        yaw=float(
                            r.uniform(-np.pi, np.pi)
                            if kind == "object"
                            else table.yaw + r.uniform(-0.2, 0.2)
                        ),
                        half_size=(float(half[0]), float(half[1]), float(half[2])),
                        mass=float(
                            r.uniform(0.06, 0.2)
                            if kind == "object"
                            else r.uniform(0.3, 0.5)
                        ),
                        friction=float(r.uniform(0.8, 1.2)),
                        rgb=rgb,
                        support=table.name,
                    )
                )
                return
