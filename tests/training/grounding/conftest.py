"""A tiny data set and a phrase bank without an encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from bidden.robot.g1 import CAMERAS
from bidden.robot.kinematics import camera_matrix
from bidden.training.grounding.data import MAX_THINGS, Shard
from bidden.training.grounding.phrases import KINDS, NO_COLOUR, PhraseBank, wordings

X_BC = np.array(
    [
        [0.0, -0.6428, 0.7660, 0.07],
        [-1.0, 0.0, 0.0, 0.0],
        [0.0, -0.7660, -0.6428, 1.20],
        [0.0, 0.0, 0.0, 1.0],
    ]
)
THINGS = (("cube", 0), ("ball", 1), ("bowl", 2), ("door", NO_COLOUR))


def make_shard(n: int = 4) -> Shard:
    """Four things in a row, 0.8 m away, in front of a far wall."""
    K, m = camera_matrix(CAMERAS[0]), MAX_THINGS
    kind, colour = np.full((n, m), -1, np.int8), np.full((n, m), -1, np.int8)
    p_C, visible = np.zeros((n, m, 3), np.float32), np.zeros((n, m), np.float32)
    rgb = np.full((n, 320, 320, 3), 90, np.uint8)
    depth = np.full((n, 320, 320), 14000, np.uint16)
    for j, (name, tint) in enumerate(THINGS):
        kind[:, j], colour[:, j] = KINDS.index(name), tint
        p_C[:, j], visible[:, j] = (-0.3 + 0.2 * j, 0.05 * j, 0.8), 1.0
        u, v, _ = (K @ (p_C[0, j] / 0.8)).astype(int)
        rgb[:, v - 8 : v + 8, u - 8 : u + 8] = 60 * j
        depth[:, v - 8 : v + 8, u - 8 : u + 8] = 7800
    return Shard(
        rgb=rgb,
        depth=depth,
        X_BC=np.repeat(X_BC[None], n, 0).astype(np.float32),
        near=np.ones(n, bool),
        kind=kind,
        colour=colour,
        p_C=p_C,
        p_B=p_C,
        visible=visible,
        held=np.zeros((n, m), bool),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one shard."""
    make_shard().save(tmp_path / "shard_000001.npz")
    return tmp_path


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> PhraseBank:
    """Every wording, with random vectors instead of the encoder's."""
    texts = [w.text for w in wordings()]
    r = np.random.default_rng(0)
    tokens = r.random((len(texts), 16, 384), dtype=np.float32).astype(np.float16)
    mask = np.ones((len(texts), 16), np.float32)
    path = tmp_path_factory.mktemp("bank") / "bank.npz"
    np.savez(path, texts=np.array(texts), tokens=tokens, mask=mask)
    return PhraseBank(path)
