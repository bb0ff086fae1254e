"""The encoder gives padded, masked, cached vectors that carry meaning."""

from __future__ import annotations

import numpy as np
import pytest

from bidden.brain.language.encoder import Encoder, english_words


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load()


def test_tokens_are_masked_and_padded_with_zeros(encoder: Encoder) -> None:
    tokens, mask = encoder.encode("red cube")
    assert tokens.shape == (16, 384)
    assert mask.tolist() == [1.0] * 4 + [0.0] * 12  # start, red, cube, end
    assert np.abs(tokens[:4]).sum(1).min() > 1.0
    assert not tokens[4:].any()


def test_results_are_cached_and_read_only(encoder: Encoder) -> None:
    first, second = encoder.encode("blue bowl")[0], encoder.encode("blue bowl")[0]
    assert first is second
    assert not first.flags.writeable


def test_long_text_is_cut_to_length(encoder: Encoder) -> None:
    tokens, mask = encoder.encode("red " * 500)
    assert tokens.shape == (16, 384)
    assert mask.sum() == 16


def test_empty_text_has_a_vector(encoder: Encoder) -> None:
    assert np.isfinite(encoder.pool("")).all()


def test_near_meanings_have_near_vectors(encoder: Encoder) -> None:
    lift, grab, wave = map(
        encoder.pool, ("pick up the red cube", "grab the red block", "wave hello")
    )
    assert lift @ grab > lift @ wave + 0.2


def test_spans_point_at_the_words(encoder: Encoder) -> None:
    text = "a scarlet cube"
    spans = encoder.word_spans(text, 8)
    assert [text[a:b] for a, b in spans[1:4]] == ["a", "scarlet", "cube"]
    assert spans[5:] == [(0, 0)] * 3


def test_english_words_hold_words_not_pieces() -> None:
    assert {"bell", "scarlet", "cube"} <= english_words().keys()
    assert "cbue" not in english_words()


def test_the_fourth_layer_is_read_by_the_way(encoder: Encoder) -> None:
    tokens, deep, mask = encoder.encode_deep("red cube", 16)
    plain, same = encoder.encode("red cube")
    assert plain is tokens
    assert same is mask
    assert deep.shape == (16, 384)
    assert np.abs(deep[:4] - tokens[:4]).mean() > 0.1
    assert not deep[4:].any()
    assert not deep.flags.writeable
