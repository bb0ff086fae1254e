"""The way out of a contact, against finite differences and brute force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bidden.robot import g1
from bidden.robot.capsules import BodyCapsules
from bidden.robot.kinematics import Kinematics
from bidden.safety import Limits, Scene
from bidden.safety.motion.arms import ArmMotion
from bidden.safety.motion.gaps import ArmGaps, surroundings_of
from bidden.safety.motion.step import nearest_step

KINEMATICS, GAPS, LIMITS = Kinematics(), ArmGaps(), Limits()
UPRIGHT = np.array([0.0, 0.0, -1.0])


def crowded(table_of: Callable[..., Scene], rng: np.random.Generator) -> Scene:
    scene = table_of()
    return replace(
        scene,
        box_centre=rng.uniform((0.2, -0.4, 0.6), (0.6, 0.4, 1.1), (3, 3)),
        box_half=rng.uniform(0.02, 0.3, (3, 3)),
        box_yaw=rng.uniform(-3, 3, 3),
        person_ends=rng.uniform(0.2, 0.8, (2, 3, 2)),
        person_radius=np.full(2, 0.05),
    )


def gap_after(kind: int, q: np.ndarray, scene: Scene, arm: int, row: int) -> float:
    """Gap at `q`, read from the room that it leaves (up to clearance and gain)."""
    X_PL = KINEMATICS.link_poses(np.stack([q, q]))
    X_BP = KINEMATICS.ground(X_PL[0], UPRIGHT)
    gaps = GAPS.measure(X_PL, surroundings_of(scene, X_BP), LIMITS)[kind]
    return float(gaps.room[arm][row])


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("arm", [0, 1])
def test_growth_of_scene_gaps(
    table_of: Callable[..., Scene], kind: int, arm: int
) -> None:
    rng = np.random.default_rng(kind)
    off: list[bool] = []
    for _ in range(30):
        q = g1.DEFAULT_Q.copy()
        q[g1.ARMS] = g1.READY_ARMS + 0.4 * rng.normal(size=14)
        scene = crowded(table_of, rng)
        X_PL = KINEMATICS.link_poses(np.stack([q, q]))
        X_BP = KINEMATICS.ground(X_PL[0], UPRIGHT)
        gaps = GAPS.measure(X_PL, surroundings_of(scene, X_BP), LIMITS)[kind]
        clear = np.flatnonzero(gaps.room[arm] > 0.005)[:5]
        if not len(clear):
            continue
        growth = GAPS.growth(arm, gaps.sides(arm, clear), X_PL[0])
        for row, own in zip(clear, growth, strict=True):
            for joint in range(7):
                up, down = q.copy(), q.copy()
                up[g1.ARM[arm]][joint] += 1e-6
                down[g1.ARM[arm]][joint] -= 1e-6
                slope = (
                    gap_after(kind, up, scene, arm, row)
                    - gap_after(kind, down, scene, arm, row)
                ) / (2e-6 * LIMITS.approach_gain)
                off.append(abs(slope - own[joint]) > 1e-4)
    assert len(off) > 300
    assert np.mean(off) < 0.03  # where the nearest feature changes


def test_growth_of_self_gaps() -> None:
    rng = np.random.default_rng(0)
    body, right = BodyCapsules(), 0
    for _ in range(10):
        q = g1.DEFAULT_Q.copy()
        q[g1.ARMS] = g1.READY_ARMS + 0.3 * rng.normal(size=14)
        X_PL = KINEMATICS.link_poses(np.stack([q, q]))
        X_BP = KINEMATICS.ground(X_PL[0], UPRIGHT)
        gaps = GAPS.measure(X_PL, surroundings_of(Scene(), X_BP), LIMITS)[0]
        rows = np.arange(len(body.pairs))
        growth = GAPS.growth(right, gaps.sides(right, rows), X_PL[0])
        for joint in range(7):
            step = np.zeros(29)
            step[g1.ARM[right]][joint] = 1e-6
            both = KINEMATICS.link_poses(np.stack([q + step, q - step]))
            up, down = body.self_distances(body.segments(both))
            slope = (up - down) / 2e-6
            far = np.abs(slope - growth[:, joint]) > 1e-4
            assert far.mean() < 0.03  # kinks of the distance


def test_inside_a_box_the_nearest_face_is_the_way_out(
    table_of: Callable[..., Scene],
) -> None:
    q = g1.DEFAULT_Q.copy()
    q[g1.ARMS] = g1.READY_ARMS
    hands = KINEMATICS.hand_poses(q, UPRIGHT)[:, :3, 3]
    scene = table_of(x=0.0, top=float(hands[:, 2].max()) + 0.03)
    X_PL = KINEMATICS.link_poses(np.stack([q, q]))
    X_BP = KINEMATICS.ground(X_PL[0], UPRIGHT)
    gaps = GAPS.measure(X_PL, surroundings_of(scene, X_BP), LIMITS)[1]
    sides = gaps.sides(0, np.array([4]))  # a finger of the right hand
    assert X_BP[:3, :3] @ sides[0][2][0] == pytest.approx((0, 0, 1))


def test_nearest_step_slides_along_a_wall() -> None:
    gradient, room = np.array([[-1.0, 0.0]]), np.array([0.1])
    wish = np.array([0.5, 0.3])
    assert nearest_step(wish, gradient, room) == pytest.approx((0.1, 0.3))
    assert nearest_step(np.array([-0.5, 0.3]), gradient, room) == pytest.approx(
        (-0.5, 0.3)
    )


def test_nearest_step_against_brute_force() -> None:
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(*[np.linspace(-2, 2, 201)] * 2), axis=-1).reshape(-1, 2)
    for _ in range(50):
        gradient, room = rng.normal(size=(3, 2)), rng.uniform(0, 0.5, 3)
        wish = rng.uniform(-1, 1, 2)
        free = grid[(grid @ gradient.T >= -room - 1e-9).all(axis=1)]
        best = free[np.argmin(np.square(free - wish).sum(axis=1))]
        own = nearest_step(wish, gradient, room)
        if (gradient @ own >= -room - 1e-3).all():  # eight sweeps were enough
            assert np.linalg.norm(own - wish) <= np.linalg.norm(best - wish) + 1e-2


def test_nearest_step_without_a_way_out_changes_nothing() -> None:
    wish = np.array([0.5, 0.3])
    own = nearest_step(wish, np.zeros((1, 2)), np.zeros(1))
    assert own == pytest.approx(wish)


def test_the_margin_of_a_step_is_that_of_the_nearest_kind_of_thing(
    person_at: Callable[..., Scene],
) -> None:
    q, X_BP = g1.DEFAULT_Q.copy(), np.eye(4)
    q[g1.ARMS] = g1.READY_ARMS
    X_BP[2, 3] = 0.75
    after = q.copy()
    after[g1.ARMS] += 0.01
    X_PL = KINEMATICS.link_poses(np.stack([q, after]))
    for x, kind in ((1.4, 0), (0.40, 1)):  # the own body, then the person
        scene = person_at(x)
        gaps = GAPS.measure(X_PL, surroundings_of(scene, X_BP), LIMITS)
        margins = [one.margin for one in gaps]
        assert np.argmin(margins) == kind, margins
        step = ArmMotion(KINEMATICS)(
            q[g1.ARMS], after[g1.ARMS],
            q=q, X_BP=X_BP, scene=scene, period=0.02, limits=LIMITS,
        )  # fmt: skip
        assert step.margin == pytest.approx(min(margins), abs=2e-3)
