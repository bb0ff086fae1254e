"""Battery, motor temperatures, e-stop channel, operator link: `core.messages.Health`.

What was reported once must go on being reported: a source, a gauge or a link that
falls silent is a fault. A body that never reported anything has nothing to report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from bidden.core.messages import Health, Rung
from bidden.safety.checks import Check, Finding
from bidden.safety.limits import FUTURE_SLACK_NS, Limits

ESTOPS: Final = frozenset({"released", "pressed", "missing"})
# Temperatures outside are a broken gauge [deg C]; electronics are rated inside
COLDEST, HOTTEST = -50.0, 250.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Condition:
    """What a health report means for this step."""

    found: list[Finding]
    believed: Health | None  # the newest sound report
    share: float = 1.0  # of base and arm speeds that warm motors are left with


def check_health(
    health: Health | None, last: Health | None, *, now_ns: int, limits: Limits
) -> Condition:
    """Findings about a report; `last` is the newest one that was believed."""
    if health is None and last is None:
        return Condition(found=[], believed=None)
    found: list[Finding] = []
    if health is None or not _is_sound(health, last, now_ns=now_ns):
        found.append((Rung.HOLD, Check.HEALTH_INVALID))
        health = last
    if health is None:
        return Condition(found=found, believed=None)
    if not (now_ns - health.stamp_ns <= limits.health_age_s * 1e9):
        found.append((Rung.SETTLE, Check.HEALTH_STALE))
    if health.estop != "released":
        found.append((Rung.SETTLE, Check.ESTOP))
    found += _battery(health.battery, limits)
    found += _link(health.operator_ns, now_ns=now_ns, limits=limits)
    hottest = float(health.motor_temperature.max())
    warm, hot = limits.motor_warm_celsius, limits.motor_hot_celsius
    share = 1.0
    if not hottest < hot:
        found.append((Rung.SETTLE, Check.MOTOR_HOT))
        share = 0.0
    elif not hottest <= warm:
        found.append((Rung.SLOW, Check.MOTOR_HOT))
        share = (hot - hottest) / (hot - warm)
    return Condition(found=found, believed=health, share=share)


def _is_sound(health: Health, last: Health | None, *, now_ns: int) -> bool:
    """Types, numbers and stamps of a report, and that nothing fell silent."""
    newest = now_ns + FUTURE_SLACK_NS
    return (
        isinstance(health, Health)
        and isinstance(health.stamp_ns, int)
        and health.stamp_ns <= newest
        and (last is None or health.stamp_ns >= last.stamp_ns)
        and isinstance(health.estop, str)
        and health.estop in ESTOPS
        and _is_charge(health.battery, last)
        and _is_warmth(health.motor_temperature)
        and _is_heartbeat(health.operator_ns, last, newest=newest)
    )


def _is_charge(battery: object, last: Health | None) -> bool:
    if not isinstance(battery, int | float):
        return False
    unknown = battery != battery and (last is None or last.battery != last.battery)
    return unknown or 0.0 <= battery <= 1.0


def _is_warmth(celsius: object) -> bool:
    return (
        isinstance(celsius, np.ndarray)
        and celsius.shape == (29,)
        and celsius.dtype.kind in "fiu"
        and bool(((celsius >= COLDEST) & (celsius <= HOTTEST)).all())
    )


def _is_heartbeat(stamp_ns: object, last: Health | None, *, newest: int) -> bool:
    if stamp_ns is None:
        return last is None or last.operator_ns is None
    return isinstance(stamp_ns, int) and stamp_ns <= newest


def _battery(charge: float, limits: Limits) -> list[Finding]:
    """The worst that the charge means; NaN is a body without a gauge."""
    rungs = (
        (limits.battery_settle, Rung.SETTLE),
        (limits.battery_hold, Rung.HOLD),
        (limits.battery_warn, Rung.WARN),
    )
    return [(rung, Check.BATTERY) for bound, rung in rungs if charge < bound][:1]


def _link(stamp_ns: int | None, *, now_ns: int, limits: Limits) -> list[Finding]:
    if stamp_ns is None:
        return []
    age_ns = now_ns - stamp_ns
    if not age_ns <= limits.link_settle_s * 1e9:
        return [(Rung.SETTLE, Check.OPERATOR_LINK)]
    if not age_ns <= limits.link_hold_s * 1e9:
        return [(Rung.HOLD, Check.OPERATOR_LINK)]
    return []
