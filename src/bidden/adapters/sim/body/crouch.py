"""Crouching and rising with the walking network as the one that balances.

The network knows one height. Lowered, it is shown its joints less the crouch's bend,
so that it feels itself standing as ever, and the bend is added to what it answers. It
does too little against leaning then, so legs and hips are given some more. Where the
trunk comes to rest on something, such as a table, it goes no deeper than the legs still
bear: bent further they leave the floor, and thrash. Falls, heights and times are in
`docs/safety.md`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from bidden.core.messages import Array

DEPTH: Final = 0.42  # [rad] of hip and ankle, twice that of the knee; tuned, 0.7 falls
DOWN_S: Final = 2.0  # [s] from standing to the ground of it
UP_S: Final = 2.0  # [s] back
STOPPED: Final = 0.15  # [m/s] of the pelvis, below which crouching begins
PATIENCE_S: Final = 1.0  # after which it begins anyway
# What the legs bear [N], told from their torques. Free, standing or crouching, with
# 0 to 0.9 kg in a hand, it is 260 to 300; the weight less that of the lower legs
BEARS: Final = 200.0  # below, no deeper
RESTS: Final = 120.0  # below, up again
BORNE_S: Final = 0.1  # of smoothing
# Joints that shorten a leg by a unit of bend: hip pitch, knee, ankle pitch; both legs
_BEND: Final[Array] = np.zeros(29)
_BEND[[0, 6]], _BEND[[3, 9]], _BEND[[4, 10]] = -1.0, 2.0, -1.0
_LEVEL: Final[Array] = _BEND * ([-1.0] * 6 + [1.0] * 23)  # left longer, right shorter
_HIPS: Final = [0, 6]
_KNEES: Final = [3, 9]
_ANKLES: Final = [4, 10]
_HIP_ROLLS: Final = [1, 7]
# Weight on one leg [N] times the thigh [m] over the knee servo's gain [N m/rad]: how
# far a bent knee gives way under the body
_SAG: Final = 165.0 * 0.3 / 99.1
_LINK: Final = 0.3  # [m] of thigh and shank
_STRAIGHT: Final = 0.2  # sine of a knee that is too straight to tell
_THIGH: Final = 0.312  # [rad] of the thigh off the vertical when standing
_KNEE: Final = 0.70  # [rad] of the knees when standing, measured
# Gains, tuned on falls and on how still the body crouches
_LEAN_LEGS: Final = 0.6  # [rad of bend] per rad of leaning sideways
_LEAN_LEGS_RATE: Final = 0.05  # [s]; 0.2 shakes
_LEAN_HIPS: Final = -0.7  # [rad of hip roll] per rad of leaning sideways
_HEIGHT: Final = 0.25  # [rad of bend] per rad that the knees are too deep
_HEIGHT_RATE: Final = 0.25  # [1/s] its integral, for loads
_HEIGHT_MOST: Final = 0.15  # [rad of bend] of the integral


class Crouch:
    """How deep the body is, and what that means for its joints; one call is a tick."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Stand."""
        self.depth = 0.0  # 0 standing .. 1 as deep as it goes
        self._waited_s = self._lift = 0.0
        self._borne = 2 * BEARS  # [N]; believed until it is felt

    def bend(
        self,
        settle: float,
        speed: float,
        *,
        gravity: Array,
        gyro: Array,
        q: Array,
        torque: Array,
        tick_s: float,
    ) -> tuple[Array, Array]:
        """Joint offsets to take from what the network feels, and to add to its answer.

        Args:
            settle: wanted depth, 0 .. 1.
            speed: of the pelvis over the floor [m/s].
            gravity: unit gravity in the pelvis frame, (3,).
            gyro: angular velocity of the pelvis [rad/s], (3,).
            q: joint positions [rad], (29,).
            torque: of the joints [N m], (29,).
            tick_s: time since the last call [s].

        Returns:
            Two arrays, (29,) [rad].
        """
        if settle > 0.0 or self.depth > 0.0:
            share = min(1.0, tick_s / BORNE_S)
            self._borne += share * (borne(q, torque) - self._borne)
        self._move(settle, speed, tick_s)
        angle = DEPTH * self.depth
        felt = angle * _BEND
        given = felt.copy()
        given[_KNEES] -= _SAG * (np.sin(_THIGH + angle) - np.sin(_THIGH))
        excess = float(q[_KNEES].mean()) - _KNEE - 2 * angle
        self._lift = _clipped(self._lift + tick_s * _HEIGHT_RATE * excess, _HEIGHT_MOST)
        given -= self.depth * (_HEIGHT * excess + self._lift) * _BEND
        lean, rate = float(gravity[1]), -float(gyro[0])  # positive to the left
        legs = _LEAN_LEGS * lean + _LEAN_LEGS_RATE * rate
        given += self.depth * legs * _LEVEL
        given[_HIP_ROLLS] += self.depth * _LEAN_HIPS * lean
        return felt, given

    def _move(self, settle: float, speed: float, tick_s: float) -> None:
        """Follow the wanted depth; downwards from a stop only, on legs that bear."""
        rests = not self._borne >= RESTS
        if settle <= self.depth or (rests and self.depth > 0.0):
            self._waited_s = 0.0
            highest = 0.0 if rests else settle
            self.depth = max(highest, self.depth - tick_s / UP_S)
            self._lift = self._lift if self.depth > 0.0 else 0.0
            return
        self._waited_s += tick_s
        stands = speed < STOPPED or self._waited_s > PATIENCE_S or self.depth > 0.0
        if stands and self._borne >= BEARS:
            self.depth = min(settle, self.depth + tick_s / DOWN_S)


def borne(q: Array, torque: Array) -> float:
    """What both legs bear [N], along the trunk.

    Each leg as two links in a plane: force and torque balance about hip and knee.

    Args:
        q: joint positions [rad], (29,).
        torque: of the joints [N m], (29,).
    """
    thigh = q[_HIPS]
    shank = thigh + q[_KNEES]
    upper = torque[_HIPS] - torque[_KNEES]
    lower = torque[_KNEES] - torque[_ANKLES]
    lever = _LINK * np.maximum(np.sin(q[_KNEES]), _STRAIGHT)
    return float(((np.cos(shank) * upper - np.cos(thigh) * lower) / lever).sum())


def _clipped(value: float, most: float) -> float:
    return min(max(value, -most), most)
