"""Distances: arms to the body and the scene, the base to boxes and people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bidden.core.messages import LEFT, RIGHT, Rung
from bidden.robot import g1
from bidden.robot.capsules import BodyCapsules, box_distances, segment_distances
from bidden.robot.ik import ArmIK
from bidden.robot.kinematics import Kinematics
from bidden.safety import Scene
from bidden.safety.scene import box_poses

UPRIGHT = np.array([0.0, 0.0, -1.0])
KINEMATICS, BODY = Kinematics(), BodyCapsules()
Make = Callable[..., Scene]


def arm_segments(q: np.ndarray) -> np.ndarray:
    segments = BODY.segments(KINEMATICS.base_link_poses(q, UPRIGHT))
    return segments[BODY.arms.ravel()]


def hand_speed(before: np.ndarray, after: np.ndarray) -> float:
    hands = [KINEMATICS.hand_poses(q, UPRIGHT)[:, :3, 3] for q in (before, after)]
    return float(np.linalg.norm(hands[1] - hands[0], axis=1).max() / 0.02)


def drive_hand(
    bench: Any,
    hand: int,
    direction: tuple[float, ...],
    *,
    ticks: int,
    scene: Any = None,
) -> tuple[set[str], float]:
    """Pull a hand along `direction` in the torso frame; reasons and top hand speed."""
    ik, reasons, fastest = ArmIK(hand), set(), 0.0
    for _ in range(ticks):
        q7 = bench.q[g1.ARM[hand]]
        X_TG = ik.pose(q7)
        X_TG[:3, 3] += np.array(direction)
        wish = bench.q[g1.ARMS].copy()
        wish[g1.ARM_IN_COMMAND[hand]] = ik.solve(X_TG, q7)
        before = bench.q.copy()
        extra = {} if scene is None else {"scene": scene}
        _, verdict = bench.tick(arm_q=wish, **extra)
        reasons |= set(verdict.reasons)
        fastest = max(fastest, hand_speed(before, bench.q))
    return reasons, fastest


def test_a_hand_is_no_faster_than_one_metre_per_second(bench: Any) -> None:
    wish = g1.READY_ARMS.copy()
    fastest, reasons = 0.0, set()
    for sign in (1, -1):
        for _ in range(15):
            wish = bench.q[g1.ARMS] + sign * np.array(
                [-0.06, 0, 0.06, 0.06, 0, 0, 0] * 2
            )
            before = bench.q.copy()
            _, verdict = bench.tick(arm_q=wish)
            fastest = max(fastest, hand_speed(before, bench.q))
            reasons |= set(verdict.reasons)
    assert "hand_speed" in reasons
    assert 0.8 < fastest < 1.01


@pytest.mark.parametrize("hand", [RIGHT, LEFT])
def test_a_hand_pulled_into_the_chest_stops_short_and_may_leave(
    bench: Any, hand: int
) -> None:
    inward = (-0.03, 0.03 if hand == RIGHT else -0.03, -0.01)
    reasons, _ = drive_hand(bench, hand, inward, ticks=120)
    assert "self_distance" in reasons
    gaps = BODY.self_distances(
        BODY.segments(KINEMATICS.base_link_poses(bench.q, UPRIGHT))
    )
    assert 0.009 < gaps.min() < 0.03
    stuck = bench.q.copy()
    reasons, _ = drive_hand(bench, hand, (0.05, -inward[1], 0.0), ticks=20)
    moved = KINEMATICS.hand_poses(bench.q, UPRIGHT) - KINEMATICS.hand_poses(
        stuck, UPRIGHT
    )
    assert moved[hand, 0, 3] > 0.02


def test_random_arms_never_touch_the_body(bench: Any) -> None:
    rng = np.random.default_rng(0)
    low, high = np.full(14, -3.0), np.full(14, 3.0)
    least = np.inf
    for k in range(1500):
        if k % 25 == 0:
            wish = rng.uniform(low, high)
        before = bench.q.copy()
        _, verdict = bench.tick(arm_q=wish)
        X = KINEMATICS.base_link_poses(bench.q, UPRIGHT)
        least = min(least, BODY.self_distances(BODY.segments(X)).min())
        assert verdict.rung <= Rung.SLOW
        assert hand_speed(before, bench.q) < 1.05
    assert least > 0.008


def test_one_arm_against_the_body_leaves_the_other_free(bench: Any) -> None:
    drive_hand(bench, RIGHT, (-0.03, 0.03, -0.01), ticks=120)
    ik = ArmIK(RIGHT)
    wish = bench.q[g1.ARMS].copy()
    X_TG = ik.pose(bench.q[g1.ARM[RIGHT]])
    X_TG[:3, 3] += (-0.03, 0.03, -0.01)
    wish[g1.ARM_IN_COMMAND[RIGHT]] = ik.solve(X_TG, bench.q[g1.ARM[RIGHT]])
    wish[0] += 0.01
    vetted, _ = bench.tick(arm_q=wish)
    assert vetted.command.arm_q[0] == pytest.approx(wish[0])


def hand_height_scene(bench: Any, table_of: Make) -> Scene:
    """A table under the hands."""
    hands = KINEMATICS.hand_poses(bench.q, UPRIGHT)[:, :3, 3]
    return table_of(x=0.16, top=float(hands[:, 2].min()) - 0.08)


@pytest.mark.parametrize("hand", [RIGHT, LEFT])
def test_a_hand_comes_down_to_the_table_and_no_further(
    bench: Any, table_of: Make, hand: int
) -> None:
    scene = hand_height_scene(bench, table_of)
    reasons, _ = drive_hand(bench, hand, (0.0, 0.0, -0.03), ticks=80, scene=scene)
    assert "scene_distance" in reasons
    gaps = box_distances(
        arm_segments(bench.q),
        box_poses(scene.box_centre, scene.box_yaw),
        scene.box_half,
    )
    gaps = gaps[:, 0] - BODY.radius[BODY.arms.ravel()]
    assert 0.0015 < gaps.min() < 0.012
    reasons, _ = drive_hand(bench, hand, (0.0, 0.0, 0.03), ticks=10, scene=scene)
    gaps_after = box_distances(
        arm_segments(bench.q),
        box_poses(scene.box_centre, scene.box_yaw),
        scene.box_half,
    )
    assert (gaps_after[:, 0] - BODY.radius[BODY.arms.ravel()]).min() > 0.05


def test_a_hand_pressed_down_slides_along_the_table(bench: Any, table_of: Make) -> None:
    scene = hand_height_scene(bench, table_of)
    drive_hand(bench, RIGHT, (0.0, 0.0, -0.03), ticks=60, scene=scene)
    before = KINEMATICS.hand_poses(bench.q, UPRIGHT)[RIGHT, :3, 3]
    reasons, _ = drive_hand(bench, RIGHT, (0.0, -0.02, -0.03), ticks=25, scene=scene)
    moved = KINEMATICS.hand_poses(bench.q, UPRIGHT)[RIGHT, :3, 3] - before
    assert "scene_distance" in reasons
    assert moved[1] < -0.04
    gaps = box_distances(
        arm_segments(bench.q),
        box_poses(scene.box_centre, scene.box_yaw),
        scene.box_half,
    )
    assert (gaps[:, 0] - BODY.radius[BODY.arms.ravel()]).min() > 0.0015


def test_a_hand_near_a_person_is_slow_and_keeps_its_distance(
    bench: Any, person_at: Make
) -> None:
    scene = person_at(0.75)
    reasons, fastest = drive_hand(bench, RIGHT, (0.06, 0, 0), ticks=80, scene=scene)
    assert {"hand_speed", "person_distance"} <= reasons
    assert fastest < 0.255
    gaps = segment_distances(arm_segments(bench.q), scene.person_ends)
    gaps -= BODY.radius[BODY.arms.ravel()] + scene.person_radius
    assert 0.095 < gaps.min() < 0.15


def settle_speed(bench: Any, wish: np.ndarray, scene: Scene) -> Any:
    for _ in range(30):
        vetted, verdict = bench.tick(base_velocity=wish, scene=scene)
    return vetted.command.base_velocity, verdict


FORWARD = np.array([0.5, 0.0, 0.0])


def test_a_far_table_does_not_matter(bench: Any, table_of: Make) -> None:
    velocity, verdict = settle_speed(bench, FORWARD, table_of(1.0))
    assert velocity == pytest.approx(FORWARD)
    assert verdict.rung is Rung.PASS
    assert 0 < verdict.margin_m < 1


@pytest.mark.parametrize(
    ("edge", "speed"), [(0.14, 0.0), (0.13, 0.0), (0.24, 0.15), (0.34, 0.3), (0.6, 0.5)]
)
def test_walking_into_a_table_slows_with_the_gap(
    bench: Any, table_of: Make, edge: float, speed: float
) -> None:
    velocity, verdict = settle_speed(bench, FORWARD, table_of(edge, top=0.4))
    assert velocity == pytest.approx((speed, 0, 0), abs=1e-9)
    assert ("scene_distance" in verdict.reasons) == (speed < 0.5)


def test_along_and_away_from_a_table_is_free(bench: Any, table_of: Make) -> None:
    for wish in ((0.0, 0.3, 0.5), (-0.3, 0.2, 0.0)):
        velocity, verdict = settle_speed(bench, np.array(wish), table_of(0.1, top=0.4))
        assert velocity == pytest.approx(wish)
        assert verdict.rung is Rung.PASS


def test_inside_a_box_only_the_way_out_is_open(bench: Any, table_of: Make) -> None:
    scene = table_of(-0.1, top=0.4)  # its centre lies ahead
    assert settle_speed(bench, FORWARD, scene)[0] == pytest.approx(
        np.zeros(3), abs=1e-9
    )
    out = np.array([-0.3, 0.0, 0.0])
    assert settle_speed(bench, out, scene)[0] == pytest.approx(out)


def test_boxes_overhead_and_door_sills_are_no_obstacle(
    bench: Any, table_of: Make
) -> None:
    sill = table_of(0.1, top=0.05)
    assert settle_speed(bench, FORWARD, sill)[0] == pytest.approx(FORWARD)
    shelf = replace(sill, box_centre=np.array([[0.4, 0.0, 1.6]]))
    assert settle_speed(bench, FORWARD, shelf)[0] == pytest.approx(FORWARD)


def walls(*yaws: float, gap: float) -> Scene:
    """Long walls whose faces are `gap` from the axis, square to directions `yaws`."""
    towards = np.array([[np.cos(a), np.sin(a)] for a in yaws])
    centre = np.concatenate([(gap + 0.1) * towards, np.full((len(yaws), 1), 0.3)], 1)
    return Scene(
        stamp_ns=5_000_000_000,
        box_centre=centre,
        box_half=np.tile([0.1, 0.6, 0.3], (len(yaws), 1)),
        box_yaw=np.array(yaws),
    )


def test_a_wall_lets_the_base_slide_along(bench: Any) -> None:
    velocity, verdict = settle_speed(bench, FORWARD, walls(np.pi / 4, gap=0.14))
    assert velocity == pytest.approx((0.25, -0.25, 0))
    assert verdict.reasons == ("scene_distance",)


@pytest.mark.parametrize("half_angle", [0.3, 0.8, 1.2, 1.4])
def test_a_narrowing_gap_stops_the_base(bench: Any, half_angle: float) -> None:
    scene = walls(half_angle, -half_angle, gap=0.13)
    velocity, verdict = settle_speed(bench, FORWARD, scene)
    assert np.hypot(*velocity[:2]) < 0.05
    assert verdict.reasons == ("scene_distance",)
    out = np.array([-0.3, 0.0, 0.4])
    assert settle_speed(bench, out, scene)[0] == pytest.approx(out)


@pytest.mark.parametrize(
    ("distance", "speed"),
    [(3.0, 0.5), (1.64, 0.5), (1.62, 0.4), (1.17, 0.32), (0.87, 0.08), (0.76, 0.0)],
)
def test_walking_up_to_a_person(
    bench: Any, person_at: Make, distance: float, speed: float
) -> None:
    velocity, verdict = settle_speed(bench, FORWARD, person_at(distance))
    assert velocity == pytest.approx((speed, 0, 0), abs=1e-3)
    assert ("person_distance" in verdict.reasons) == (speed < 0.5)
    assert verdict.margin_m < distance


def test_leaving_a_person_is_slow_but_free(bench: Any, person_at: Make) -> None:
    velocity, _ = settle_speed(bench, np.array([-0.45, 0.0, 0.0]), person_at(0.6))
    assert velocity == pytest.approx((-0.4, 0, 0))


def test_a_person_who_left_is_remembered_for_a_second(
    bench: Any, person_at: Make
) -> None:
    settle_speed(bench, FORWARD, person_at(1.5))
    speeds = [
        bench.tick(base_velocity=FORWARD, scene=person_at(9.0))[
            0
        ].command.base_velocity[0]
        for _ in range(70)
    ]
    assert max(speeds[:3]) <= 0.4  # it brakes from what was allowed
    assert max(speeds[3:49]) <= 0.25
    assert speeds[-1] == pytest.approx(0.5)


def test_a_person_beside_a_table_is_named(
    bench: Any, person_at: Make, table_of: Make
) -> None:
    person, table = person_at(0.7), table_of(2.0)
    both = replace(
        table, person_ends=person.person_ends, person_radius=person.person_radius
    )
    _, verdict = settle_speed(bench, FORWARD, both)
    assert verdict.reasons[0] == "person_distance"
    near = replace(both, box_centre=np.array([[0.45, 0.0, 0.3]]))
    for _ in range(60):  # forget the person's fault
        _, verdict = bench.tick(base_velocity=0 * FORWARD)
    _, verdict = settle_speed(bench, FORWARD, near)
    assert verdict.reasons[0] == "scene_distance"


def test_a_scene_is_carried_along_with_the_odometry(
    bench: Any, table_of: Make, state_of: Any
) -> None:
    """Seen from 0.5 m farther back, the table is near by now."""
    scene = table_of(0.64, top=0.4)
    for _ in range(20):
        state = state_of(bench.now_ns + 20_000_000, base_pose=np.array([0.5, 0, 0]))
        vetted, _ = bench.tick(base_velocity=FORWARD, scene=scene, state=state)
    assert vetted.command.base_velocity == pytest.approx(np.zeros(3), abs=1e-9)
