"""docs/artifact.md is enough to write an artifact."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from app.contract.artifact_directory import load_artifact
from app.contract.artifact_format import ARRAYS, COLUMN_ARRAYS, OPTIONAL, Table
from app.contract.recommender import Recommender
from tests.artifacts import Film, film_of
from tests.processes import PROJECT

PAGE = (PROJECT / "docs" / "artifact.md").read_text(encoding="utf-8")
ARRAYS_PART, _, OPTIONAL_PART = PAGE.partition("Two arrays may be missing")
IDS = "`<i8` or `<U…`"


class Line(NamedTuple):
    """A line of a table of arrays."""

    name: str
    dtype: str | None
    shape: tuple[str, ...]


def table(part: str) -> Iterator[Line]:
    for name, dtype, shape in re.findall(r"^\| `(\w+)` \| (`.*?`) \| (.*?) \|", part, re.MULTILINE):
        yield Line(name, None if dtype == IDS else dtype.strip("`").replace("\\", ""), tuple(shape.split(", ")))


@pytest.mark.parametrize(("part", "arrays"), [(ARRAYS_PART, ARRAYS), (OPTIONAL_PART, OPTIONAL)])
def test_the_document_s_arrays_are_those_of_the_code(part: str, arrays: Table) -> None:
    lines = list(table(part.partition("## The manifest")[0]))
    assert {line.name: (line.dtype, line.shape) for line in lines} == arrays
    assert len(lines) == len(arrays)


def test_the_document_s_keys_are_those_of_a_manifest() -> None:
    keys = re.findall(r"^\| `(\w+)` \| (?:string|integer|number|object|list \|)", PAGE, re.MULTILINE)
    required = ["format_version", "kind", "family", "params", "seed", "data_hash", "files", "columns"]
    assert keys == [
        *required,
        "events",
        "event_types",
        "min_rating",
        "newcomer_weight",
        "seen_order",
        "recency",
        "aged_popularity",
        "trending",
        "item_fold_in",
    ]


# The columns year and genres.
DESCRIBED = [
    {"name": "year", "type": "number", "filter": True, "shown": True, "learn": True},
    {"name": "genres", "type": "tags", "filter": True, "shown": True, "learn": True},
]
FILLED: dict[str, tuple[str, object]] = {
    "column_0_values": ("<f8", [2001, np.nan, 1971]),
    "column_1_indptr": ("<i8", [0, 2, 2, 3]), "column_1_codes": ("<i4", [1, 0, 0]),
    "column_1_names": ("|u1", list(b"ComedyDrama")), "column_1_name_offsets": ("<i8", [0, 6, 11]),
}  # fmt: skip


def test_the_document_names_the_arrays_of_each_type_of_column() -> None:
    lines = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (.*?) \| [^|]*\|$", PAGE.replace("\\|", ""), re.MULTILINE)
    named = {
        kind: set(re.findall(r"column_n_(\w+)", arrays))
        for kinds, arrays in lines
        for kind in re.findall(r"\w+", kinds)
    }
    assert {kind: named[kind] for kind in COLUMN_ARRAYS} == {
        kind: set(arrays) for kind, arrays in COLUMN_ARRAYS.items()
    }


# Two users, three films, as a reader of the document would write them down.
VALUES: dict[str, object] = {
    "user_ids": ["anna", "bob"], "item_ids": [7, 8, 9],
    "user_embeddings": [[1, 0], [0, 0]], "item_embeddings": [[1, 1], [2, 1], [3, 1]], "item_biases": [0.5, 0, 0],
    "item_popularity": [5, 3000, 0],
    "seen_indptr": [0, 1, 1], "seen_indices": [2], "seen_liked": [True],
    "encoder": [[0, 0], [1, 1], [0, 2]], "encoder_intercept": [0, 0],
    "titles": list("Amélie$".encode()), "title_offsets": [0, 7, 7, 8],
    "folded_titles": list(b"\namelie\n\n$\n"), "folded_breaks": [0, 7, 8, 10],
    "item_encoder": [[1, 1, 0.5], [0, 0, 0]], "user_encoder": [[0, 0]], "mean_user": [3, 0], "first_likes": [0, 4],
    "aged_popularity": [5, 3000, 0], "trending": [[0, 4, 0]], "fold_in_mean": [1, 0],
    "ready_items": [[1, 0], [1, 0]], "ready_scores": [[2000000, 1500000], [-2147483648, 5000000]],
}  # fmt: skip


def test_an_artifact_that_follows_the_document_is_read(tmp_path: Path) -> None:
    files = {}
    for name, dtype, shape in table(PAGE.partition("## The manifest")[0]):
        array = np.array(VALUES[name], dtype=dtype, order="F" if name == "item_embeddings" else "C")
        assert array.ndim == len(shape)
        np.save(tmp_path / f"{name}.npy", array)
        digest = sha256((tmp_path / f"{name}.npy").read_bytes()).hexdigest()
        files[f"{name}.npy"] = {"sha256": digest, "shape": list(array.shape), "dtype": array.dtype.str}
    for name, (dtype, values) in FILLED.items():
        array = np.array(values, dtype=dtype)
        np.save(tmp_path / f"{name}.npy", array)
        digest = sha256((tmp_path / f"{name}.npy").read_bytes()).hexdigest()
        files[f"{name}.npy"] = {"sha256": digest, "shape": list(array.shape), "dtype": array.dtype.str}
    manifest = {
        "columns": DESCRIBED, "item_features": [{"column": "genres", "value": "Drama"}],
        "format_version": 3, "kind": "movie-recommender", "family": "by hand", "params": {}, "seed": 0, "data_hash": "",
        "files": files, "events": {"store": "0f8fad5b-d9cb-469f-a165-70867728950e", "until": 0}, "min_rating": 3.5,
        "newcomer_weight": 2, "seen_order": "time", "recency": 1,
        "aged_popularity": {"half_life": 86400, "at": 1e9}, "trending": {"half_lives": [3600], "at": 1e9},
        "item_fold_in": {"kappa": 3, "length": 1, "half": 30},
    }  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    artifact = load_artifact(tmp_path)
    assert artifact.min_rating == 3.5
    recommender = Recommender(artifact)
    for row, scores in enumerate([[2.0, 1.5], [3000.0, 5.0]]):
        for ranking in (recommender.ready(row, 2), recommender.recommend(np.array([row]), 2)):
            assert ranking.items.tolist() == [[1, 0]]
            assert ranking.scores.tolist() == [scores]
    assert recommender.fold_in(np.array([1])).tolist() == pytest.approx([(1 + 2 * 3) / 3, 1 / 3])
    weighted = np.array([1 / 2, 1 / 2 + 2]) / (1 + 1 / 4) ** 0.5  # the second film is the older one
    expected = (2 * weighted + [2 * 3, 0]) / (2 + 2)
    assert recommender.fold_in(np.array([1, 2])).tolist() == pytest.approx(expected)
    assert film_of(artifact.catalogue, 0) == Film("Amélie", 2001, ["Drama", "Comedy"])
    assert film_of(artifact.catalogue, 1) == Film("", None, [])
