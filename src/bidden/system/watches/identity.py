"""Which weights a policy runs on, so that a calibration cannot meet other ones."""

from __future__ import annotations

from bidden.core.ports import Policy

NO_WEIGHTS = "none"


def weights_of(policy: Policy) -> str:
    """The policy's own `weights`, if it has some; else "none"."""
    weights = getattr(policy, "weights", NO_WEIGHTS)
    return weights if isinstance(weights, str) and weights else NO_WEIGHTS
