"""Items with what editors have made of them."""

import json

import numpy as np
import pandas as pd

from training.data.changes import documents_of, merge_changes
from training.params.catalogue import ItemColumn

COLUMNS = {"mood": ItemColumn(type="vector"), "year": ItemColumn(type="number")}


def test_vectors_are_those_of_the_file_whatever_editors_change() -> None:
    items = pd.DataFrame({
        "item_id": [1, 2, 3],
        "title": ["One", "Two", "Three"],
        "mood": [np.array([1.0, 2.0]), np.array([3.0, 4.0]), None],
        "year": [1951.0, 1952.0, np.nan],
    })  # fmt: skip
    contents = {"2": {"title": "Two", "year": 1962, "mood": [9, 9]}, "3": {"title": "Three"}, "4": {"title": "Four"}}
    changes = documents_of((item_id, json.dumps(content)) for item_id, content in contents.items())
    merged, figures = merge_changes(items, changes, COLUMNS)
    assert merged["item_id"].tolist() == [1, 2, 3, 4]
    assert merged["title"].tolist() == ["One", "Two", "Three", "Four"]
    assert [None if mood is None else mood.tolist() for mood in merged["mood"]] == [[1, 2], [3, 4], None, None]
    assert merged["year"].isna().tolist() == [False, False, True, True]
    assert merged["year"].tolist()[:2] == [1951, 1962]
    assert figures == {"changed": 1, "added": 1, "as_in_file": 1, "withdrawn": 0, "differences": {"2": ["year"]}}


def test_items_whose_ids_cannot_be_among_the_file_s_change_nothing() -> None:
    items = pd.DataFrame({"item_id": [1], "title": ["One"], "mood": [None], "year": [1951.0]})
    merged, figures = merge_changes(items, documents_of([("x", '{"title":"X"}')]), COLUMNS)
    assert merged is items
    assert not figures
