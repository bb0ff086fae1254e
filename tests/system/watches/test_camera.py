"""A camera that cannot be trusted holds the robot until it has been good again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from bidden.core.messages import (
    ActionChunk,
    Advice,
    Goal,
    Image,
    Observation,
    RobotState,
    Rung,
    Skill,
)
from bidden.system.watches.camera import CameraWatch

MS = 1_000_000
GOAL = Goal(skill=Skill.WAVE, instruction="wave")
CHUNK = ActionChunk(stamp_ns=0, actions=np.zeros((8, 12)), spread=np.zeros((8, 12)))
STATE = RobotState(
    stamp_ns=0, q=np.zeros(29), dq=np.zeros(29), torque=np.zeros(29),
    gyro=np.zeros(3), gravity=np.array([0, 0, -1.0]), base_pose=np.zeros(3),
    base_velocity=np.zeros(3), grip_width=np.zeros(2), grip_force=np.zeros(2),
)  # fmt: skip


def picture(seed: int = 0) -> np.ndarray:
    """Soft shapes and a little noise, as a room has them."""
    r = np.random.default_rng(seed)
    v, u = np.mgrid[:120, :160] / 40.0
    grey = 120 + 60 * np.sin(u + seed) * np.cos(1.3 * v) + r.normal(0, 2, v.shape)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def image(stamp_ns: int, rgb: np.ndarray | None = None) -> Image:
    return Image(
        stamp_ns=stamp_ns, camera="head",
        rgb=picture(stamp_ns // MS % 1000) if rgb is None else rgb,
        depth=None, K=np.eye(3), X_BC=np.eye(4),
    )  # fmt: skip


Judge = Callable[..., Advice | None]


@pytest.fixture
def judge() -> Judge:
    watch = CameraWatch()

    def look(now_ns: int, shown: Image | None) -> Advice | None:
        images = {} if shown is None else {"head": shown}
        return watch.judge(
            CHUNK,
            Observation(
                stamp_ns=now_ns, state=STATE, images=images, goal=GOAL, started_ns=0,
                start_pose=np.zeros(3), hand_target=np.zeros((2, 6)),
                grip_command=np.zeros(2),
            ),
        )  # fmt: skip

    return look


def test_fresh_pictures_say_nothing(judge: Judge) -> None:
    for k in range(10):
        assert judge(k * 200 * MS, image(k * 200 * MS)) is None


def test_a_policy_without_eyes_is_left_alone(judge: Judge) -> None:
    assert judge(5 * MS, None) is None


@pytest.mark.parametrize(("age_ms", "holds"), [(80, False), (81, True), (-1, True)])
def test_an_old_or_future_frame_holds(judge: Judge, age_ms: int, holds: bool) -> None:
    advice = judge(1000 * MS, image((1000 - age_ms) * MS))
    assert (advice is not None) == holds
    if advice is not None:
        assert (advice.rung, advice.reason) == (Rung.HOLD, "image_stale")
        assert advice.score == pytest.approx(age_ms * 1e-3)


def test_the_same_bytes_with_a_new_stamp_hold(judge: Judge) -> None:
    first = image(0)
    assert judge(0, first) is None
    assert judge(1 * MS, first) is None  # the same frame, read twice
    advice = judge(200 * MS, replace(first, stamp_ns=200 * MS))
    assert advice is not None
    assert advice.reason == "image_frozen"


def test_a_standing_camera_with_a_noisy_depth_is_not_frozen(judge: Judge) -> None:
    rgb = picture()
    for k in range(5):
        depth = np.full((120, 160), 1.0 + 1e-4 * k, np.float32)
        shown = replace(image(k * 200 * MS, rgb), depth=depth)
        assert judge(k * 200 * MS, shown) is None


@pytest.mark.parametrize("kind", ["black", "white", "grey", "noise", "empty", "float"])
def test_what_is_no_picture_holds(judge: Judge, kind: str) -> None:
    r = np.random.default_rng(1)
    rgb = {
        "black": np.zeros((120, 160, 3), np.uint8),
        "white": np.full((120, 160, 3), 255, np.uint8),
        "grey": np.full((120, 160, 3), 128, np.uint8),
        "noise": r.integers(0, 256, (120, 160, 3), np.uint8),
        "empty": np.zeros((0, 0, 3), np.uint8),
        "float": np.full((120, 160, 3), np.nan),
    }[kind]
    advice = judge(0, image(0, rgb))
    assert advice is not None
    assert (advice.rung, advice.reason) == (Rung.HOLD, "image_unusable")


def test_it_holds_until_a_second_of_good_frames(judge: Judge) -> None:
    assert judge(0, image(0, np.zeros((120, 160, 3), np.uint8))) is not None
    for k in range(1, 6):
        assert judge(k * 200 * MS, image(k * 200 * MS)) is not None
    assert judge(1200 * MS, image(1200 * MS)) is None
    assert judge(1400 * MS, image(1400 * MS)) is None
