"""The words of texts as a file of the prepared data."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from app.contract.packed_text import texts_of
from app.contract.words import Words
from training.files import read_parquet, write_parquet

WORDS_FILE = "words.parquet"
COLUMN, WORD, VECTOR = "column", "word", "vector"


def write_words(folder: Path, words: Mapping[str, Words]) -> None:
    """Write a row for each word of each column; without any, there is no file."""
    parts = [
        pd.DataFrame({COLUMN: name, WORD: texts_of(each.words, each.word_offsets), VECTOR: [*each.word_vectors]})
        for name, each in words.items()
    ]
    if parts:
        write_parquet(folder / WORDS_FILE, pd.concat(parts))


def read_words(folder: Path, remedy: str) -> dict[str, Words]:
    """The words by column; raises DataError that ends with `remedy`."""
    if not (folder / WORDS_FILE).exists():
        return {}
    rows = read_parquet(folder / WORDS_FILE, remedy)
    return {str(name): Words.packed([*own[WORD]], np.stack([*own[VECTOR]])) for name, own in rows.groupby(COLUMN)}
