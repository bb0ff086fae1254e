"""How fast a robot may be near people: distance to keep, and speed at a touch.

Figures of ISO/TS 15066 (in ISO 10218-2:2025) as published and cross-checked in part,
see docs/safety.md; no claim of compliance. Forces are quasi-static; a short touch may
have twice as much outside head and face.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from bidden.robot.model import load_model

WALKING: Final = 1.6  # [m/s] speed at which a person approaches, ISO 13855
REACTION_S: Final = 0.1  # [s] from seeing to braking: one step of a chunk
BRAKING: Final = 2.0  # [m/s^2] base and arms together; the base alone does 3
TRANSIENT: Final = 2.0  # share of the quasi-static force that a short touch may have


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyPart:
    """One part of a person."""

    name: str
    force: float  # [N] quasi-static
    stiffness: float  # [N/m]
    mass: float  # [kg] that moves with it
    transient: float  # 1 where a short touch may not have more
    low: float  # [m] heights at which it may be met: adults standing and sitting
    high: float


def _part(
    name: str,
    force: float,
    *,
    k: float,
    mass: float,
    span: tuple[float, float],
    transient: float = TRANSIENT,
) -> BodyPart:
    return BodyPart(
        name=name,
        force=force,
        stiffness=1e3 * k,
        mass=mass,
        transient=transient,
        low=span[0],
        high=span[1],
    )


BODY_PARTS: Final = (
    _part("skull", 130, k=150, mass=4.4, span=(1.1, 2.1), transient=1.0),
    _part("face", 65, k=75, mass=4.4, span=(1.05, 2.0), transient=1.0),
    _part("neck", 150, k=50, mass=1.2, span=(1.0, 1.75)),
    _part("back", 210, k=35, mass=40.0, span=(0.5, 1.65)),
    _part("chest", 140, k=25, mass=40.0, span=(0.6, 1.6)),
    _part("abdomen", 110, k=10, mass=40.0, span=(0.5, 1.3)),
    _part("pelvis", 180, k=25, mass=40.0, span=(0.4, 1.1)),
    _part("upper_arm", 150, k=30, mass=3.0, span=(0.6, 1.6)),
    _part("lower_arm", 160, k=40, mass=2.0, span=(0.4, 1.6)),
    _part("hand", 140, k=75, mass=0.6, span=(0.3, 1.8)),
    _part("thigh", 220, k=50, mass=75.0, span=(0.3, 1.0)),
    _part("lower_leg", 130, k=60, mass=75.0, span=(0.0, 0.6)),
)


def speed_at_touch(part: BodyPart, robot_mass: float) -> float:
    """Largest speed at which a short touch stays under the force [m/s].

    Power and force limiting: F = v sqrt(mu k), with mu the reduced mass of the part
    and of what the robot moves [kg].
    """
    mu = 1.0 / (1.0 / part.mass + 1.0 / robot_mass)
    return part.transient * part.force / math.sqrt(mu * part.stiffness)


def touch_speed(low: float, high: float, *, robot_mass: float) -> float:
    """The least of these speeds over all parts met between two heights [m/s]."""
    return min(
        speed_at_touch(part, robot_mass)
        for part in BODY_PARTS
        if part.low <= high and part.high >= low
    )


def separation(speed: float) -> float:
    """Distance to keep from a person at a speed towards them [m].

    Speed and separation: S_p = v_h (T_r + T_s) + v_r T_r + S_s; the measured scene's
    own margins stand for C, Z_d and Z_r.
    """
    stop_s = speed / BRAKING
    return (
        WALKING * (REACTION_S + stop_s)
        + speed * REACTION_S
        + 0.5 * speed * speed / BRAKING
    )


def speed_within(gap: float) -> float:
    """The speed towards a person whose `separation` is this distance [m/s]."""
    half = REACTION_S + WALKING / BRAKING
    room = gap - WALKING * REACTION_S
    if not room > 0.0:
        return 0.0
    return BRAKING * (math.sqrt(half * half + 2.0 * room / BRAKING) - half)


def arm_mass(payload: float = 0.0) -> float:
    """What an arm that touches somebody moves [kg]: half of its links, and the load."""
    links = load_model().links
    names = ("shoulder", "elbow", "wrist")
    arm = sum(
        link.mass
        for link in links
        if link.name.startswith("right_") and any(n in link.name for n in names)
    )
    return 0.5 * arm + payload


def body_mass() -> float:
    """What the walking robot moves [kg]."""
    return sum(link.mass for link in load_model().links)
