"""Whether what the cameras give can be acted on: fresh, moving, and a picture at all.

A camera that has stopped, that sends the same bytes with new stamps, or that shows
black, white or noise makes the robot hold, until it has been good for a while.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bidden.core.messages import ActionChunk, Advice, Goal, Image, Observation, Rung
from bidden.safety import Check

_STRIDE: Final = 4  # rows of the picture that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraWatchConfig:
    """What counts as good."""

    age_s: float = 0.08  # seen every 0.2 s, so found within 0.3 s; at 15 Hz it is 0.07
    clear_s: float = 1.0  # matrix row 1: fresh for so long until it counts again
    spread_least: float = 3.0  # grey levels; the plainest wall in 200 rooms has 8
    likeness_least: float = 0.5  # correlation of neighbours; rooms over 0.9, noise 0
    extreme_most: float = 0.95  # share of pixels that are all black or all white


class CameraWatch:
    """Looks at the head camera's frames beside every chunk; a `core.ports.Watch`.

    One for each orchestrator; not thread-safe.

    Args:
        config: what counts as good.
        camera: the one that is looked at. Without it in the observation, or where a
            policy has no eyes, nothing is said.
    """

    def __init__(
        self, config: CameraWatchConfig | None = None, *, camera: str = "head"
    ) -> None:
        self.config = config or CameraWatchConfig()
        self._camera = camera
        self._last: tuple[int, int] | None = None  # stamp, hash of the last new frame
        self._bad: tuple[int, Advice] | None = None  # when it was last bad, and how

    def reset(self, goal: Goal) -> None:
        """What a camera did belongs to no goal."""

    def judge(self, chunk: ActionChunk, observation: Observation) -> Advice | None:
        """Hold while the camera is not to be trusted, and `clear_s` longer."""
        image = observation.images.get(self._camera)
        if image is None:
            return None
        now_ns = observation.stamp_ns
        advice = self._find(image, now_ns)
        if advice is not None:
            self._bad = (now_ns, advice)
        if self._bad is None:
            return None
        since_ns, advice = self._bad
        if now_ns - since_ns > self.config.clear_s * 1e9:
            self._bad = None
            return None
        return advice

    def _find(self, image: Image, now_ns: int) -> Advice | None:
        c = self.config
        age_s = (now_ns - image.stamp_ns) * 1e-9
        if not 0.0 <= age_s <= c.age_s:
            return _hold(now_ns, Check.IMAGE_STALE, score=age_s, bound=c.age_s)
        digest = _hash(image)
        last, self._last = self._last, (image.stamp_ns, digest)
        if last is not None and last[0] != image.stamp_ns and last[1] == digest:
            return _hold(now_ns, Check.IMAGE_FROZEN, score=1.0, bound=0.0)
        return self._look(image.rgb, now_ns)

    def _look(self, rgb: NDArray[np.uint8], now_ns: int) -> Advice | None:
        """Whether it is a picture of anything."""
        c = self.config
        if not (rgb.ndim == 3 and min(rgb.shape) > 2 and rgb.dtype == np.uint8):
            return _hold(now_ns, Check.IMAGE_UNUSABLE, score=0.0, bound=0.0)
        grey = rgb[::_STRIDE].mean(axis=2, dtype=np.float32)
        extreme = float(np.mean((grey < 3.0) | (grey > 252.0)))
        if not extreme <= c.extreme_most:
            return _hold(
                now_ns, Check.IMAGE_UNUSABLE, score=extreme, bound=c.extreme_most
            )
        spread = float(grey.std())
        if not spread >= c.spread_least:
            return _hold(
                now_ns, Check.IMAGE_UNUSABLE, score=spread, bound=c.spread_least
            )
        likeness = _likeness(grey)
        if not likeness >= c.likeness_least:
            return _hold(
                now_ns, Check.IMAGE_UNUSABLE, score=likeness, bound=c.likeness_least
            )
        return None


def _likeness(grey: NDArray[np.float32]) -> float:
    """Correlation of each pixel with the one beside it."""
    centred = grey - grey.mean()
    beside = float(np.mean(centred[:, 1:] * centred[:, :-1]))
    return beside / max(float(np.mean(np.square(centred))), 1e-6)


def _hash(image: Image) -> int:
    depth = b"" if image.depth is None else np.ascontiguousarray(image.depth).tobytes()
    return zlib.crc32(depth, zlib.crc32(np.ascontiguousarray(image.rgb).tobytes()))


def _hold(now_ns: int, check: Check, *, score: float, bound: float) -> Advice:
    return Advice(
        stamp_ns=now_ns, rung=Rung.HOLD, reason=check, score=score, bound=bound
    )
