"""What models have learned of the words of a column of texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.packed_text import Bytes, Offsets, pack_texts, texts_of

WORD = re.compile(r"\w\w+")


@dataclass(frozen=True)
class Words:
    """The vectors of words, float32 (n_words, n_components), and the words, sorted and packed.

    A text's vector is the sum of those of its words, as often as they are in it, made to length 1.
    """

    words: Bytes
    word_offsets: Offsets
    word_vectors: npt.NDArray[np.float32]

    @classmethod
    def packed(cls, words: Sequence[str], vectors: npt.NDArray[np.floating[Any]]) -> "Words":
        """The words, sorted, with their vectors."""
        return cls(*pack_texts(words), vectors.astype(np.float32))

    def vector(self, text: str | None) -> list[float] | None:
        """The vector of a text, all zero if none of its words is known; None without a word."""
        if not (words := words_of(text or "")):
            return None
        known = [self._rows[word] for word in words if word in self._rows]
        total = self.word_vectors[known].sum(axis=0, dtype=np.float64)
        vector: list[float] = (total / (np.linalg.norm(total) or 1.0)).tolist()
        return vector

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(texts_of(self.words, self.word_offsets))}


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case: runs of two letters, digits and underscores at least."""
    return WORD.findall(text.lower())
