"""A policy made worse on purpose, in graded strength, through the ports alone.

Weaknesses of the policy sit behind the Policy port, those of the view behind the
Camera port; a watch sees the altered images, and never that something was altered.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.errors import ConfigError, unknown_name
from bidden.core.messages import ActionChunk, Array, Goal, Image, Observation
from bidden.core.ports import Camera, Policy
from bidden.system.watches import weights_of

# One large but possible number for each of ACTION_NAMES, the unit of noise
_UNIT: Final[Array] = np.array(
    [0.3, 0.15, 0.5, 0.02, 0.02, 0.02, 0.05, 0.05, 0.05, 0.3, 0.0, 0.2]
)
POLICY_WEAKNESSES: Final = {
    "noise": "actions with drifting noise",
    "frozen": "repeats an old chunk for a while, again and again",
    "delay": "acts on what was true some time ago",
    "dim": "moves less than it should",
    "blink": "gets no image now and then",
    "biased": "believes its camera to be mounted elsewhere",
    "wrong": "goes for another thing of the same kind now and then",
}
VIEW_WEAKNESSES: Final = {
    "blocked": "something covers a part of the lens",
    "shifted": "the camera was knocked: the picture is moved and turned",
    "dark": "the lamps are off",
    "glare": "the picture is flooded with light",
    "grainy": "the picture is full of noise",
}
WEAKNESSES: Final = {**POLICY_WEAKNESSES, **VIEW_WEAKNESSES}


def check_weakness(name: str, strength: float) -> None:
    """Refuse what does not exist.

    Raises:
        ConfigError: no such weakness, or a strength outside 0..1.
    """
    if name not in WEAKNESSES:
        raise ConfigError(unknown_name("weakness", name, WEAKNESSES))
    if not 0 <= strength <= 1:
        raise ConfigError(f"strength is within 0 and 1, got {strength}")


_COVER: Final = (38, 34, 31)  # colour of what covers the lens


class WeakPolicy:
    """Another policy, weakened."""

    def __init__(
        self, policy: Policy, *, weakness: str, strength: float, seed: int
    ) -> None:
        check_weakness(weakness, strength)
        self._policy, self._weakness, self._strength = policy, weakness, strength
        self._rng = np.random.default_rng((seed, 31))
        self._past: deque[Observation] = deque(maxlen=2 + round(8 * strength))
        self._drift = np.zeros(12)
        self._kept: ActionChunk | None = None
        self._left = 0  # chunks for which something goes on
        self._goal: Goal | None = None
        self._turn = self._rng.normal(size=3)

    @property
    def name(self) -> str:
        """The name that the weakened policy goes by."""
        return self._policy.name

    @property
    def weights(self) -> str:
        """The weights that the weakened policy runs on."""
        return weights_of(self._policy)

    def reset(self, goal: Goal) -> None:
        """Forget the goal before."""
        self._past.clear()
        self._kept, self._left, self._goal = None, 0, None
        self._policy.reset(goal)

    def act(self, observation: Observation) -> ActionChunk:
        """The next chunk, worse than it could be."""
        match self._weakness:
            case "noise":
                return self._noisy(self._policy.act(observation))
            case "frozen":
                return self._frozen(observation)
            case "delay":
                return self._late(observation)
            case "dim":
                return self._dim(self._policy.act(observation))
            case "blink":
                return self._policy.act(self._blink(observation))
            case "biased":
                return self._policy.act(self._biased(observation))
            case "wrong":
                return self._wrong(observation)
            case _:
                return self._policy.act(observation)

    def _noisy(self, chunk: ActionChunk) -> ActionChunk:
        fresh = self._rng.normal(size=12) * _UNIT
        self._drift = 0.7 * self._drift + 0.7 * fresh
        actions = chunk.actions + 1.6 * self._strength * self._drift
        actions[:, 9:12] = np.clip(actions[:, 9:12], 0, 1)
        return replace(chunk, actions=actions)

    def _frozen(self, o: Observation) -> ActionChunk:
        chunk = self._policy.act(o)
        if self._left > 0 and self._kept is not None:
            self._left -= 1
            return replace(
                chunk, actions=self._kept.actions.copy(), spread=self._kept.spread
            )
        if self._rng.random() < 0.12:
            self._kept, self._left = chunk, round(30 * self._strength)
        return chunk

    def _late(self, o: Observation) -> ActionChunk:
        self._past.append(o)
        old = self._past[0]
        chunk = self._policy.act(replace(old, stamp_ns=o.stamp_ns))
        return chunk

    def _dim(self, chunk: ActionChunk) -> ActionChunk:
        actions = chunk.actions.copy()
        actions[:, :9] *= 1 - 0.9 * self._strength
        return replace(chunk, actions=actions)

    def _blink(self, o: Observation) -> Observation:
        if self._left > 0:
            self._left -= 1
        elif self._rng.random() < 0.15:
            self._left = 1 + round(25 * self._strength)
        return replace(o, images={}) if self._left > 0 else o

    def _biased(self, o: Observation) -> Observation:
        """All images seem to come from a camera that stands and looks elsewhere."""
        images = {}
        for name, image in o.images.items():
            X_BC = image.X_BC.copy()
            X_BC[:3, :3] = _turn(0.12 * self._strength * self._turn) @ X_BC[:3, :3]
            X_BC[:2, 3] += 0.05 * self._strength * self._turn[:2]
            images[name] = replace(image, X_BC=X_BC)
        return replace(o, images=images)

    def _wrong(self, o: Observation) -> ActionChunk:
        """Takes another colour for the named one; claims to do what was asked."""
        if self._left > 0:
            self._left -= 1
        elif self._goal is not None:
            self._goal = None
        elif o.goal.phrases and self._rng.random() < 0.08 * (1 + self._strength):
            self._left = round(25 * self._strength)
            phrases = {r: _other(p, self._rng) for r, p in o.goal.phrases.items()}
            self._goal = replace(o.goal, phrases=phrases)
        if self._goal is None:
            return self._policy.act(o)
        chunk = self._policy.act(replace(o, goal=self._goal))
        claimed = tuple(
            replace(g, phrase=o.goal.phrases.get(g.role, g.phrase))
            for g in chunk.groundings
        )
        return replace(chunk, groundings=claimed)


def _other(phrase: str, rng: np.random.Generator) -> str:
    colours = ["red", "green", "blue", "yellow", "purple", "orange"]
    words = phrase.split()
    if len(words) == 1:
        names = [n for n in ("door", "chair", "shelf", "plant") if n != phrase]
        return names[int(rng.integers(len(names)))]
    others = [c for c in colours if c != words[0]]
    return " ".join([others[int(rng.integers(len(others)))], *words[1:]])


def _turn(vector: Array) -> Array:
    """Rotation by a small rotation vector [rad], (3, 3)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-9:
        return np.eye(3)
    x, y, z = vector / angle
    K = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turned: Array = np.eye(3) + np.sin(angle) * K + (1 - np.cos(angle)) * K @ K
    return turned


class WeakCamera:
    """Another camera, with something wrong in front of it."""

    def __init__(
        self, camera: Camera, *, weakness: str, strength: float, seed: int
    ) -> None:
        check_weakness(weakness, strength)
        self._camera, self._weakness, self._strength = camera, weakness, strength
        self._rng = np.random.default_rng((seed, 32))
        self._side = int(self._rng.integers(4))

    @property
    def name(self) -> str:
        """The camera's own name."""
        return self._camera.name

    def read(self) -> Image:
        """The newest frame, worse than it could be."""
        image = self._camera.read()
        s, rgb = self._strength, image.rgb
        match self._weakness:
            case "blocked":
                return self._blocked(image)
            case "shifted":
                return self._shifted(image)
            case "dark":
                return replace(image, rgb=_bytes(rgb * (1 - 0.97 * s)))
            case "glare":
                return replace(image, rgb=_bytes(rgb + 240.0 * s))
            case "grainy":
                grain = self._rng.normal(0, 90 * s, rgb.shape)
                return replace(image, rgb=_bytes(rgb + grain))
            case _:
                return image

    def _blocked(self, image: Image) -> Image:
        rgb = image.rgb.copy()
        depth = None if image.depth is None else image.depth.copy()
        width = round(rgb.shape[0] * 0.9 * self._strength)
        for turned in (rgb, depth):  # views: what is written shows in both
            if turned is not None:
                edge = np.rot90(turned, (0, 2, 3, 1)[self._side])[:width]
                edge[:] = _COVER if turned is rgb else 0
        return replace(image, rgb=rgb, depth=depth)

    def _shifted(self, image: Image) -> Image:
        by = round(120 * self._strength)
        step = ((by, 0), (-by, 0), (0, by), (0, -by))[self._side]
        rgb = np.roll(image.rgb, step, (0, 1))
        depth = image.depth
        if depth is not None:
            depth = np.roll(depth, step, (0, 1))
        return replace(image, rgb=rgb, depth=depth)


def _bytes(rgb: Array) -> NDArray[np.uint8]:
    return np.clip(rgb, 0, 255).astype(np.uint8)
