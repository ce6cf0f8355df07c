"""Embeddings beside items.csv."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.data.archives import OWN, fetch_params, write
from training.data.raw import read_items
from training.data.raw.items import column_names
from training.errors import DataError
from training.fetch import fetch
from training.params.catalogue import ItemColumn

EMBEDDING = {"embedding": ItemColumn(type="vector")}


def get(folder: Path, vectors: Any, ids: Any) -> Path:
    own = write(folder / "own", {"ratings.csv": OWN["interactions.csv"], "items.csv": OWN["items.csv"]})
    np.save(own / "items.npy", vectors)
    np.save(own / "item_ids.npy", ids)
    fetch(fetch_params(source="csv", csv_folder=str(own)), 42, folder / "raw")
    return folder / "raw"


@pytest.mark.parametrize("kind", ["int64", "U5"])
def test_embeddings_are_the_column_of_their_items_whatever_their_order(kind: str, tmp_path: Path) -> None:
    raw = get(tmp_path, np.array([[0.1, 2], [3, 4], [5, 6]]), np.array([3, 99, 1]).astype(kind))
    assert (column_names(raw) or [])[-1] == "embedding"
    items = read_items(raw, EMBEDDING)
    assert items is not None
    one, two, three = items["embedding"]
    assert (one.tolist(), two, three.tolist()) == ([5, 6], None, [np.float32(0.1), 2])


@pytest.mark.parametrize(
    ("vectors", "ids", "sentence"),
    [
        ([[1.0], [2.0]], [1], r"items\.npy has 2 rows, and item_ids\.npy has 1"),
        ([[1.0], [np.inf]], [1, 2], r"items\.npy row 2: should be finite numbers"),
        ([[1.0], [2.0]], [1, 1], r"item_ids\.npy holds an id twice"),
        ([[1.0]], [99], r"item_ids\.npy has no item of items\.csv, but others such as '99'"),
        ([1.0], [1], r"items\.npy holds float64 \[1\]; it should hold a row of numbers for each item"),
        ([["a"]], [1], r"items\.npy holds <U1 \[1, 1\]; it should hold a row of numbers for each item"),
        (np.array([[None]]), [1], r"items\.npy can't be read"),
    ],
)
def test_embeddings_that_can_not_be_used_are_named(vectors: Any, ids: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=sentence + ".*; correct this and run again"):
        get(tmp_path, np.array(vectors), np.array(ids))
    assert not (tmp_path / "raw").exists()
