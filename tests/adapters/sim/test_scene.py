"""Scenes are values: drawn by seed, read from files, checked before they are built."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from bidden.adapters.sim.scene import (
    FREE_RADIUS,
    SceneConfig,
    ThingConfig,
    load_scene,
    random_scene,
)
from bidden.adapters.sim.scene.catalog import (
    COLOURS,
    HELD_OUT_PAIRS,
    LANDMARKS,
    SHAPES,
    all_pairs,
    training_pairs,
)
from bidden.core.errors import ConfigError

SEEDS = range(300)
EXAMPLE = Path(__file__).parents[3] / "examples" / "04_your_scene.toml"
CUBE = ThingConfig(
    name="red cube", kind="object", shape="cube", colour="red",
    position=(1.0, 0.0, 0.8), half_size=(0.02, 0.02, 0.02),
)  # fmt: skip


@pytest.fixture(scope="module")
def scenes() -> list[SceneConfig]:
    return [random_scene(seed) for seed in SEEDS]


def pairs_of(scene: SceneConfig) -> set[tuple[str, str]]:
    return {(t.colour, t.shape) for t in scene.things if t.kind == "object"}


# -- drawn by seed ----------------------------------------------------------------
def test_the_same_seed_is_the_same_scene() -> None:
    for seed in (0, 7, 900_001):
        a, b = (msgspec.json.encode(random_scene(seed)) for _ in range(2))
        assert a == b
    assert msgspec.json.encode(random_scene(8)) != msgspec.json.encode(random_scene(7))


def test_pairs_of_the_evaluation_are_never_in_training(
    scenes: list[SceneConfig],
) -> None:
    seen = set().union(*(pairs_of(scene) for scene in scenes))
    assert not seen & HELD_OUT_PAIRS
    assert seen == set(training_pairs())  # and every other one is


def test_the_catalog_divides_in_two() -> None:
    assert len(COLOURS) >= 6
    assert len(SHAPES) >= 4
    assert set(training_pairs()) | HELD_OUT_PAIRS == set(all_pairs())
    # colour and shape of a pair that is held out are both known from others
    for colour, shape in HELD_OUT_PAIRS:
        assert any(c == colour for c, _ in training_pairs())
        assert any(s == shape for _, s in training_pairs())


def test_unseen_scenes_have_a_pair_that_was_held_out() -> None:
    for seed in range(50):
        assert pairs_of(random_scene(seed, pairs="unseen")) & HELD_OUT_PAIRS


def test_all_scenes_have_both_kinds_of_pairs() -> None:
    seen = set().union(*(pairs_of(random_scene(s, pairs="all")) for s in range(100)))
    assert seen == set(all_pairs())


def test_objects_stand_on_tables_within_reach(scenes: list[SceneConfig]) -> None:
    for scene in scenes:
        tables = {t.name: t for t in scene.things if t.kind == "table"}
        on_tables = [t for t in scene.things if t.support]
        assert sum(t.kind == "object" for t in on_tables) >= 3
        for t in on_tables:
            table = tables[t.support]
            assert t.position[2] == pytest.approx(2 * table.half_size[2])
            c, s = np.cos(table.yaw), np.sin(table.yaw)
            dx, dy = np.subtract(t.position[:2], table.position[:2])
            along, across = c * dx + s * dy, -s * dx + c * dy
            from_edge = along + table.half_size[0]
            reach = 0.15 if t.kind == "object" else 0.30
            assert 0.07 < from_edge < reach + 0.001, (scene.seed, t.name)
            assert abs(across) + t.half_size[1] < table.half_size[1], t.name


def test_things_on_a_table_leave_room_for_fingers(scenes: list[SceneConfig]) -> None:
    for scene in scenes:
        objects = [t for t in scene.things if t.kind == "object"]
        for i, a in enumerate(objects):
            for b in objects[i + 1 :]:
                gap = np.hypot(*np.subtract(a.position[:2], b.position[:2]))
                assert gap > 0.10, (scene.seed, a.name, b.name)


def test_the_middle_is_free_and_the_robot_in_it(scenes: list[SceneConfig]) -> None:
    for scene in scenes:
        assert np.hypot(*scene.robot_start[:2]) <= 0.6
        for t in scene.things:
            if not t.support:
                assert np.hypot(*t.position[:2]) - t.half_size[0] >= FREE_RADIUS - 0.01
                assert max(np.abs(t.position[:2])) < scene.room_half, t.name


def test_tables_have_different_heights(scenes: list[SceneConfig]) -> None:
    for scene in scenes:
        heights = sorted(2 * t.half_size[2] for t in scene.things if t.kind == "table")
        assert len(heights) >= 2
        assert min(np.diff(heights)) >= 0.039
        assert 0.72 <= heights[0] <= heights[-1] <= 0.84


def test_names_are_unique_and_say_what_they_name(scenes: list[SceneConfig]) -> None:
    for scene in scenes:
        names = [t.name for t in scene.things]
        assert len(set(names)) == len(names)
        for t in scene.things:
            if t.kind in ("object", "receptacle"):
                assert t.name == f"{t.colour} {t.shape}"


def test_every_landmark_and_receptacle_comes_up(scenes: list[SceneConfig]) -> None:
    shapes = {t.shape for scene in scenes for t in scene.things}
    assert {*LANDMARKS, "bowl", "tray", "bin", "table"} <= shapes


# -- from files -------------------------------------------------------------------
def test_a_scene_survives_its_file(tmp_path: Path) -> None:
    scene, path = random_scene(3), tmp_path / "scene.json"
    path.write_bytes(msgspec.json.encode(scene))
    assert load_scene(path) == scene


def test_the_example_is_a_scene() -> None:
    assert {"red cube", "blue bowl"} <= {t.name for t in load_scene(EXAMPLE).things}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sede = 3", "Object contains unknown field `sede`"),
        ("[[things]]\nname = 'x'\nmas = 1", "unknown field `mas` - at `$.things[0]`"),
        ("seed = 'three'", "Expected `int`, got `str` - at `$.seed`"),
        ("[[things]]\nname = 'x'", "missing required field `kind`"),
        ("robot_start = [0, 0]", "Expected `array` of length 3"),
        ("seed = ", ""),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_scene(path)
    assert f"scene file '{path}': " in str(caught.value)
    assert words in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml': No such file"):
        load_scene(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shape": "cub"}, "unknown shape 'cub'; did you mean 'cube'?"),
        ({"colour": "redd"}, "unknown colour 'redd'; did you mean 'red'?"),
        ({"mass": float("nan")}, "'red cube' has a number that is not finite"),
        ({"position": (0.0, float("inf"), 0.0)}, "not finite"),
        ({"mass": 0.0}, "'red cube' needs a size and mass above 0"),
        ({"half_size": (0.02, -0.02, 0.02)}, "needs a size and mass above 0"),
    ],
)
def test_an_impossible_thing_is_refused(change: dict[str, object], words: str) -> None:
    fields = {f: getattr(CUBE, f) for f in CUBE.__struct_fields__} | change
    with pytest.raises(ConfigError) as caught:
        SceneConfig(things=(ThingConfig(**fields),))  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="names used twice: red cube"):
        SceneConfig(things=(CUBE, CUBE))
