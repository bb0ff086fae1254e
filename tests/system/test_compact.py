"""The trained policy with tiny stand-ins for its networks: what it reads and says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from bidden.brain.models import Contract, FakeNetwork, TensorSpec
from bidden.brain.models.contract import AnyArray
from bidden.brain.perception import VisionPipeline
from bidden.brain.policy.belief import UNKNOWN_BELOW, Belief, features
from bidden.core.messages import (
    LEFT,
    RIGHT,
    ActionChunk,
    Array,
    Goal,
    Image,
    Observation,
    Skill,
)
from bidden.robot.g1 import CAMERAS
from bidden.robot.kinematics import Kinematics, camera_matrix
from bidden.system import compact
from bidden.system.compact import CHUNK_STEPS, CompactPolicy
from bidden.system.executor import REST_HAND

HEAD = CAMERAS[0]
N_FEATURES = len(
    features(
        Belief(
            skill=Skill.STOP, role="pose", known=False, target=np.zeros(3),
            target_yaw=0.0, hand=np.zeros(6), hand_target=np.zeros(6),
            grip_command=0.0, grip_width=0.0, grip_force=0.0,
            base_velocity=np.zeros(3), elapsed_s=0.0,
        )
    )
)  # fmt: skip
PICK = Goal(skill=Skill.PICK, instruction="", phrases={"object": "red cube"})


def specs(**shapes: tuple[int | str, ...]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name=name, shape=shape, dtype="float32", meaning="test")
        for name, shape in shapes.items()
    )


def contract(name: str, inputs: Any, outputs: Any) -> Contract:
    return Contract(
        schema=1, name=name, version="1", sha256="", inputs=inputs, outputs=outputs
    )


VISION = contract(
    "vision",
    specs(image=(1, 5, 160, 160)),
    specs(features=(1, 8, 40, 40), tokens=(1, 100, 16)),
)
FUSION = contract(
    "fusion",
    specs(
        features=(1, 8, 40, 40), tokens=(1, 100, 16), native=(1, 4, 320, 320),
        camera=(1, 4), up=(1, 3), phrases=("Q", 16, 384), mask=("Q", 16),
        belief=(1, N_FEATURES),
    ),
    specs(
        point=("Q", 3), pixel=("Q", 2), spread=("Q",), confidence=("Q",),
        candidates=("Q", 3, 3), scores=("Q", 3), local=("Q", 8),
        actions=(1, CHUNK_STEPS, 12), action_spread=(1, CHUNK_STEPS, 12),
    ),
)  # fmt: skip


@dataclass
class Eyes:
    """A fusion network that sees one thing at a point of the camera frame."""

    point: Array = field(default_factory=lambda: np.array([0.1, 0.1, 1.0]))
    confidence: float = 0.95
    scores: tuple[float, float, float] = (0.95, 0.0, 0.0)
    other: Array = field(default_factory=lambda: np.array([-0.4, 0.1, 1.0]))
    action: Array = field(default_factory=lambda: np.linspace(0.01, 0.12, 12))
    fake: FakeNetwork = field(default_factory=lambda: FakeNetwork(FUSION))

    @property
    def contract(self) -> Contract:
        return self.fake.contract

    def run(self, inputs: Mapping[str, AnyArray]) -> dict[str, Array]:
        out = self.fake.run(inputs)
        out["point"][:] = self.point
        out["spread"][:] = 0.01
        out["confidence"][:] = self.confidence
        out["candidates"][:] = np.stack([self.point, self.other, self.other])
        out["scores"][:] = self.scores
        out["actions"][:] = self.action
        out["action_spread"][:] = 0.5
        return out

    def beliefs(self) -> list[AnyArray]:
        return [call["belief"][0] for call in self.fake.calls]


def encode(phrase: str) -> tuple[Array, Array]:
    return np.zeros((16, 384), np.float32), np.ones(16, np.float32)


@pytest.fixture
def eyes() -> Eyes:
    return Eyes()


@pytest.fixture
def policy(eyes: Eyes) -> CompactPolicy:
    return CompactPolicy(VisionPipeline(FakeNetwork(VISION), eyes, encode))


@pytest.fixture
def image(robot: Any) -> Image:
    state = robot.read()
    return Image(
        stamp_ns=state.stamp_ns,
        camera="head",
        rgb=np.full((320, 320, 3), 120, np.uint8),
        depth=np.full((320, 320), 1.5, np.float32),
        K=camera_matrix(HEAD),
        X_BC=Kinematics().camera_pose(state.q, state.gravity, mount=HEAD),
    )


@pytest.fixture
def look(robot: Any, image: Image) -> Observation:
    return observation(robot, image)


def observation(
    robot: Any, image: Image | None, goal: Goal = PICK, *, after_s: float = 0.0
) -> Observation:
    state = robot.read()
    return Observation(
        stamp_ns=state.stamp_ns + round(after_s * 1e9),
        state=state,
        images={} if image is None else {"head": image},
        goal=goal,
        started_ns=state.stamp_ns,
        start_pose=state.base_pose,
        hand_target=REST_HAND.copy(),
        grip_command=np.array([1.0, 0.0]),
    )


def moves(chunk: ActionChunk) -> bool:
    return bool(np.any(chunk.actions[:, :9]) or np.any(chunk.actions[:, 11]))


# -- when it cannot see -------------------------------------------------------------
def test_without_a_camera_it_stands_and_says_so(
    policy: CompactPolicy, robot: Any
) -> None:
    policy.reset(PICK)
    chunk = policy.act(observation(robot, None))
    assert chunk.note == "no image from the head camera"
    assert not moves(chunk)
    assert (chunk.actions[:, 9] == 1.0).all()  # what it holds, it keeps


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"depth": np.full((320, 320), np.nan, np.float32)}, "not finite"),
        ({"rgb": np.zeros((320, 320, 3), np.uint8)}, "is black"),
        ({"rgb": np.ones((240, 320, 3), np.uint8)}, "expected (320, 320, 3)"),
        ({"depth": np.ones((240, 320), np.float32)}, "expected (320, 320)"),
        ({"X_BC": np.full((4, 4), np.nan)}, "not finite"),
    ],
)
def test_a_bad_image_stands_still_with_a_reason(
    policy: CompactPolicy, robot: Any, image: Image, change: Any, words: str
) -> None:
    policy.reset(PICK)
    chunk = policy.act(observation(robot, replace(image, **change)))
    assert words in chunk.note
    assert not moves(chunk)
    assert chunk.actions.shape == (CHUNK_STEPS, 12)


def test_sight_comes_back(
    policy: CompactPolicy, robot: Any, image: Image, look: Observation
) -> None:
    policy.reset(PICK)
    assert policy.act(observation(robot, None)).note
    chunk = policy.act(look)
    assert chunk.note == ""
    assert moves(chunk)


# -- when it sees --------------------------------------------------------------------
def test_it_acts_on_what_it_has_just_seen(
    policy: CompactPolicy, eyes: Eyes, look: Observation, image: Image
) -> None:
    policy.reset(PICK)
    policy.act(look)
    chunk = policy.act(look)
    first, *others = eyes.beliefs()  # one look to know, then one for each call
    assert not first.any()
    assert all(belief.any() for belief in others)
    assert not chunk.searching
    seen = image.X_BC[:3, :3] @ eyes.point + image.X_BC[:3, 3]
    assert np.allclose(chunk.groundings[0].p_B, seen, atol=0.02)
    assert chunk.groundings[0].phrase == "red cube"
    expected = eyes.action.astype(np.float32)
    expected[10] = RIGHT
    assert np.allclose(chunk.actions, expected)
    assert (chunk.policy, chunk.stamp_ns) == ("compact", look.stamp_ns)


def test_it_searches_what_it_has_not_seen(
    policy: CompactPolicy, eyes: Eyes, look: Observation
) -> None:
    eyes.confidence, eyes.scores = 0.01, (0.01, 0.0, 0.0)
    policy.reset(PICK)
    assert policy.act(look).searching


def test_only_one_look_a_call_after_the_first(
    policy: CompactPolicy, eyes: Eyes, look: Observation
) -> None:
    policy.reset(PICK)
    for _ in range(3):
        policy.act(look)
    assert len(eyes.beliefs()) == 4


def test_moving_by_an_amount_names_nothing(
    policy: CompactPolicy, eyes: Eyes, robot: Any, image: Image
) -> None:
    goal = Goal(skill=Skill.MOVE_BY, instruction="", amount=np.array([1.0, 0.0, 0.0]))
    policy.reset(goal)
    chunk = policy.act(observation(robot, image, goal))
    assert len(eyes.beliefs()) == 1
    assert not chunk.searching
    assert moves(chunk)


def test_the_left_hand_gets_mirrored_actions(
    policy: CompactPolicy, eyes: Eyes, robot: Any, image: Image
) -> None:
    goal = replace(PICK, hand=LEFT)
    policy.reset(goal)
    chunk = policy.act(observation(robot, image, goal))
    flip = np.array([1, -1, -1, 1, -1, 1, -1, 1, -1, 1, 1, 1.0])
    expected = eyes.action * flip
    expected[10] = LEFT
    assert np.allclose(chunk.actions, expected)


def test_two_that_fit_are_asked_about_before_moving(
    policy: CompactPolicy, eyes: Eyes, robot: Any, image: Image
) -> None:
    eyes.scores = (0.95, 0.9, 0.0)
    policy.reset(PICK)
    notes = [
        policy.act(observation(robot, image, after_s=0.2 * k)).note for k in range(4)
    ]
    assert notes[0] == ""
    assert notes[-1].startswith("I see 2 things that could be the red cube (")
    assert notes[-1].endswith("Which one?")
    late = policy.act(observation(robot, image, after_s=2.0))
    assert late.note == ""  # under way it keeps to the one it chose


def test_a_new_goal_does_not_inherit_the_point_of_another_phrase(
    policy: CompactPolicy, eyes: Eyes, robot: Any, look: Observation, image: Image
) -> None:
    policy.reset(PICK)
    policy.act(look)
    eyes.confidence, eyes.scores = 0.01, (0.01, 0.0, 0.0)
    other = replace(PICK, phrases={"object": "blue ball"})
    policy.reset(other)
    assert policy.act(observation(robot, image, other)).searching


def test_what_was_seen_is_kept_over_a_moment_of_blindness(
    policy: CompactPolicy, eyes: Eyes, robot: Any, look: Observation, image: Image
) -> None:
    policy.reset(PICK)
    policy.act(look)
    eyes.confidence, eyes.scores = 0.01, (0.01, 0.0, 0.0)
    black = replace(image, rgb=np.zeros_like(image.rgb))
    policy.act(observation(robot, black, after_s=0.2))
    assert not policy.act(observation(robot, image, after_s=0.4)).searching


def test_find_answers_every_phrase(policy: CompactPolicy, image: Image) -> None:
    found = policy.find(image, ("red cube", "door"))
    assert [g.phrase for g in found] == ["red cube", "door"]
    assert all(np.isfinite(g.p_B).all() for g in found)


# -- what hangs from the hand --------------------------------------------------------
def test_how_far_a_thing_reaches_down_is_known_when_it_is_put(
    policy: CompactPolicy, eyes: Eyes, robot: Any, image: Image, monkeypatch: Any
) -> None:
    R, p = image.X_BC[:3, :3], image.X_BC[:3, 3]
    hand = Kinematics().hand_poses(robot.read().q, robot.read().gravity)[RIGHT][:3, 3]
    eyes.point = R.T @ (hand + np.array([0.1, 0.05, -0.03]) - p)
    seen: list[Array] = []

    def surface(image: Image, p_B: Array) -> float:
        seen.append(p_B)
        return float(hand[2]) - 0.045

    monkeypatch.setattr(compact, "support_height", surface)
    policy.reset(PICK)
    robot.grip[:], robot.something_between = 0.0, False
    for k in range(3):  # it looks while it approaches
        policy.act(observation(robot, image, after_s=0.2 * k))
    assert seen
    robot.grip[:], robot.something_between = 1.0, True
    looks = len(seen)
    for k in range(3):  # and not while it holds
        policy.act(observation(robot, image, after_s=1 + 0.2 * k))
    assert len(seen) == looks
    put = replace(PICK, skill=Skill.PUT, phrases={"receptacle": "blue bowl"})
    policy.reset(put)
    policy.act(observation(robot, image, put))
    assert eyes.beliefs()[-1][-1] == pytest.approx(0.45, abs=1e-3)
    policy.reset(PICK)  # the next thing may be of another height
    policy.reset(put)
    policy.act(observation(robot, image, put))
    assert eyes.beliefs()[-1][-1] == pytest.approx(10 * UNKNOWN_BELOW)
