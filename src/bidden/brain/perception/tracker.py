"""Remembers where named things are: sightings in, one steady point per role out.

Points live in the odometry frame, so that turning away from a thing does not lose
it. A sighting near the point is averaged in; one far from it is an outlier until it
has been seen there several times in a row; a point that should be in view but is
not found for long is forgotten; a held thing is where the hand is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bidden.core.frames import from_planar, to_planar
from bidden.core.messages import Array, Grounding, Image

from .pipeline import Look


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerConfig:
    """When to believe, doubt and forget; all values tuned in simulation."""

    confidence: float = 0.5  # a sighting below this is no sighting
    gate: float = 3.0  # standard deviations within which a sighting is the same place
    slack_m: float = 0.03  # added to the gate
    meeting: float = 0.8  # confidence that a sighting of a new thing needs
    meetings: int = 2  # such sightings in a row, in one place, until it is believed
    confirmations: int = 3  # consistent outliers that move the point
    patience: int = 25  # looks in vain, though in view, until the point is forgotten
    drift: float = 0.02  # [m] of odometry error per metre walked
    turn_drift: float = 0.01  # [rad] of odometry error per radian turned
    restless_m: float = 0.002  # random walk per update: things get pushed
    hand_m: float = 0.008  # how well the hand knows where the held thing is
    occlusion_m: float = 0.06  # something this much nearer hides the point

    def __post_init__(self) -> None:
        positive = (self.gate, self.confirmations, self.patience, self.hand_m)
        if not all(0 < v < 1e3 for v in positive):
            raise ValueError("gate, confirmations, patience and hand_m must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """Where one named thing is believed to be."""

    role: str
    phrase: str
    p_B: Array  # [m], base frame at the time asked for, (3,)
    spread_m: float  # one standard deviation, radial
    confidence: float  # running mean of what the sightings said
    stamp_ns: int  # of the last sighting or touch
    held: bool


@dataclass(slots=True)
class _Memory:
    phrase: str
    p_O: Array
    variance: float
    confidence: float
    stamp_ns: int
    misses: int = 0
    held: bool = False


@dataclass(slots=True)
class _Doubt:
    """Sightings that agree with each other but not with the point."""

    p_O: Array
    count: int = 1


@dataclass(slots=True)
class Tracker:
    """One point per role. Not thread-safe; call it from the policy's thread."""

    config: TrackerConfig = field(default_factory=TrackerConfig)
    _memory: dict[str, _Memory] = field(default_factory=dict)
    _doubt: dict[str, _Doubt] = field(default_factory=dict)
    _pose: Array | None = None

    def reset(self) -> None:
        """Forget everything."""
        self._memory.clear()
        self._doubt.clear()
        self._pose = None

    def update(
        self,
        look: Look,
        *,
        base_pose: Array,
        image: Image | None = None,
        held: Mapping[str, Array] | None = None,
    ) -> None:
        """Take in one look.

        Args:
            look: what was seen; one without sightings only ages the memory.
            base_pose: odometry x, y [m], yaw [rad] at the time of the image, (3,).
            image: the image itself, to tell "not there" from "hidden".
            held: role -> grip point in B [m] of things in a hand.
        """
        self._age(base_pose)
        held = held or {}
        for role, p_B in held.items():
            self._touch(role, from_planar(p_B, base_pose), look.stamp_ns)
        for memory_role, memory in self._memory.items():
            memory.held = memory_role in held
        for grounding in look.groundings:
            if grounding.role not in held:
                self._see(grounding, base_pose, image)

    def track(self, role: str, base_pose: Array) -> Track | None:
        """Where the thing of this role is, seen from `base_pose`; None if unknown."""
        memory = self._memory.get(role)
        if memory is None:
            return None
        return Track(
            role=role,
            phrase=memory.phrase,
            p_B=to_planar(memory.p_O, base_pose),
            spread_m=float(np.sqrt(memory.variance)),
            confidence=memory.confidence,
            stamp_ns=memory.stamp_ns,
            held=memory.held,
        )

    def _age(self, base_pose: Array) -> None:
        """Odometry drifts with the way gone; things move a little by themselves."""
        c = self.config
        if self._pose is not None:
            way = float(np.hypot(*(base_pose[:2] - self._pose[:2])))
            turn = abs((base_pose[2] - self._pose[2] + np.pi) % (2 * np.pi) - np.pi)
            for memory in self._memory.values():
                arm = float(np.hypot(*(memory.p_O[:2] - base_pose[:2])))
                memory.variance += (c.drift * way) ** 2 + c.restless_m**2
                memory.variance += (c.turn_drift * float(turn) * arm) ** 2
        self._pose = np.array(base_pose, float)

    def _touch(self, role: str, p_O: Array, stamp_ns: int) -> None:
        memory = self._memory.get(role)
        phrase = memory.phrase if memory else ""
        self._memory[role] = _Memory(
            phrase=phrase, p_O=p_O, variance=self.config.hand_m**2,
            confidence=1.0, stamp_ns=stamp_ns,
        )  # fmt: skip
        self._doubt.pop(role, None)

    def _see(self, g: Grounding, base_pose: Array, image: Image | None) -> None:
        memory = self._memory.get(g.role)
        if memory is not None and memory.phrase not in ("", g.phrase):
            self._forget(g.role)  # the role names another thing now
            memory = None
        if not (g.confidence >= self.config.confidence and np.isfinite(g.p_B).all()):
            self._miss(g.role, memory, base_pose, image)
            return
        p_O = from_planar(g.p_B, base_pose)
        spread = max(float(g.spread_m), 1e-3)
        if memory is None:
            if g.confidence >= self.config.meeting:
                self._meet(g, p_O, spread)
            return
        memory.phrase = g.phrase
        away = float(np.linalg.norm(p_O - memory.p_O))
        total = memory.variance + spread**2
        if away <= self.config.gate * np.sqrt(total) + self.config.slack_m:
            gain = memory.variance / total
            memory.p_O = memory.p_O + gain * (p_O - memory.p_O)
            memory.variance *= 1.0 - gain
            memory.confidence += 0.3 * (g.confidence - memory.confidence)
            memory.stamp_ns, memory.misses = g.stamp_ns, 0
            self._doubt.pop(g.role, None)
        else:
            self._doubt_place(g, memory, p_O, spread)

    def _meet(self, g: Grounding, p_O: Array, spread: float) -> None:
        """A thing seen for the first time counts once another look agrees."""
        doubt = self._doubt.get(g.role)
        near = self.config.gate * spread + self.config.slack_m
        agrees = doubt is not None and bool(np.linalg.norm(p_O - doubt.p_O) <= near)
        count = doubt.count + 1 if agrees and doubt is not None else 1
        self._doubt[g.role] = _Doubt(p_O=p_O, count=count)
        if count >= self.config.meetings:
            del self._doubt[g.role]
            self._memory[g.role] = _Memory(
                phrase=g.phrase, p_O=p_O, variance=spread**2,
                confidence=g.confidence, stamp_ns=g.stamp_ns,
            )  # fmt: skip

    def _doubt_place(
        self, g: Grounding, memory: _Memory, p_O: Array, spread: float
    ) -> None:
        """An outlier; the last of several that agree moves the point."""
        doubt = self._doubt.get(g.role)
        near = self.config.gate * spread + self.config.slack_m
        if doubt is None or not np.linalg.norm(p_O - doubt.p_O) <= near:
            self._doubt[g.role] = _Doubt(p_O=p_O)
            return
        doubt.count += 1
        doubt.p_O = 0.5 * (doubt.p_O + p_O)
        if doubt.count >= self.config.confirmations:
            memory.p_O, memory.variance = doubt.p_O, spread**2
            memory.confidence, memory.stamp_ns = g.confidence, g.stamp_ns
            memory.misses = 0
            del self._doubt[g.role]

    def _miss(
        self, role: str, memory: _Memory | None, base_pose: Array, image: Image | None
    ) -> None:
        self._doubt.pop(role, None)
        if memory is None or image is None:
            return
        if is_in_view(to_planar(memory.p_O, base_pose), image, self.config.occlusion_m):
            memory.misses += 1
            memory.confidence *= 0.97
            if memory.misses >= self.config.patience:
                self._forget(role)

    def _forget(self, role: str) -> None:
        self._memory.pop(role, None)
        self._doubt.pop(role, None)


def is_in_view(p_B: Array, image: Image, occlusion_m: float) -> bool:
    """Whether a point of B should be visible in an image: inside it and not hidden."""
    X = image.X_BC
    p_C = X[:3, :3].T @ (p_B - X[:3, 3])
    if not p_C[2] > 0.1:
        return False
    u, v, _ = image.K @ (p_C / p_C[2])
    height, width = image.rgb.shape[:2]
    edge = 0.04 * width
    if not (edge <= u < width - edge and edge <= v < height - edge):
        return False
    if image.depth is None:
        return True
    z = float(image.depth[int(v), int(u)])
    return z <= 0.05 or z > p_C[2] - occlusion_m
