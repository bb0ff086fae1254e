"""The oracle: MuJoCo on the XML that the numbers were taken from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

mujoco = pytest.importorskip("mujoco")


def g1_xml() -> Path:
    """Where set-up puts the G1."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "bidden/g1/g1.xml"


@pytest.fixture(scope="session")
def oracle() -> mujoco.MjModel:
    """The G1 with the grippers' mass on the wrists."""
    if not g1_xml().exists():
        pytest.skip("g1.xml is missing: make setup")
    spec = mujoco.MjSpec.from_file(str(g1_xml()))
    for side in ("left", "right"):
        wrist = spec.body(f"{side}_wrist_yaw_link")
        for mass, pos in ((0.05, (0.07, 0, 0)), (0.06, (0.12, 0, 0))):
            body = wrist.add_body(pos=pos)
            body.explicitinertial = True
            body.mass, body.ipos, body.inertia = mass, [0] * 3, [1e-9] * 3
    return spec.compile()
