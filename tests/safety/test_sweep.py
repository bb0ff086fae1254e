"""A turn carries the arms along: into a person it is slowed, away from one not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidden.core.messages import Array, Rung
from bidden.robot.capsules import BodyCapsules, segment_distances
from bidden.robot.g1 import ARM, DEFAULT_Q, READY_ARMS
from bidden.robot.kinematics import Kinematics
from bidden.safety import Limits, Scene
from bidden.safety.limits import ARM_LOWER, ARM_UPPER
from bidden.safety.motion import ArmGaps, Step, Sweep

KINEMATICS, BODY, SWEEP = Kinematics(), BodyCapsules(), Sweep(ArmGaps())
DOWN = np.array([0.0, 0.0, -1.0])
LIMITS = Limits()


def posture() -> Array:
    q = DEFAULT_Q.copy()
    q[15:] = READY_ARMS
    q[ARM[0]] = 0.0
    q[ARM[0].start] = -1.2  # the right arm is held out
    return q


def person(x: float, y: float) -> Scene:
    return Scene(
        stamp_ns=1,
        person_ends=np.array([[[x, x], [y, y], [0.2, 1.5]]]),
        person_radius=np.array([0.2]),
    )


def sweep(velocity: Array, scene: Scene, q: Array) -> Step:
    X_PL = KINEMATICS.link_poses(q)
    near = SWEEP.near(X_PL, KINEMATICS.ground(X_PL, DOWN), scene)
    return SWEEP.slowed(velocity, near, limits=LIMITS)


def gap(scene: Scene, q: Array, moved: Array) -> float:
    """Least gap after the base has moved by x, y, yaw, by another way."""
    X_PL = KINEMATICS.link_poses(q)
    X_BP = KINEMATICS.ground(X_PL, DOWN)
    arms = BODY.segments(X_PL)[BODY.arms.ravel()]
    arms = X_BP[:3, :3] @ arms + X_BP[:3, 3:]
    c, s = np.cos(moved[2]), np.sin(moved[2])
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    arms = R @ arms + np.array([moved[0], moved[1], 0.0])[:, None]
    distance = segment_distances(arms[:, None], scene.person_ends)
    return float((distance - BODY.radius[BODY.arms.ravel(), None]).min() - 0.2)


numbers = st.floats(-0.9, 0.9, allow_nan=False)


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(numbers, numbers, numbers),
    st.floats(0.3, 1.2),
    st.floats(-3.1, 3.1),
    st.lists(st.floats(-0.5, 0.5), min_size=14, max_size=14),
)
def test_no_arm_nears_a_person_faster_than_its_gap_allows(
    velocity: tuple[float, float, float], away: float, angle: float, bend: list[float]
) -> None:
    q = posture()
    q[15:] += bend
    scene = person(away * np.cos(angle), away * np.sin(angle))
    step = sweep(np.array(velocity), scene, q)
    dt = 1e-4
    before = gap(scene, q, np.zeros(3))
    lost = (before - gap(scene, q, dt * step.value)) / dt
    assert lost <= LIMITS.person_gain * max(before - LIMITS.person_clearance, 0) + 1e-2
    assert np.abs(step.value).max() <= np.abs(velocity).max() + 1e-12
    assert np.allclose(np.cross(step.value, velocity), 0.0)  # slowed, not turned


def test_a_turn_into_a_person_is_slowed_and_one_away_is_not() -> None:
    q = posture()
    hand = KINEMATICS.hand_poses(q, DOWN)[0][:3, 3]
    scene = person(float(hand[0]), float(hand[1]) - 0.45)  # to the right of the hand
    into = sweep(np.array([0.0, 0.0, -0.9]), scene, q)
    assert -0.5 < into.value[2] <= 0.0
    assert into.found[0][0] is Rung.SLOW
    away = sweep(np.array([0.0, 0.0, 0.9]), scene, q)
    assert away.value[2] == 0.9
    assert not away.found
    assert away.margin < 0.3


@pytest.mark.parametrize("scene", [Scene(), person(3.0, 0.0)], ids=["nobody", "far"])
def test_nobody_near_changes_nothing(scene: Scene) -> None:
    velocity = np.array([0.8, -0.4, 0.9])
    step = sweep(velocity, scene, posture())
    assert step.value is velocity
    assert not step.found


def test_a_base_that_stands_needs_no_look() -> None:
    still = np.zeros(3)
    assert sweep(still, person(0.5, 0.0), posture()).value is still


def test_an_arm_inside_the_clearance_allows_no_nearing_at_all() -> None:
    q = posture()
    hand = KINEMATICS.hand_poses(q, DOWN)[0][:3, 3]
    scene = person(float(hand[0]) + 0.3, float(hand[1]))
    step = sweep(np.array([0.3, 0.0, 0.0]), scene, q)
    assert not step.value.any()


def give_way(velocity: Array, scene: Scene, q: Array) -> tuple[Step, tuple[float, ...]]:
    """What becomes of a wish to hold the posture when the body moves so."""
    X_PL = KINEMATICS.link_poses(q)
    return SWEEP.give_way(
        q[15:],
        q[15:],
        SWEEP.near(X_PL, KINEMATICS.ground(X_PL, DOWN), scene),
        velocity=velocity,
        period=0.02,
        limits=LIMITS,
    )


def before_the_hand(q: Array, distance: float) -> Scene:
    """A person ahead of the right hand, so far from its axis."""
    x, y, _ = KINEMATICS.hand_poses(q, DOWN)[0][:3, 3]
    return person(float(x) + 0.2 + distance, float(y))


STUMBLE = np.array([0.6, 0.0, 0.0])


def test_an_arm_that_a_stumble_carries_into_a_person_gives_way_as_fast() -> None:
    q = posture()
    scene = before_the_hand(q, 0.25)
    step, speeds = give_way(STUMBLE, scene, q)
    assert step.found == [(Rung.SLOW, "person_distance")]
    assert speeds[0] == pytest.approx(0.6, abs=0.05)
    after = q.copy()
    after[15:] = step.value
    won = gap(scene, after, np.zeros(3)) - gap(scene, q, np.zeros(3))
    assert won == pytest.approx(0.02 * speeds[0], rel=0.2)


def test_the_other_arm_does_as_it_wishes() -> None:
    q = posture()
    step, speeds = give_way(STUMBLE, before_the_hand(q, 0.25), q)
    assert (step.value[:7] == q[15:22]).all()
    assert speeds[1] == 0.0


@pytest.mark.parametrize(
    ("velocity", "distance"),
    [
        ((0.1, 0.0, 0.0), 0.2),  # the sway of walking in place
        ((-0.6, 0.0, 0.0), 0.2),  # away
        ((0.0, 0.0, 0.0), 0.2),
        ((0.6, 0.0, 0.0), 0.6),  # the next step will catch it
        ((0.6, 0.0, 0.0), 3.0),
    ],
)
def test_no_arm_gives_way_to_less(
    velocity: tuple[float, float, float], distance: float
) -> None:
    q = posture()
    step, speeds = give_way(np.array(velocity), before_the_hand(q, distance), q)
    assert (step.value == q[15:]).all()
    assert step.found == []
    assert speeds == (0.0, 0.0)


def test_a_joint_at_its_end_is_not_asked_to_give_way() -> None:
    q = posture()
    scene = before_the_hand(q, 0.25)
    free, _ = give_way(STUMBLE, scene, q)
    turned = free.value[7:] - q[22:]
    joint = int(np.abs(turned).argmax())
    end = (ARM_UPPER if turned[joint] > 0 else ARM_LOWER)[7 + joint]
    at_end = q[15:].copy()
    at_end[7 + joint] = end
    X_PL = KINEMATICS.link_poses(q)
    step, _ = SWEEP.give_way(
        at_end, at_end, SWEEP.near(X_PL, KINEMATICS.ground(X_PL, DOWN), scene),
        velocity=STUMBLE, period=0.02, limits=LIMITS,
    )  # fmt: skip
    assert step.value[7 + joint] == end
    assert np.abs(step.value[7:] - at_end[7:]).max() > 0.0
