"""The rig: a second is played, its truth is told, and all is as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bidden.adapters.sim.scene import SceneConfig, ThingConfig
from bidden.core.messages import ActionChunk
from bidden.training.safety.collect import Probe, load, save
from bidden.training.safety.falls import pack, unpack
from bidden.training.safety.rig import Rig
from bidden.training.safety.seen import seen_scene

WALL = ThingConfig(
    name="shelf", kind="landmark", shape="shelf", position=(0.62, 0.0, 0.0),
    half_size=(0.14, 0.4, 0.75),
)  # fmt: skip


@pytest.fixture(scope="module")
def rig() -> Rig:
    scene = SceneConfig(things=(WALL,), room_half=5.0)
    return Rig(scene, np.random.default_rng(0))


def chunk(rig: Rig, **columns: float) -> ActionChunk:
    actions = np.zeros((8, 12))
    for name, value in columns.items():
        actions[:, {"vx": 0, "vy": 1, "dx": 3, "dy": 4}[name]] = value
    stamp = rig.robot.now_ns
    return ActionChunk(stamp_ns=stamp, actions=actions, spread=0 * actions)


def test_a_rehearsal_leaves_no_trace_and_repeats(rig: Rig) -> None:
    rig.stand(-2.0, 0.0, 0.0)
    before = rig.robot.read(), rig.world.data.qpos.copy()
    one = rig.rehearse(chunk(rig, vx=0.4, dx=0.01))
    assert np.array_equal(rig.world.data.qpos, before[1])
    assert rig.robot.read().stamp_ns == before[0].stamp_ns
    two = rig.rehearse(chunk(rig, vx=0.4, dx=0.01))
    assert np.array_equal(one.base, two.base)
    assert np.array_equal(one.hands, two.hands)
    assert one.base[-1, 0] > 0.1


def test_a_moment_comes_back_with_push_load_soles_and_crouch(rig: Rig) -> None:
    rig.stand(-2.0, 0.0, 0.0)
    rig.load_hands(np.array([1.0, 0.0]))
    rig.set_friction(0.4)
    moment = rig.freeze()
    ends = []
    for _ in range(2):
        rig.thaw(moment)
        assert rig.friction == 0.4
        rig.run(5)
        ends.append(rig.world.data.qpos.copy())
        rig.load_hands(np.zeros(2))
        rig.set_friction(0.1)
        rig.push(np.array([100.0, 0.0, 0.0]), seconds=0.1)
        rig.loop.shield.press()
        rig.run(80)
        assert rig.robot._crouch.depth > 0.0
    assert np.array_equal(ends[0], ends[1])
    rig.thaw(moment)
    assert rig.robot._crouch.depth == 0.0


def test_walking_into_a_shelf_is_a_contact_and_standing_is_none(rig: Rig) -> None:
    rig.stand(0.25, 0.0, 0.0)
    touched = rig.rehearse(chunk(rig, vx=0.8))
    assert touched.furniture_s < 1.0
    assert touched.person_s == touched.fall_s == np.inf
    rig.stand(-2.0, 0.0, 0.0)
    still = rig.rehearse(chunk(rig))
    assert still.furniture_s == still.self_s == still.speed_s == np.inf
    assert not still.was_touching


def test_too_fast_and_into_the_own_body_are_breaches(rig: Rig) -> None:
    rig.stand(-2.0, 0.0, 0.0)
    assert rig.rehearse(chunk(rig, vx=1.5)).speed_s <= 0.1
    assert rig.rehearse(chunk(rig, dx=-0.03, dy=0.04)).self_s < 1.0


def test_a_hard_push_makes_it_fall(rig: Rig) -> None:
    rig.stand(-2.0, 0.0, 0.0)
    rig.push(np.array([0.0, 900.0, 0.0]), seconds=0.2)
    truth = rig.rehearse(chunk(rig), seconds=2.0)
    assert truth.fall_s < 2.0
    assert not rig.has_fallen()


def test_what_perception_would_tell(rig: Rig) -> None:
    rig.stand(-0.5, 0.0, 0.0)
    rng = np.random.default_rng(1)
    scene = seen_scene(rig.world, 5, np.zeros(3), rng)
    assert len(scene.box_yaw) == 1
    x = scene.box_centre[0, 0] - scene.box_half[0, 0]
    assert x == pytest.approx(0.62 + 0.5 - 0.14 - 0.12, abs=0.06)
    rig.stand(-2.6, 0.0, 0.0)
    assert seen_scene(rig.world, 5, np.zeros(3), rng).is_empty


def test_probes_and_states_come_back_from_a_file(rig: Rig, tmp_path: Path) -> None:
    rig.stand(0.0, 0.0, 0.0)
    state = rig.robot.read()
    scene = seen_scene(rig.world, 5, state.base_pose, np.random.default_rng(1))
    probe = Probe(
        state=state,
        scene=scene,
        chunk=chunk(rig, vx=0.1),
        hand_target=rig.executor.hand_target.copy(),
        truth=rig.rehearse(chunk(rig, vx=0.1)),
        kind="test",
        seed=3,
    )
    save([probe], tmp_path / "p.npz")
    (back,) = load(tmp_path / "p.npz")
    assert np.array_equal(back.state.q, state.q)
    assert np.array_equal(back.scene.box_centre, scene.box_centre)
    assert np.array_equal(back.truth.base, probe.truth.base)
    assert back.truth.fall_s == np.inf
    assert (back.kind, back.seed) == ("test", 3)
    again = unpack(pack(state), 7)
    assert again.gravity == pytest.approx(state.gravity, abs=1e-6)
    assert again.stamp_ns == 7
