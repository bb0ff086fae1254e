from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bidden.adapters.sim.scene.catalog import HELD_OUT_PAIRS
from bidden.core.errors import ConfigError, RecordingError
from bidden.training.grounding.batches import BatchConfig, GroundingSet, Sampler
from bidden.training.grounding.data import Shard, make
from bidden.training.grounding.phrases import (
    COLOUR_NAMES,
    KINDS,
    N_OBJECTS,
    NO_COLOUR,
    PhraseBank,
    is_held_out,
    wordings,
)

from .conftest import make_shard

SMALL = BatchConfig(images=3, extra=1, crops=6)


def test_a_shard_comes_back_as_it_was_written(tmp_path: Path) -> None:
    shard = make_shard()
    shard.save(tmp_path / "shard_1.npz")
    again = Shard.load(tmp_path / "shard_1.npz")
    assert np.array_equal(again.depth, shard.depth)
    assert np.array_equal(again.p_C, shard.p_C)
    assert [p.name for p in tmp_path.iterdir()] == ["shard_1.npz"]


def test_a_truncated_shard_is_refused(folder: Path) -> None:
    path = folder / "shard_000001.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(RecordingError, match="delete it and rerun"):
        Shard.load(path)


@pytest.mark.parametrize("seed", [-1, 899_999, 900_000, 2_000_000])
def test_evaluation_seeds_are_never_trained_on(tmp_path: Path, seed: int) -> None:
    with pytest.raises(ConfigError, match="kept for evaluation"):
        make(tmp_path, scenes=8, seed=seed, workers=1)


def test_shards_that_exist_are_kept(tmp_path: Path) -> None:
    make_shard().save(tmp_path / "shard_000100.npz")
    assert make(tmp_path, scenes=8, seed=100, workers=1) == 0


def test_an_empty_folder_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make train"):
        GroundingSet(tmp_path)


def test_every_wording_means_one_thing() -> None:
    meanings: dict[str, tuple[int, int]] = {}
    for w in wordings():
        assert meanings.setdefault(w.text, (w.kind, w.colour)) == (w.kind, w.colour)


def test_held_out_pairs_are_those_of_the_catalog() -> None:
    found = {
        (COLOUR_NAMES[c], KINDS[k])
        for k in range(len(KINDS))
        for c in range(NO_COLOUR)
        if is_held_out(k, c)
    }
    assert found == HELD_OUT_PAIRS


def test_close_looks_are_centred_on_what_they_show(
    folder: Path, bank: PhraseBank
) -> None:
    sampler = Sampler(GroundingSet(folder), bank, config=SMALL, seed=0)
    for _ in range(5):
        b = sampler.draw()
        known = ~b.crop_point[:, 0].isnan()
        camera = b.camera.repeat_interleave(SMALL.crops, 0)
        uv = b.crop_point[:, :2] / b.crop_point[:, 2:] * camera[:, :2] + camera[:, 2:]
        away = (uv - b.crop_centre.view(-1, 2)).norm(dim=1)[known]
        half_px = (camera[:, 0] * b.crop_half.view(-1) / 0.8)[known]
        assert bool((away < 1.05 * half_px).all())


def test_heat_targets_are_shares_of_one(folder: Path, bank: PhraseBank) -> None:
    b = Sampler(GroundingSet(folder), bank, config=SMALL, seed=1).draw()
    assert np.allclose(b.target.sum(1).numpy(), 1.0, atol=1e-5)
    absent = b.target[:, -1] == 1
    assert bool((b.answer[absent] == 0).all())
    cell = (b.answer[~absent, :2] / 8).long()
    at = b.target[~absent].gather(1, (cell[:, 1] * 40 + cell[:, 0])[:, None])
    assert bool((at > 0).all())


def test_what_is_in_the_picture_is_never_called_absent(
    folder: Path, bank: PhraseBank
) -> None:
    sampler = Sampler(GroundingSet(folder), bank, config=SMALL, seed=2)
    present = {(KINDS.index("cube"), 0), (KINDS.index("ball"), 1)}
    for _ in range(10):
        b = sampler.draw()
        for kind, colour, target in zip(
            b.asked_kind, b.asked_colour, b.target, strict=True
        ):
            if target[-1] == 1:
                assert (int(kind), int(colour)) not in present
                assert not is_held_out(int(kind), int(colour))


def test_a_seed_gives_one_sequence(folder: Path, bank: PhraseBank) -> None:
    first, second = (
        Sampler(GroundingSet(folder), bank, config=SMALL, seed=3).draw()
        for _ in range(2)
    )
    assert first.crop_centre.equal(second.crop_centre)
    assert first.native.equal(second.native)


def test_objects_come_first_among_kinds() -> None:
    assert KINDS[:N_OBJECTS] == ("cube", "ball", "cylinder", "box")
