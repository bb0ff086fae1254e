"""The doubt watch: asks the shield for care when a policy seems not to know its way."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bidden.brain.policy.uncertainty import (
    Calibration,
    Glimpse,
    Meter,
    Reading,
    Views,
    shipped_calibrations,
)
from bidden.brain.policy.uncertainty.calibration import VIEW
from bidden.core.errors import ModelError
from bidden.core.messages import ActionChunk, Advice, Goal, Image, Observation, Rung
from bidden.core.ports import Policy
from bidden.safety import Check

from .identity import weights_of

MAIN_CAMERA: Final = "head"
_LOG = logging.getLogger(__name__)


class DoubtWatch:
    """Turns doubt into advice. Not thread-safe; called from the policy's thread.

    Without a calibration that fits it cannot know what is usual, and stays careful: the
    robot is slowed all the time, and only views that are plainly broken stop it.

    Args:
        calibration: what is usual for the policy; None when there is none.
        complaint: why there is none, for people; empty when there is one.
    """

    def __init__(self, calibration: Calibration | None, complaint: str = "") -> None:
        self.calibration, self.complaint = calibration, complaint
        self.reading: Reading | None = None  # of the last chunk
        self._meter = None if calibration is None else Meter(calibration)
        self._views = Views()

    @staticmethod
    def of(policy: Policy, path: Path | None = None) -> DoubtWatch:
        """The watch for a policy, by a calibration that is shipped, or another file.

        A calibration that is missing, or was made with another policy or other weights,
        is refused; the watch says so and is careful.
        """
        wanted, complaint = policy.name, ""
        for file in (path,) if path else shipped_calibrations(wanted):
            try:
                calibration = Calibration.load(file)
            except ModelError as error:
                complaint = str(error)
                continue
            is_of = calibration.policy
            if is_of == wanted and calibration.weights == weights_of(policy):
                return DoubtWatch(calibration)
            if is_of != wanted:
                complaint = f"{file} is of policy '{is_of}', not of '{wanted}'"
                continue
            complaint = (
                f"{file} is of weights {calibration.weights}, the policy runs on "
                f"{weights_of(policy)}; make one with "
                f"`bidden calibrate --policy {wanted}`"
            )
        return _careful(
            complaint
            or f"none is shipped for '{wanted}'; make one with "
            f"`bidden calibrate --policy {wanted}`"
        )

    def reset(self, goal: Goal) -> None:
        """A new goal begins; what the cameras showed is kept."""
        self.reading = None
        if self._meter is not None:
            self._meter.reset(goal)

    def judge(self, chunk: ActionChunk, observation: Observation) -> Advice | None:
        """What the shield should be told about this chunk; None when all is well."""
        images = observation.images
        views = {name: self._views.take(image) for name, image in images.items()}
        found = [
            *self._faults(images, observation),
            *self._doubt(chunk, observation, views),
        ]
        return max(found, key=lambda advice: advice.rung, default=None)

    def _faults(self, images: Mapping[str, Image], o: Observation) -> Iterator[Advice]:
        for name in images:
            fault = self._views.fault(name)
            if fault is not None:
                yield Advice(
                    stamp_ns=o.stamp_ns,
                    rung=Rung.HOLD,
                    reason=Check.UNFAMILIAR_VIEW,
                    score=fault.score,
                    bound=fault.bound,
                )

    def _doubt(
        self, chunk: ActionChunk, o: Observation, views: Mapping[str, Glimpse | None]
    ) -> Iterator[Advice]:
        if self._meter is None or self.calibration is None:
            yield Advice(
                stamp_ns=o.stamp_ns, rung=Rung.SLOW, reason=Check.POLICY_UNCERTAIN
            )
            return
        main = MAIN_CAMERA if MAIN_CAMERA in views else next(iter(views), "")
        self.reading = reading = self._meter.step(chunk, o, views.get(main))
        c = self.calibration
        by_view = reading.acting_worst == VIEW
        reason = Check.UNFAMILIAR_VIEW if by_view else Check.POLICY_UNCERTAIN
        for rung, alpha in ((Rung.SLOW, c.slow_alpha), (Rung.HOLD, c.alpha)):
            if not reading.acting < 1 - alpha:
                yield _advice(o, rung, reason, rank=reading.acting, alpha=alpha)
        if not reading.uncertainty < 1 - c.slow_alpha:
            yield _advice(
                o,
                Rung.WARN,
                Check.POLICY_UNCERTAIN,
                rank=reading.uncertainty,
                alpha=c.slow_alpha,
            )


def _advice(
    o: Observation, rung: Rung, reason: Check, *, rank: float, alpha: float
) -> Advice:
    return Advice(
        stamp_ns=o.stamp_ns, rung=rung, reason=reason, score=rank, bound=1 - alpha
    )


def _careful(complaint: str) -> DoubtWatch:
    _LOG.warning("doubt=uncalibrated effect=slowed why=%s", complaint)
    return DoubtWatch(None, complaint)
