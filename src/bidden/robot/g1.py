"""The Unitree G1 with 29 joints and two parallel grippers: names, limits, mounts.

Sources: joint ranges and efforts from the g1.xml that mjlab 1.6.0 ships
(Apache-2.0); gains from the metadata of the gait network; speeds from Unitree's
published motor data (peak) halved for the arms, see `docs/safety.md`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bidden.core.messages import Array


def _leg(side: str) -> tuple[str, ...]:
    names = (
        "hip_pitch", "hip_roll", "hip_yaw", "knee", "ankle_pitch", "ankle_roll"
    )  # fmt: skip
    return tuple(f"{side}_{name}_joint" for name in names)


def _arm(side: str) -> tuple[str, ...]:
    names = (
        "shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow",
        "wrist_roll", "wrist_pitch", "wrist_yaw",
    )  # fmt: skip
    return tuple(f"{side}_{name}_joint" for name in names)


JOINTS: tuple[str, ...] = (
    *_leg("left"),
    *_leg("right"),
    "waist_yaw_joint",
    "waist_roll_joint",
    "waist_pitch_joint",
    *_arm("left"),
    *_arm("right"),
)
SIDES: tuple[str, str] = ("right", "left")  # index = hand number, RIGHT, LEFT
ARMS = slice(15, 29)  # both arms in joint order, left then right
ARM: tuple[slice, slice] = (slice(22, 29), slice(15, 22))  # by hand number
ARM_IN_COMMAND: tuple[slice, slice] = (slice(7, 14), slice(0, 7))  # in `arm_q`

_LEG_Q = (-0.312, 0.0, 0.0, 0.669, -0.363, 0.0)
# Joint positions [rad] around which the gait network acts, (29,)
DEFAULT_Q: Array = np.array(
    [*_LEG_Q, *_LEG_Q, 0, 0, 0, 0.2, 0.2, 0, 0.6, 0, 0, 0, 0.2, -0.2, 0, 0.6, 0, 0, 0]
)
# Forearms raised, hands clear of a table's edge: the posture to walk in, (14,)
READY_ARMS: Array = np.array(
    [0.8, 0.2, 0.0, -0.95, 0.0, 0.3, 0.0, 0.8, -0.2, 0.0, -0.95, 0.0, 0.3, 0.0]
)
PELVIS_HEIGHT = 0.76  # [m] of the pelvis frame over the floor in DEFAULT_Q

GRIP_TRAVEL = 0.045  # [m] travel of one finger; the opening is twice this
GRIP_POINT = 0.135  # [m] from the wrist_yaw frame along its x, between the pads


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraMount:
    """Where a camera sits and what it sees."""

    name: str
    link: str
    position: tuple[float, float, float]  # [m] in the link frame
    pitch: float  # [rad] below the link's x axis
    fov: float  # vertical field of view [rad]
    width_px: int
    height_px: int
    has_depth: bool


CAMERAS: tuple[CameraMount, ...] = (
    CameraMount(
        name="head",
        link="torso_link",
        position=(0.07, 0.0, 0.44),
        pitch=float(np.deg2rad(40)),
        fov=float(np.deg2rad(75)),
        width_px=320,
        height_px=320,
        has_depth=True,
    ),
    CameraMount(
        name="wrist_right",
        link="right_wrist_yaw_link",
        position=(0.045, 0.0, 0.06),
        pitch=float(np.deg2rad(25)),
        fov=float(np.deg2rad(80)),
        width_px=128,
        height_px=128,
        has_depth=False,
    ),
    CameraMount(
        name="wrist_left",
        link="left_wrist_yaw_link",
        position=(0.045, 0.0, 0.06),
        pitch=float(np.deg2rad(25)),
        fov=float(np.deg2rad(80)),
        width_px=128,
        height_px=128,
        has_depth=False,
    ),
)
