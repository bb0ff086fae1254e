"""The G1 as a MuJoCo spec: gains, feet, two parallel grippers, cameras.

Gains and armature follow the metadata of the gait network; which parts collide
follows what was measured to walk: feet with the floor; arms, hands, torso and
thighs with furniture and things.
"""

from __future__ import annotations

import mujoco
import numpy as np

from bidden.core.messages import Array
from bidden.robot.g1 import ARMS, CAMERAS, GRIP_POINT, GRIP_TRAVEL, JOINTS, CameraMount
from bidden.runtime.assets import asset_path

from .meshes import lighten

_LEG_KP = (40.1792, 99.0984, 40.1792, 99.0984, 28.5012, 28.5012)
_LEG_KD = (2.55789, 6.30880, 2.55789, 6.30880, 1.81445, 1.81445)
_WAIST_KP, _WAIST_KD = (40.1792, 28.5012, 28.5012), (2.55789, 1.81445, 1.81445)
_ARM_KP, _ARM_KD = (
    (*(14.2506,) * 5, *(16.7783,) * 2),
    (*(0.907223,) * 5, *(1.06814,) * 2),
)
# Gains of the gait network's metadata: [N m/rad], [N m s/rad], (29,)
GAIT_KP: Array = np.array([*_LEG_KP, *_LEG_KP, *_WAIST_KP, *_ARM_KP, *_ARM_KP])
GAIT_KD: Array = np.array([*_LEG_KD, *_LEG_KD, *_WAIST_KD, *_ARM_KD, *_ARM_KD])
ARM_KP, ARM_KD = 40.0, 3.0  # measured: reaches within 0.3 mm, no falls
_LEG_EFFORT = (88.0, 139.0, 88.0, 139.0, 50.0, 50.0)
_ARM_EFFORT = (*(25.0,) * 5, *(5.0,) * 2)
# Torque limits of the motors [N m], (29,)
EFFORT: Array = np.array(
    [*_LEG_EFFORT, *_LEG_EFFORT, 88.0, 50.0, 50.0, *_ARM_EFFORT, *_ARM_EFFORT]
)
# the gait network's gains were made for 10 Hz natural frequency
ARMATURE: Array = GAIT_KP / (2 * np.pi * 10) ** 2

# Collision bits: 1 things and floor touch feet, 2 the robot's upper parts
ROBOT_BIT, THING_BIT, THING_MASK = 2, 1, 3
_TOUCHING = (
    "torso_collision",
    "pelvis_collision",
    "head_collision",
    *(f"{side}_{part}_collision" for side in ("left", "right")
      for part in ("thigh", "shin", "wrist", "elbow_yaw")),
)  # fmt: skip
_FOOT_CAPSULES = "147"  # of seven: enough to balance, measured
_BOX = mujoco.mjtGeom.mjGEOM_BOX


def robot_spec() -> mujoco.MjSpec:
    """The whole robot, feet at the origin, ready for a scene to be added."""
    path = asset_path("g1/g1.xml")
    spec = mujoco.MjSpec.from_file(str(path))
    lighten(spec, path.parent / "assets")
    _add_motors(spec)
    _set_collisions(spec)
    for side in ("right", "left"):
        _add_gripper(spec, side)
    for mount in CAMERAS:
        _add_camera(spec, mount)
    return spec


def _add_motors(spec: mujoco.MjSpec) -> None:
    kp, kd = GAIT_KP.copy(), GAIT_KD.copy()
    kp[ARMS], kd[ARMS] = ARM_KP, ARM_KD
    for i, name in enumerate(JOINTS):
        spec.joint(name).armature = ARMATURE[i]
        motor = spec.add_actuator(
            name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT
        )
        motor.set_to_position(kp=kp[i], kv=kd[i])
        motor.forcelimited = True
        motor.forcerange = [-EFFORT[i], EFFORT[i]]
        motor.ctrllimited = False


def _set_collisions(spec: mujoco.MjSpec) -> None:
    for geom in list(spec.geoms):
        if geom.classname.name == "visual" or geom.type == mujoco.mjtGeom.mjGEOM_MESH:
            continue
        geom.contype = geom.conaffinity = 0
        if "foot" in geom.name:
            if geom.name[-len("_collision") - 1] not in _FOOT_CAPSULES:
                spec.delete(geom)
                continue
            geom.conaffinity, geom.condim, geom.priority = 1, 3, 1
            geom.friction = [0.6, 0.005, 0.0001]
        elif geom.name in _TOUCHING:
            geom.contype, geom.condim = ROBOT_BIT, 1


def _add_gripper(spec: mujoco.MjSpec, side: str) -> None:
    """A parallel gripper instead of the rubber hand; pads 70 x 28 mm, 90 mm wide."""
    wrist = spec.body(f"{side}_wrist_yaw_link")
    for geom in list(wrist.geoms):
        rubber = geom.meshname and "rubber_hand" in geom.meshname
        if rubber or (geom.name and "hand_collision" in geom.name):
            spec.delete(geom)
    base = wrist.add_body(name=f"{side}_gripper", pos=[0.05, 0, 0])
    base.explicitinertial = True
    base.mass, base.inertia, base.ipos = 0.05, [2e-5] * 3, [0.02, 0, 0]
    base.add_geom(
        name=f"{side}_palm", type=_BOX, size=[0.02, 0.05, 0.018], pos=[0.02, 0, 0],
        rgba=[0.15, 0.15, 0.17, 1], contype=ROBOT_BIT, conaffinity=0, condim=3, mass=0,
    )  # fmt: skip
    base.add_site(
        name=f"{side}_grip", pos=[GRIP_POINT - 0.05, 0, 0], size=[0.005] * 3, group=5
    )
    for finger, sign in (("a", 1), ("b", -1)):
        name = f"{side}_finger_{finger}"
        body = base.add_body(name=name, pos=[0.04, 0, 0])
        body.explicitinertial = True
        body.mass, body.inertia, body.ipos = 0.03, [1e-5] * 3, [0.03, sign * 0.05, 0]
        body.add_joint(
            name=name, type=mujoco.mjtJoint.mjJNT_SLIDE, axis=[0, -sign, 0],
            range=[0, GRIP_TRAVEL], limited=True, armature=0.02, damping=2.0,
        )  # fmt: skip
        body.add_geom(
            name=f"{side}_pad_{finger}", type=_BOX, size=[0.035, 0.005, 0.014],
            pos=[0.03, sign * (GRIP_TRAVEL + 0.005), 0], rgba=[0.3, 0.3, 0.33, 1],
            contype=ROBOT_BIT, conaffinity=0, condim=4, friction=[1.2, 0.02, 0.001],
            priority=2, mass=0, solref=[0.01, 1], solimp=[0.95, 0.99, 0.001, 0.5, 2],
        )  # fmt: skip
        motor = spec.add_actuator(
            name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT
        )
        motor.set_to_position(kp=400, kv=20)
        motor.forcelimited, motor.forcerange = True, [-12, 12]
        motor.ctrllimited, motor.ctrlrange = True, [0, GRIP_TRAVEL + 0.01]


def _add_camera(spec: mujoco.MjSpec, mount: CameraMount) -> None:
    s, c = np.sin(mount.pitch), np.cos(mount.pitch)
    spec.body(mount.link).add_camera(
        name=mount.name,
        pos=list(mount.position),
        xyaxes=[0, -1, 0, s, 0, c],
        fovy=float(np.rad2deg(mount.fov)),
    )
