"""Words to vectors: the MiniLM sentence encoder, cached per phrase."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
from tokenizers import Tokenizer

from bidden.brain.models import Network, Session
from bidden.brain.models.contract import WEIGHTS_DIR
from bidden.core.errors import ModelError
from bidden.core.messages import Array
from bidden.runtime.assets import asset_path

WIDTH: Final = 384
LAYERS: Final = 6
DEEP: Final = "layer_norm_8"  # of the network: what its fourth layer says
PHRASE_TOKENS: Final = 16  # a noun phrase, with its start and end marks
SENTENCE_TOKENS: Final = 48  # one instruction; longer ones lose their tail
_CACHED: Final = 512  # texts, up to 0.15 MB each
COMMON_WORDS: Final = 20_000  # the vocabulary is ordered by frequency


class Encoder:
    """Token vectors of a text, padded to a fixed length.

    Thread-safe; results are shared and read-only.
    """

    def __init__(self, network: Network, tokenizer: Tokenizer) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._network = network
        self._tokenizer = tokenizer
        self._cached = lru_cache(maxsize=_CACHED)(self._encode)

    @staticmethod
    def load(threads: int = 1) -> Encoder:
        """The fetched MiniLM-L6 with the shipped tokenizer.

        Raises:
            AssetError: the network was not fetched, or is damaged.
            ModelError: the tokenizer or a contract is damaged.
        """
        network = Session.load(
            asset_path("minilm.onnx"), WEIGHTS_DIR / "minilm.json", threads=threads
        )
        return Encoder(network, load_tokenizer())

    def encode(self, text: str, length: int = PHRASE_TOKENS) -> tuple[Array, Array]:
        """Vectors of a phrase's tokens, start and end marks included.

        Returns:
            tokens (length, 384) float32, zero where masked, and
            mask (length,) float32, 1 for tokens; both read-only.
        """
        tokens, _, mask = self._cached(text, length)
        return tokens, mask

    def encode_deep(self, text: str, length: int) -> tuple[Array, Array, Array]:
        """The same with the vectors after four of the six layers between the two.

        Returns:
            tokens (length, 384) and deep (length, 384) float32, zero where masked, and
            mask (length,) float32, 1 for tokens; all read-only.
        """
        return self._cached(text, length)

    def pool(self, text: str) -> Array:
        """Mean of a sentence's token vectors at unit length, (384,) float32."""
        tokens, mask = self.encode(text, SENTENCE_TOKENS)
        mean = tokens.sum(0) / mask.sum()
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    def word_spans(self, text: str, length: int) -> list[tuple[int, int]]:
        """Characters that each token stands for; empty for marks and padding."""
        spans = list(self._tokenizer.encode(text).offsets)[:length]
        return spans + [(0, 0)] * (length - len(spans))

    def _encode(self, text: str, length: int) -> tuple[Array, Array, Array]:
        found = self._tokenizer.encode(text).ids
        if len(found) > length:  # keep the end mark
            found = [*found[: length - 1], found[-1]]
        ids = np.array([found], np.int64)
        hidden = self._network.run(
            {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "token_type_ids": np.zeros_like(ids),
            }
        )
        tokens, deep = np.zeros((2, length, WIDTH), np.float32)
        tokens[: len(found)] = hidden["last_hidden_state"][0]
        deep[: len(found)] = hidden[DEEP][0]
        mask = np.zeros(length, np.float32)
        mask[: len(found)] = 1.0
        for array in (tokens, deep, mask):
            array.setflags(write=False)
        return tokens, deep, mask


def load_tokenizer() -> Tokenizer:
    """The shipped word-piece tokenizer.

    Raises:
        ModelError: missing or damaged file.
    """
    path = WEIGHTS_DIR / "tokenizer.json"
    try:
        return Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except Exception as error:  # tokenizers raises bare Exceptions
        raise ModelError(f"cannot read tokenizer {path}: {error}") from error


@lru_cache(maxsize=4)
def english_words(most: int = COMMON_WORDS) -> Mapping[str, int]:
    """The commonest words of the tokenizer with their rank: what is spelt right."""
    return {
        word: rank
        for word, rank in load_tokenizer().get_vocab().items()
        if rank < most and word.isalpha() and word.isascii()
    }
