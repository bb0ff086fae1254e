"""A chunk judged before it moves: how likely it ends in a contact or a fall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bidden.core.messages import Array, RobotState, Rung
from bidden.safety.checks import Check
from bidden.safety.limits import Limits
from bidden.safety.scene import EMPTY_SCENE, Scene, carried_along, is_sound

from .base import STEP_S
from .features import CONTACT_INPUTS, FALL_INPUTS, Foresight, foresee
from .gaps import ForeseenGaps
from .people import arm_mass, body_mass, speed_within, touch_speed
from .prediction import LOOKS, Forecast, Prediction
from .risk import Chance, RiskData, load_risk

# What is advised, why, what was measured, and what it was compared with
Foreseen = tuple[Rung, Check, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """From which chance on which rung is advised."""

    check: Check
    rung: Rung
    chance: float  # of it in the next second


# Worst first. 0.1 and 0.2 are the thresholds that every version of this robot's shield
# has had for collision and instability; the others are even odds. What a rung does to
# runs with and without a fall was measured, see docs/safety.md.
BOUNDS: Final = (
    Bound(check=Check.FORESEEN_CONTACT, rung=Rung.HOLD, chance=0.5),
    Bound(check=Check.FORESEEN_FALL, rung=Rung.HOLD, chance=0.5),
    Bound(check=Check.FORESEEN_CONTACT, rung=Rung.SLOW, chance=0.1),
    Bound(check=Check.FORESEEN_FALL, rung=Rung.SLOW, chance=0.2),
)
CLOSING: Final = 0.01  # [m] gaps that shrink by less are no approach: the way out
HAND_SPAN: Final = 0.15  # [m] above and below a hand where it may meet a person
BODY_SPAN: Final = (0.1, 1.3)  # [m] heights of the walking body


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judgement:
    """What is expected of one chunk."""

    contact: float  # P(contact or limit breach in the next second)
    fall: float  # P(fall in the next second)
    excess: float  # largest share by which it is too fast near a person; <= 0 is fine
    touches: bool  # that excess would be felt: the person is reached within the second
    closes: bool  # some gap shrinks
    found: tuple[Foreseen, ...]  # worst first


class ChunkJudge:
    """Judges chunks; holds constants only."""

    def __init__(
        self, limits: Limits | None = None, data: RiskData | None = None
    ) -> None:
        self._limits = limits or Limits()
        data = data or load_risk()
        self._predict = Prediction(self._limits)
        self._gaps = ForeseenGaps(self._predict.body)
        self._contact = Chance(data.contact, CONTACT_INPUTS)
        self._fall = Chance(data.fall, FALL_INPUTS)
        self._arm_mass, self._body_mass = arm_mass(), body_mass()
        self._body_speed = touch_speed(*BODY_SPAN, robot_mass=self._body_mass)

    def __call__(
        self,
        actions: Array,
        state: RobotState,
        *,
        hand_target: Array,
        reach: Array,
        scene: Scene = EMPTY_SCENE,
    ) -> Judgement:
        """Judge a chunk; what cannot be read counts as certain harm.

        Args:
            actions: (T, 12), steps of 0.1 s.
            state: measured now.
            hand_target: both hands' target in B, xyz [m] rpy [rad], (2, 6).
            reach: lowest and highest target of both hands [m], (2, 2, 3).
            scene: surroundings, carried along to now by the odometry.
        """
        if not (_is_finite(actions, state, hand_target) and is_sound(scene)):
            return _unreadable()
        scene = carried_along(scene, state.base_pose)
        forecast = self._predict(actions, state, hand_target=hand_target, reach=reach)
        seen = foresee(
            forecast,
            state,
            scene=scene,
            gaps=self._gaps,
            hand_target=hand_target,
            limits=self._limits,
        )
        excess, touches = self._near_people(forecast, seen)
        contact, fall = self._contact(seen.contact), self._fall(seen.balance)
        closes = bool((seen.gaps_now - seen.gaps >= CLOSING).any())
        return Judgement(
            contact=contact,
            fall=fall,
            excess=excess,
            touches=touches,
            closes=closes,
            found=_findings(
                contact, fall, excess=excess, touches=touches, closes=closes
            ),
        )

    def _near_people(self, forecast: Forecast, seen: Foresight) -> tuple[float, bool]:
        """Share by which a person is approached too fast, and whether it is felt.

        Either rule is enough: far enough to stop in time, or slow enough to touch.
        """
        gaps = seen.person_gap
        times = STEP_S * np.diff(LOOKS)[:, None]
        closing = (gaps[:-1] - gaps[1:]) / times
        worst, touches = -1.0, False
        for k, g in zip(*np.nonzero(closing > 0.0), strict=True):
            if g == gaps.shape[1] - 1:
                felt = self._body_speed
            else:
                z = forecast.hands[LOOKS[k + 1], :, 2]
                low, high = float(z.min()) - HAND_SPAN, float(z.max()) + HAND_SPAN
                felt = touch_speed(low, high, robot_mass=self._arm_mass)
            allowed = max(felt, speed_within(float(gaps[k, g])))
            share = float(closing[k, g]) / allowed - 1.0
            if share > worst:
                worst = share
            touches = touches or (share > 0.0 and gaps[k + 1, g] <= 0.0)
        return worst, touches


def _findings(
    contact: float, fall: float, *, excess: float, touches: bool, closes: bool
) -> tuple[Foreseen, ...]:
    """What the bounds say, worst first; leaving a thing is never advised against."""
    chance = {Check.FORESEEN_CONTACT: contact, Check.FORESEEN_FALL: fall}
    found = [
        (bound.rung, bound.check, chance[bound.check], bound.chance)
        for bound in BOUNDS
        if not chance[bound.check] < bound.chance
        and (closes or bound.check is not Check.FORESEEN_CONTACT)
    ]
    if not excess <= 0.0:
        rung = Rung.HOLD if touches else Rung.SLOW
        found.append((rung, Check.FORESEEN_CONTACT, excess, 0.0))
    found.sort(key=lambda one: -one[0])
    return tuple(found)


def _unreadable() -> Judgement:
    inf = float("inf")
    return Judgement(
        contact=1.0,
        fall=1.0,
        excess=inf,
        touches=True,
        closes=True,
        found=(
            (Rung.HOLD, Check.FORESEEN_CONTACT, inf, 0.0),
            (Rung.HOLD, Check.FORESEEN_FALL, inf, 0.0),
        ),
    )


def _is_finite(actions: Array, state: RobotState, hand_target: Array) -> bool:
    arrays = (
        actions, hand_target, state.q, state.dq, state.torque, state.gyro,
        state.gravity, state.base_pose, state.base_velocity,
    )  # fmt: skip
    return all(bool(np.isfinite(a).all()) for a in arrays)
