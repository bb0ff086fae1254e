"""Write `src/bidden/robot/g1_model.json` from the G1's MuJoCo XML.

    python tools/extract_g1.py ~/.cache/bidden/g1/g1.xml

The result is committed: the product reads numbers, it never parses the XML.
Efforts and speeds are those of the motors in mjlab 1.6.0 (`g1_constants.py`); the
XML holds none. The gripper (ours) replaces the rubber hand's geometry and adds its
mass to the wrist; the XML's inertial of the wrist is kept.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import mujoco
import numpy as np

SPHERE, CAPSULE = int(mujoco.mjtGeom.mjGEOM_SPHERE), int(mujoco.mjtGeom.mjGEOM_CAPSULE)
TARGET = Path(__file__).parents[1] / "src/bidden/robot/g1_model.json"
# Motor of each joint: effort [N m], no-load speed [rad/s] (mjlab g1_constants.py)
M5020, M7520_14, M7520_22, M4010 = (25, 37), (88, 32), (139, 20), (5, 22)
TWO_5020 = (50, 37)  # two motors on a parallel linkage
MOTORS = {
    "hip_pitch": M7520_14,
    "hip_roll": M7520_22,
    "hip_yaw": M7520_14,
    "knee": M7520_22,
    "ankle_pitch": TWO_5020,
    "ankle_roll": TWO_5020,
    "waist_yaw": M7520_14,
    "waist_roll": TWO_5020,
    "waist_pitch": TWO_5020,
    "shoulder_pitch": M5020,
    "shoulder_roll": M5020,
    "shoulder_yaw": M5020,
    "elbow": M5020,
    "wrist_roll": M5020,
    "wrist_pitch": M4010,
    "wrist_yaw": M4010,
}
# Of seven parallel capsules under each foot, the middle and the outer ones: the
# support that they span is the sole's, short of at most 1 cm at the heel's corners
SOLE_CAPSULES = ("foot1", "foot4", "foot7")
# Gripper in the wrist_yaw frame: mass [kg], centre [m] (adapters.sim builds the same)
GRIPPER = ((0.05, (0.07, 0, 0)), (0.03, (0.12, 0.05, 0)), (0.03, (0.12, -0.05, 0)))
# Gripper envelope with open fingers: name, a, b, radius [m]
GRIPPER_CAPSULES = (
    ("palm", (0.07, -0.04, 0), (0.07, 0.04, 0), 0.022),
    ("finger_a", (0.09, 0.05, 0), (0.145, 0.05, 0), 0.014),
    ("finger_b", (0.09, -0.05, 0), (0.145, -0.05, 0), 0.014),
)


def rounded(values: object) -> list[float]:
    """Plain floats, short enough to read in a diff."""
    return [round(float(v), 9) + 0.0 for v in np.ravel(np.asarray(values))]


def inertial(body: object) -> tuple[float, list, list]:
    """Mass, CoM and inertia (xx yy zz xy xz yz, link axes, about the CoM)."""
    R = np.zeros(9)
    mujoco.mju_quat2Mat(R, body.iquat)
    R = R.reshape(3, 3)
    parts = [(float(body.mass[0]), body.ipos.copy(), R @ np.diag(body.inertia) @ R.T)]
    if body.name.endswith("wrist_yaw_link"):
        parts += [(m, np.array(c, float), np.zeros((3, 3))) for m, c in GRIPPER]
    mass = sum(m for m, _, _ in parts)
    com = sum(m * c for m, c, _ in parts) / mass
    inertia = np.zeros((3, 3))
    for m, c, i in parts:
        d = c - com
        inertia += i + m * (d @ d * np.eye(3) - np.outer(d, d))
    upper = inertia[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    return round(mass, 9), rounded(com), rounded(upper)


def links(model: mujoco.MjModel) -> list[dict]:
    """Every link from the pelvis on, parents first, in joint order."""
    out = []
    for index in range(1, model.nbody):
        body = model.body(index)
        mass, com, inertia = inertial(body)
        link = {
            "name": body.name,
            "mass": mass,
            "com": com,
            "inertia": inertia,
        }
        if index > 1:
            joint = model.joint(int(body.jntadr[0]))
            key = joint.name.removesuffix("_joint")
            effort, speed = MOTORS[key.removeprefix("left_").removeprefix("right_")]
            link |= {
                "parent": model.body(int(body.parentid[0])).name,
                "position": rounded(body.pos),
                "quat_wxyz": rounded(body.quat),
                "joint": joint.name,
                "axis": rounded(joint.axis),
                "lower": round(float(joint.range[0]), 9),
                "upper": round(float(joint.range[1]), 9),
                "effort": float(effort),
                "speed": float(speed),
            }
        out.append(link)
    return out


def capsules(model: mujoco.MjModel) -> tuple[list[dict], list[dict]]:
    """Body capsules (spheres have a == b) and the soles' capsules."""
    body_capsules, soles = [], []
    for index in range(model.ngeom):
        geom = model.geom(index)
        kind = int(model.geom_type[index])
        if kind not in (SPHERE, CAPSULE) or "hand_collision" in geom.name:
            continue
        name = geom.name.removesuffix("_collision")
        if "foot" in name and not name.endswith(SOLE_CAPSULES):
            continue
        R = np.zeros(9)
        mujoco.mju_quat2Mat(R, geom.quat)
        half = (geom.size[1] if kind == CAPSULE else 0.0) * R.reshape(3, 3)[:, 2]
        row = {
            "name": name,
            "link": model.body(int(geom.bodyid[0])).name,
            "a": rounded(geom.pos - half),
            "b": rounded(geom.pos + half),
            "radius": float(geom.size[0]),
        }
        (soles if "foot" in geom.name else body_capsules).append(row)
    for side in ("left", "right"):
        for name, a, b, radius in GRIPPER_CAPSULES:
            body_capsules.append(
                {
                    "name": f"{side}_{name}",
                    "link": f"{side}_wrist_yaw_link",
                    "a": rounded(a),
                    "b": rounded(b),
                    "radius": radius,
                }
            )
    return body_capsules, soles


def main(xml: Path) -> None:
    """Write the file."""
    model = mujoco.MjModel.from_xml_path(str(xml))
    body_capsules, soles = capsules(model)
    data = {
        "schema": 1,
        "source": "g1.xml of mjlab 1.6.0 (Apache-2.0), gripper added",
        "source_sha256": hashlib.sha256(xml.read_bytes()).hexdigest(),
        "links": links(model),
        "capsules": body_capsules,
        "soles": soles,
    }
    lines = ["{"]
    for key, value in data.items():
        comma = "," if key != "soles" else ""
        if isinstance(value, list):
            rows = ",\n".join("  " + json.dumps(row) for row in value)
            lines.append(f' "{key}": [\n{rows}\n ]{comma}')
        else:
            lines.append(f' "{key}": {json.dumps(value)}{comma}')
    TARGET.write_text("\n".join([*lines, "}", ""]))


if __name__ == "__main__":
    main(Path(sys.argv[1]).expanduser())
