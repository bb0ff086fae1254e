"""Learning to act: data of a seed, losses that fall, one network in two forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra 'train' is not installed")

import torch

from bidden.adapters.sim.experts import HAND_STEP
from bidden.adapters.sim.scene import FIRST_EVALUATION_SEED
from bidden.brain.models import Session, TensorSpec
from bidden.brain.policy.belief import SKILLS, features
from bidden.core.messages import Skill
from bidden.training.behaviour import train as training
from bidden.training.behaviour.imagine import imagine
from bidden.training.behaviour.play import PlayConfig, Player
from bidden.training.behaviour.relabel import belief_of, relabel
from bidden.training.behaviour.train import TrainConfig, loss_of
from bidden.training.export import write_contract, write_onnx
from bidden.training.nets.action import (
    ACTION_SCALE,
    ActionConfig,
    ActionDecoder,
    FusionAndAction,
)

TINY = ActionConfig(features=61, steps=8, width=16, head=8)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


@pytest.fixture(scope="module")
def imagined() -> tuple[np.ndarray, np.ndarray]:
    return imagine(1200, 5)


# -- situations without a simulator ---------------------------------------------------
def test_imagination_is_of_its_seed(imagined: tuple[np.ndarray, np.ndarray]) -> None:
    for a, b in zip(imagined, imagine(1200, 5), strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(imagined[0][:50], imagine(50, 6)[0])


def test_imagined_situations_are_fit_to_learn_from(
    imagined: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = imagined
    assert x.shape == (1200, TINY.features)
    assert y.shape == (1200, 8, 12)
    assert x.dtype == y.dtype == np.float32
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    assert np.linalg.norm(y[..., 3:6], axis=-1).max() <= HAND_STEP + 1e-6
    assert (np.abs(y) <= np.array(ACTION_SCALE) + 1e-6).all()  # heads can say all of it
    shares = x[:, : len(SKILLS)].mean(0)
    assert (shares > 0).sum() >= len(SKILLS) - 1


def test_features_lead_back_to_the_belief(
    imagined: tuple[np.ndarray, np.ndarray],
) -> None:
    x = imagined[0]
    near = x[np.hypot(x[:, 13], x[:, 14]) < 2.9]  # points farther away are cut
    assert len(near) > 500
    again = np.stack([features(belief_of(row)) for row in near])
    off = np.abs(again - near).max(axis=1)
    waves = near[:, SKILLS.index(Skill.WAVE)] == 1
    assert off[~waves].max() < 1e-3
    early = waves & (near[:, -2] < 2)  # later ones are told apart by their phase only
    assert early.any()
    assert off[early].max() < 0.02


def test_old_play_gets_the_labels_of_today(
    imagined: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = imagined
    again = relabel(x[:400], 8)
    assert again.dtype == np.float32
    same = np.abs(again - y[:400]).max(axis=(1, 2)) < 1e-3
    assert same.mean() > 0.95  # at a threshold of the expert a rounding may decide


# -- the network ---------------------------------------------------------------------
def test_the_decoder_says_chunks_in_si_units() -> None:
    net = ActionDecoder(TINY)
    actions, spread = net(torch.randn(5, TINY.features))
    assert actions.shape == spread.shape == (5, 8, 12)
    choices = actions[..., 9:]
    assert bool(((choices >= 0) & (choices <= 1)).all())
    assert bool((spread > 0).all())


def test_the_loss_falls_when_it_is_followed(
    imagined: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = (torch.from_numpy(a) for a in imagined)
    net = ActionDecoder(replace(TINY, width=48, head=32))
    net.mean.copy_(x.mean(0))
    net.std.copy_(x.std(0).clamp(min=0.05))
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3)
    first = float(loss_of(net, x, y)[0].detach())
    for _ in range(120):
        loss, parts = loss_of(net, x, y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert set(parts) == {"numbers", "choices", "spread"}
    assert float(loss.detach()) < 0.6 * first


def test_spread_is_learned_without_bending_the_means() -> None:
    net = ActionDecoder(TINY)
    means, log_spread = net.raw(torch.randn(4, TINY.features))
    log_spread.sum().backward()
    touched = {n for n, p in net.named_parameters() if p.grad is not None}
    assert touched == {"spread.weight", "spread.bias"}
    assert means.requires_grad


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    net = ActionDecoder(TINY).eval()
    torch.save(
        {"config": training.asdict(TINY), "state": net.state_dict()}, tmp_path / "a.pt"
    )
    x = torch.randn(3, TINY.features)
    again = training.load(tmp_path / "a.pt").eval()
    assert torch.equal(net(x)[0], again(x)[0])


def test_onnx_says_what_torch_says(tmp_path: Path) -> None:
    """Sight and action in one file, as `fusion.onnx` has them."""

    class Sight(torch.nn.Module):
        def forward(self, point: torch.Tensor) -> tuple[torch.Tensor]:
            return (point * 2.0,)

    def spec(name: str, *shape: int) -> TensorSpec:
        return TensorSpec(name=name, shape=shape, dtype="float32", meaning="test")

    net = FusionAndAction(Sight(), ActionDecoder(TINY)).eval()
    net.action.mean.normal_()
    specs = (
        (spec("point", 1, 3), spec("belief", 1, TINY.features)),
        (spec("found", 1, 3), spec("actions", 1, 8, 12), spec("spread", 1, 8, 12)),
    )
    r = np.random.default_rng(0)
    feeds = [
        {
            "point": r.normal(size=(1, 3)).astype(np.float32),
            "belief": r.normal(size=(1, TINY.features)).astype(np.float32),
        }
        for _ in range(5)
    ]
    path = tmp_path / "both.onnx"
    write_onnx(net, path, example=feeds[0], specs=specs)
    write_contract(path, specs=specs, version="test", figures={})
    session = Session.load(path)
    for feed in feeds:
        with torch.no_grad():
            want = net(*(torch.from_numpy(feed[s.name]) for s in specs[0]))
        found = session.run(feed)
        for s, tensor in zip(specs[1], want, strict=True):
            np.testing.assert_allclose(found[s.name], tensor.numpy(), atol=1e-5)


# -- play ----------------------------------------------------------------------------
def test_what_is_on_disk_is_not_played_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tmp_path / "100.npz"
    done.write_bytes(b"")
    assert training._play_one((100, 0, str(done), "")) == {}
    assert done.read_bytes() == b""


def test_seeds_of_training_stay_below_those_of_the_evaluation() -> None:
    config = TrainConfig(out=Path())
    last = training.FIRST_SEED + 10_000 * config.rounds + 100_000 * config.seed
    assert last + max(config.first_episodes, config.round_episodes) < (
        FIRST_EVALUATION_SEED
    )


@pytest.mark.slow
def test_an_episode_of_play_is_fit_to_learn_from() -> None:
    player = Player(4, PlayConfig(noise=0.0, blunder=0.0))
    results = player.play()
    x = np.stack(player.inputs)
    y = relabel(x, 8)
    player.world.close()
    assert results
    assert sum(done for _, done in results) >= len(results) - 1
    assert len(x) == len(y) > 30
    assert x.shape[1:] == (TINY.features,)
    assert y.shape[1:] == (8, 12)
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    assert not player.world.fallen()
