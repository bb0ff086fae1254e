"""The simulated body: stands by itself, obeys vetted commands only, knows its hands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mujoco
import numpy as np
import pytest

from bidden.adapters.sim.body import EFFORT, robot_spec
from bidden.adapters.sim.body.gait import Gait
from bidden.adapters.sim.g1 import COMMAND_TIMEOUT_NS, TICK_NS, Odometry, SimRobot
from bidden.adapters.sim.world import World
from bidden.brain.models import Contract
from bidden.core.errors import RobotError
from bidden.core.frames import wrap
from bidden.core.messages import ActionChunk, Command
from bidden.core.vetted import VettedCommand
from bidden.robot.g1 import ARMS, CAMERAS, DEFAULT_Q, JOINTS, READY_ARMS
from bidden.robot.kinematics import Kinematics
from bidden.system.loop import ControlLoop

Drive = Callable[..., VettedCommand]
WEIGHTS = Path(__file__).parents[3] / "src" / "bidden" / "weights"


def up(robot: SimRobot) -> float:
    return float(-robot.read().gravity[2])


# -- the port ------------------------------------------------------------------
def test_time_passes_by_waiting(robot: SimRobot) -> None:
    assert robot.clock.now_ns() == 0
    robot.clock.sleep_until(3 * TICK_NS)
    assert robot.clock.now_ns() == 3 * TICK_NS
    robot.clock.sleep_until(TICK_NS)  # the past does not come back
    assert robot.clock.now_ns() == 3 * TICK_NS


@pytest.mark.parametrize("kind", ["bare", "look-alike", "none"])
def test_it_takes_nothing_but_a_vetted_command(robot: SimRobot, kind: str) -> None:
    command = Command(
        stamp_ns=0, source_ns=0, base_velocity=np.zeros(3), arm_q=READY_ARMS.copy(),
        grip=np.zeros(2),
    )  # fmt: skip
    wrong: Any = {
        "bare": command,
        "look-alike": SimpleNamespace(command=command, verdict=None, settle=0.0),
        "none": None,
    }[kind]
    with pytest.raises(RobotError, match="expected a VettedCommand, got"):
        robot.write(wrong)
    assert not robot._velocity.any()


def test_the_state_is_whole(robot: SimRobot) -> None:
    robot.clock.sleep_until(10 * TICK_NS)
    state = robot.read()
    assert state.stamp_ns == robot.now_ns
    for name, shape in {
        "q": 29, "dq": 29, "torque": 29, "gyro": 3, "gravity": 3, "base_pose": 3,
        "base_velocity": 3, "grip_width": 2, "grip_force": 2,
    }.items():  # fmt: skip
        array = getattr(state, name)
        assert array.shape == (shape,), name
        assert np.isfinite(array).all(), name
    assert np.linalg.norm(state.gravity) == pytest.approx(1)
    assert (np.abs(state.torque) <= EFFORT + 1e-9).all()
    assert state.grip_width == pytest.approx([0.09, 0.09], abs=0.003)


def test_what_was_read_does_not_change_afterwards(
    robot: SimRobot, drive: Drive
) -> None:
    before = robot.read()
    kept = before.q.copy(), before.base_pose.copy(), before.gravity.copy()
    robot.write(drive(0.4, 0.0, 0.0))
    robot.clock.sleep_until(5 * TICK_NS)
    for then, now in zip(
        kept, (before.q, before.base_pose, before.gravity), strict=True
    ):
        assert np.array_equal(then, now)
    assert not np.array_equal(robot.read().q, before.q)


# -- standing ------------------------------------------------------------------
def test_it_stands_without_a_command(robot: SimRobot) -> None:
    robot.clock.sleep_until(3_000_000_000)
    assert up(robot) > 0.99
    assert not robot.world.fallen()
    assert np.hypot(*robot.read().base_pose[:2]) < 0.15


def test_a_command_that_is_not_renewed_stands(
    robot: SimRobot, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    targets = robot._gait.targets

    def listen(velocity: Any, gyro: Any, **rest: Any) -> Any:
        asked.append(float(velocity[0]))
        return targets(velocity, gyro, **rest)

    monkeypatch.setattr(robot._gait, "targets", listen)
    for _ in range(25):  # half a second of walking, past the shield's ramp
        robot.write(drive(0.3, 0.0, 0.0))
        robot.clock.sleep_until(robot.now_ns + TICK_NS)
    assert asked[-1] > 0.1
    walked = len(asked)
    robot.clock.sleep_until(robot.now_ns + COMMAND_TIMEOUT_NS + 2 * TICK_NS)
    late = asked[walked:]
    within = COMMAND_TIMEOUT_NS // TICK_NS
    assert all(v > 0.1 for v in late[: within - 1])
    assert late[within + 1 :] == [0.0] * len(late[within + 1 :])
    assert 0.0 in late
    robot.clock.sleep_until(robot.now_ns + 2_000_000_000)
    assert not robot.world.fallen()
    assert np.hypot(*robot.read().base_velocity[:2]) < 0.1


def test_it_walks_where_it_is_told(loop: ControlLoop) -> None:
    robot: Any = loop.robot
    start = robot.world.robot_pose()
    for _ in range(10):
        actions = np.zeros((8, 12))
        actions[:, 0] = 0.4
        loop.executor.load(
            ActionChunk(stamp_ns=robot.now_ns, actions=actions, spread=actions)
        )
        loop.run(10)
    x, y, _ = robot.world.to_base(np.array([*start[:2], 0.0]))
    assert -1.0 < x < -0.4  # the start lies behind
    assert abs(y) < 0.25
    assert loop.falls == loop.violations == 0


# -- where the hands and eyes are: MuJoCo is the oracle ------------------------
def posture(world: World, seed: int) -> np.ndarray:
    """A random posture with its feet where they may; only geometry counts."""
    r = np.random.default_rng(seed)
    q = DEFAULT_Q.copy()
    q[12:15] = r.uniform(-0.1, 0.1, 3)
    q[ARMS] = READY_ARMS + r.uniform(-0.5, 0.5, 14)
    world.data.qpos[world.q_adr] = q
    roll, pitch, yaw = r.uniform([-0.08, -0.08, -3], [0.08, 0.08, 3])
    quat = np.zeros(4)
    mujoco.mju_euler2Quat(quat, np.array([yaw, pitch, roll]), "zyx")
    world.data.qpos[world.base_q + 3 : world.base_q + 7] = quat
    mujoco.mj_forward(world.model, world.data)
    return q


@pytest.mark.parametrize("seed", range(6))
def test_hands_are_where_mujoco_has_them(robot: SimRobot, seed: int) -> None:
    world = robot.world
    posture(world, seed)
    state = robot.read()
    hands = Kinematics().hand_poses(state.q, state.gravity)
    # the height of B comes from the feet: compare hands with one another and the pelvis
    p_BP = Kinematics().pelvis_in_base(state.q, state.gravity)[:3, 3]
    p_WP = world.data.xpos[world.pelvis]
    for hand in (0, 1):
        p_B = world.to_base(world.hand_position(hand)) - world.to_base(p_WP)
        assert np.linalg.norm(hands[hand, :3, 3] - p_BP - p_B) < 0.002


def test_a_standing_robot_knows_the_height_of_its_hands(loop: ControlLoop) -> None:
    robot: Any = loop.robot
    loop.run(50)
    state = robot.read()
    hands = Kinematics().hand_poses(state.q, state.gravity)
    for hand in (0, 1):
        true = robot.world.to_base(robot.world.hand_position(hand))
        assert np.linalg.norm(hands[hand, :3, 3] - true) < 0.005


@pytest.mark.parametrize("mount", CAMERAS, ids=lambda m: m.name)
def test_cameras_are_where_mujoco_has_them(robot: SimRobot, mount: Any) -> None:
    world = robot.world
    posture(world, 4)
    state = robot.read()
    X_BC = Kinematics().camera_pose(state.q, state.gravity, mount=mount)
    X_BP = Kinematics().pelvis_in_base(state.q, state.gravity)
    camera = world.model.camera(mount.name).id
    p = world.to_base(world.data.cam_xpos[camera])
    p -= world.to_base(world.data.xpos[world.pelvis])
    error = np.linalg.norm(X_BC[:3, 3] - X_BP[:3, 3] - p)
    limit = 0.008 if mount.name == "head" else 0.002  # the head's is not told in full
    assert error < limit
    c, s = np.cos(world.robot_pose()[2]), np.sin(world.robot_pose()[2])
    R_WB = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    R_WC = world.data.cam_xmat[camera].reshape(3, 3) @ np.diag([1.0, -1.0, -1.0])
    turn = R_WC.T @ R_WB @ X_BC[:3, :3]
    assert np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)) < np.deg2rad(0.6)


# -- odometry ------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(20))
def test_odometry_drifts_by_a_few_percent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pose = np.array([0.4, -0.3, 1.0])
    odometry = Odometry(rng, pose)
    travelled = turned = 0.0
    for k in range(500):
        v, w = 0.4, 0.5 * np.sin(k / 40)
        step = 0.02 * np.array([v * np.cos(pose[2]), v * np.sin(pose[2]), w])
        pose = pose + step
        travelled += 0.02 * v
        turned += abs(0.02 * w)
        odometry.update(pose)
    c, s = np.cos(1.0), np.sin(1.0)
    dx, dy = pose[0] - 0.4, pose[1] + 0.3
    true = np.array([c * dx + s * dy, -s * dx + c * dy])
    assert np.linalg.norm(odometry.pose[:2] - true) < 0.04 * travelled + 0.02
    assert abs(wrap(odometry.pose[2] - wrap(pose[2] - 1.0))) < 0.04 * turned + 1e-6


def test_odometry_starts_at_zero_and_stays_when_still(robot: SimRobot) -> None:
    assert not robot.read().base_pose.any()
    pose = robot.world.robot_pose()
    odometry = Odometry(np.random.default_rng(0), pose)
    for _ in range(100):
        odometry.update(pose)
    assert not odometry.pose.any()


def test_odometry_goes_through_the_seam_of_the_circle() -> None:
    odometry = Odometry(np.random.default_rng(1), np.array([0, 0, 3.1]))
    for yaw in np.linspace(3.1, 3.1 + 2 * np.pi, 200):
        odometry.update(np.array([0.0, 0.0, wrap(yaw)]))
    assert abs(odometry.pose[2]) < 0.3


# -- the gait and the model ----------------------------------------------------
def test_the_gait_has_a_contract_that_names_its_source() -> None:
    contract = Contract.load(WEIGHTS / "gait.json")
    (seen,), (action,) = contract.inputs, contract.outputs
    assert (seen.name, seen.shape[-1]) == ("actor_obs", 100)
    assert (action.name, action.shape[-1]) == ("action", 29)
    assert contract.source
    assert len(contract.sha256) == 64


def test_the_gait_never_sees_the_arms() -> None:
    q, still = DEFAULT_Q.copy(), np.zeros(29)
    rest = {"gravity": np.array([0.0, 0.0, -1.0])}
    a = Gait().targets(np.zeros(3), np.zeros(3), q=q, dq=still, **rest)
    waving, moving = q.copy(), still.copy()
    waving[ARMS] += 1.0
    moving[ARMS] = 3.0
    b = Gait().targets(np.zeros(3), np.zeros(3), q=waving, dq=moving, **rest)
    assert np.array_equal(a, b)
    assert a.shape == (29,)
    assert np.isfinite(a).all()


def test_the_gait_stands_when_nothing_is_asked() -> None:
    gait = Gait()
    body = {
        "gravity": np.array([0.0, 0.0, -1.0]), "q": DEFAULT_Q, "dq": np.zeros(29),
    }  # fmt: skip
    still = gait.targets(np.zeros(3), np.zeros(3), **body)
    assert np.abs(still - DEFAULT_Q)[:12].max() < 0.5
    phases = []
    for _ in range(10):
        gait.targets(np.array([0.4, 0.0, 0.0]), np.zeros(3), **body)
        phases.append(gait._phase.copy())
    assert np.ptp(np.array(phases)[:, 0]) > 0.5
    gait.targets(np.zeros(3), np.zeros(3), **body)
    assert np.array_equal(gait._phase, [np.pi, np.pi])


def test_the_model_has_our_joints_and_limits_of_torque() -> None:
    model = robot_spec().compile()
    for name, effort in zip(JOINTS, EFFORT, strict=True):
        motor = model.actuator(name)
        assert model.joint(name).id >= 0
        assert motor.forcerange.tolist() == [-effort, effort]
    assert {model.camera(i).name for i in range(model.ncam)} >= {
        m.name for m in CAMERAS
    }
