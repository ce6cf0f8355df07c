"""Features: the numbers that models learn from, which follow from the columns of items or the attributes of people.

Every family learns from the same matrix. Most features are 1 or 0: whether a tag is there, a flag is so, a number is
within a range. Those of texts and vectors are real numbers, with one more that says whether there is a value at all,
for presence is popularity in disguise. docs/decisions/0014-format-3.md says how an artifact describes features.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from app.contract.words import Words, words_of
from training.files import read_parquet, write_parquet
from training.params.catalogue import Attribute, ItemColumn

FEATURE, VALUE = "feature", "value"
SHARES = 10  # ranges of a number that hold equally many values
LEAST = 2  # values: a tag or a word that one item alone has says no more than the item's identity
MOST_WORDS = 50_000  # of a column, those in most texts; 64 numbers of each take 13 MB

Entry = dict[str, Any]
Floats = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]


class Features(NamedTuple):
    """A matrix, float32 CSR (n_rows, n_features), and for each feature what an artifact says of it.

    `words` are those of texts, by column.
    """

    matrix: sparse.csr_matrix
    entries: list[Entry]
    words: Mapping[str, Words] = MappingProxyType({})


def features_of(table: pd.DataFrame, columns: Mapping[str, Attribute | ItemColumn], seed: int) -> Features:
    """The features of the rows of a table, from the columns that models learn from.

    Coarse ones come first: those of the first widths of numbers and of all else, then those of the second widths.
    """
    levels: dict[int, list[Features]] = {}
    for name, column in columns.items():
        if column.learn:
            for level, found in enumerate(_LEARN[column.type](name, table[name], column, seed)):
                levels.setdefault(level, []).append(found)
    return joined(len(table), [found for level in sorted(levels) for found in levels[level]])


def write_matrix(path: Path, matrix: sparse.csr_matrix, row: str) -> None:
    """Write a row for each feature that isn't 0; `row` is what the column with the row's number is called."""
    rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    table = {row: rows, FEATURE: matrix.indices.astype(np.int32), VALUE: matrix.data}
    write_parquet(path, pd.DataFrame(table))


def read_matrix(path: Path, row: str, shape: tuple[int, int], remedy: str) -> sparse.csr_matrix:
    """Read what `write_matrix` wrote: float32 CSR of this shape. Raises DataError that ends with `remedy`."""
    table = read_parquet(path, remedy, [row, FEATURE, VALUE])
    places = (table[row].to_numpy(), table[FEATURE].to_numpy())
    return sparse.csr_matrix((table[VALUE].to_numpy(), places), shape=shape)


def joined(n_rows: int, parts: Sequence[Features]) -> Features:
    """Several features of the same rows side by side."""
    nothing = sparse.csr_matrix((n_rows, 0), dtype=np.float32)
    matrix = sparse.hstack([nothing, *(part.matrix for part in parts)], format="csr", dtype=np.float32)
    entries = [entry for part in parts for entry in part.entries]
    return Features(matrix, entries, {name: words for part in parts for name, words in part.words.items()})


def vectors_of(features: sparse.csr_matrix, encoder: Float32Array) -> Float32Array:
    """What an encoder makes of features, CSR (n, n_features): float32 (n, n_targets).

    The encoder's last row is that of a constant.
    """
    made: Float32Array = features @ encoder[:-1] + encoder[-1]
    return made


def _tags(name: str, values: "pd.Series[Any]", _: object, __: int) -> Iterable[Features]:
    """Whether a row has a tag, for each tag that some rows have, by name."""
    tags = values.reset_index(drop=True).explode().dropna()
    tags = tags[tags != ""]
    counts = tags.value_counts()
    known = sorted(counts.index[counts >= LEAST])
    yield _one_hot(len(values), tags, [(tag, {"column": name, "value": tag}) for tag in known])


def _flags(name: str, values: "pd.Series[Any]", _: object, __: int) -> Iterable[Features]:
    flags = values.reset_index(drop=True).dropna()
    yield _one_hot(len(values), flags, [(flag, {"column": name, "value": flag}) for flag in (False, True)])


def _numbers(name: str, values: "pd.Series[Any]", column: Attribute | ItemColumn, _: int) -> Iterable[Features]:
    """Within which range a number is: for each width, or by tenths of all."""
    numbers = values.reset_index(drop=True).astype("Float64").dropna().astype(np.float64)
    for width in column.widths:
        starts = numbers // width * width
        ranges = [(start, _range(name, start, start + width)) for start in sorted(starts.unique())]
        yield _one_hot(len(values), starts, ranges)
    if not column.widths and len(numbers):
        inner = np.unique(np.quantile(numbers, np.arange(1, SHARES) / SHARES))
        edges = [None, *inner[inner > numbers.min()].tolist(), None]
        places = pd.Series(np.searchsorted(edges[1:-1], numbers, side="right"), index=numbers.index)
        ranges = [(place, _range(name, *limits)) for place, limits in enumerate(pairwise(edges))]
        yield _one_hot(len(values), places, ranges)


def _vectors(name: str, values: "pd.Series[Any]", column: Attribute | ItemColumn, _: int) -> Iterable[Features]:
    rows = np.flatnonzero(values.notna())
    if len(rows):
        vectors = np.stack(values.iloc[rows].to_list()).astype(np.float64)
        length = np.sqrt((vectors**2).sum(axis=1).mean())
        yield _components(name, len(values), rows, vectors, column.scale / length if length else 1.0)


def _texts(name: str, values: "pd.Series[Any]", column: ItemColumn, seed: int) -> Iterable[Features]:
    """The vectors of the words of texts, by TF-IDF and truncated SVD."""
    texts = values.reset_index(drop=True).map(words_of)
    texts = texts[texts.map(bool)]
    counts = Counter(word for words in texts for word in set(words))
    by_count = sorted(counts, key=lambda word: (-counts[word], word))
    vocabulary = sorted(word for word in by_count[:MOST_WORDS] if counts[word] >= LEAST)
    if vocabulary:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer

        tf_idf = TfidfVectorizer(analyzer=list, vocabulary=vocabulary)
        weighted = tf_idf.fit_transform(texts)
        svd = TruncatedSVD(min(column.components, *weighted.shape), random_state=seed).fit(weighted)
        words = Words.packed(vocabulary, tf_idf.idf_[:, None] * svd.components_.T)
        vectors = np.array([words.vector(text) for text in values.iloc[texts.index]])
        found = _components(name, len(values), texts.index.to_numpy(), vectors, column.scale)
        yield found._replace(words={name: words})


_LEARN: Mapping[str, Any] = {
    "tag": _tags, "tags": _tags, "flag": _flags, "number": _numbers, "time": _numbers, "vector": _vectors,
    "text": _texts,
}  # fmt: skip


def _range(name: str, start: float | None, end: float | None) -> Entry:
    limits = (None if limit is None else int(limit) if float(limit).is_integer() else limit for limit in (start, end))
    return {"column": name, **dict(zip(("from", "to"), limits, strict=True))}


def _one_hot(n_rows: int, values: "pd.Series[Any]", known: Sequence[tuple[Any, Entry]]) -> Features:
    """A feature for each known value; the index of `values` says the row of each."""
    codes = pd.Index([value for value, _ in known], dtype=object).get_indexer(values.astype(object))
    rows, codes = values.index.to_numpy()[codes >= 0], codes[codes >= 0]
    ones = np.ones(len(rows), dtype=np.float32)
    matrix = sparse.csr_matrix((ones, (rows, codes)), shape=(n_rows, len(known)))
    return Features(matrix, [entry for _, entry in known])


def _components(name: str, n_rows: int, rows: npt.NDArray[np.intp], vectors: Floats, scale: float) -> Features:
    """Vectors of some rows, times a scale, behind a feature that says which rows have one."""
    there = np.hstack([np.ones((len(rows), 1)), vectors * scale]).astype(np.float32)
    places = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, np.arange(len(rows)))), (n_rows, len(rows)))
    entries = [{"column": name, "component": number, "scale": scale} for number in range(vectors.shape[1])]
    return Features(places @ sparse.csr_matrix(there), [{"column": name}, *entries])
