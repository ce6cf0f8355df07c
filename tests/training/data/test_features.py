from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from app.contract.item_features import features_of as service_features
from training.data.features import Features, features_of
from training.data.raw import read_items
from training.data.word_file import read_words, write_words
from training.errors import DataError, ParamsError
from training.params.catalogue import CatalogueParams, ItemColumns
from training.params.section import validated

SHOP = """item_id,title,price,brand,colours,new,since,plot,look,photo
1,Lamp,10,Lux,red|blue|red,true,2024-05-01,A lamp of glass,3|4,https://shop.example/1.jpg
2,Chair,20.5,Oak,,false,2024-05,A chair of old oak,0|0,/2.jpg
3,Table,,Oak, blue ,1,1718000000,A table of old oak,,
4,Rug,40,,,,,?,1|0,
"""
COLUMNS: dict[str, dict[str, Any]] = {
    "price": {"type": "number", "widths": [20]},
    "brand": {"type": "tag"},
    "colours": {"type": "tags"},
    "new": {"type": "flag"},
    "since": {"type": "time"},
    "plot": {"type": "text", "components": 2, "scale": 0.5},
    "look": {"type": "vector", "scale": 2.0},
    "photo": {"type": "link"},
}


def columns(changes: dict[str, Any] | None = None) -> ItemColumns:
    return validated(
        CatalogueParams, {"items": COLUMNS if changes is None else changes, "users": {}}, "params.yaml"
    ).items


def read(folder: Path, content: str = SHOP, changes: dict[str, Any] | None = None) -> Features:
    (folder / "interactions.csv").touch()
    (folder / "items.csv").write_text(content)
    chosen = columns(changes)
    items = read_items(folder, chosen)
    assert items is not None
    return features_of(items, chosen, seed=0)


def of(features: Features, name: str) -> npt.NDArray[np.float32]:
    """The features of a column, a row for each item."""
    chosen = [number for number, entry in enumerate(features.entries) if entry["column"] == name]
    dense: npt.NDArray[np.float32] = features.matrix[:, chosen].toarray()
    return dense


def test_each_column_becomes_the_features_of_its_type(tmp_path: Path) -> None:
    features = read(tmp_path)
    assert features.matrix.dtype == np.float32
    assert features.matrix.shape == (4, len(features.entries))
    assert of(features, "price").tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert of(features, "brand").tolist() == [[0], [1], [1], [0]]  # a single item has the brand Lux
    assert of(features, "colours").tolist() == [[1], [0], [1], [0]]
    assert of(features, "new").tolist() == [[0, 1], [1, 0], [0, 1], [0, 0]]
    assert of(features, "since")[:3].sum(axis=1).tolist() == [1, 1, 1]
    assert not of(features, "photo").size
    look = of(features, "look")
    assert look[:, 0].tolist() == [1, 1, 0, 1]
    assert np.isclose((look[[0, 1, 3], 1:] ** 2).sum(axis=1).mean(), 2.0**2)
    plot = of(features, "plot")
    assert plot[:, 0].tolist() == [1, 1, 1, 0]
    assert np.allclose(np.linalg.norm(plot[:3, 1:], axis=1), 0.5)
    assert plot[1, 1:] @ plot[2, 1:] > plot[1, 1:] @ plot[0, 1:]  # a chair and a table of old oak
    assert [entry for entry in features.entries if entry["column"] == "price"] == [
        {"column": "price", "from": start, "to": start + 20} for start in (0, 20, 40)
    ]


def test_the_service_makes_the_same_features_of_the_same_items(tmp_path: Path) -> None:
    features, chosen = read(tmp_path), columns()
    items = read_items(tmp_path, chosen)
    assert items is not None
    values: dict[str, Sequence[Any]] = {}
    for name, column in chosen.items():
        given = [each if isinstance(each, list | np.ndarray) or not pd.isna(each) else None for each in items[name]]
        given = [each.tolist() if isinstance(each, np.ndarray) else each for each in given]
        values[name] = replace(column.described(name), words=features.words.get(name)).learned(given)
    made = service_features(values, features.entries, len(items))
    assert np.allclose(made[:, :-1], features.matrix.toarray(), atol=1e-6)
    plot = features.words["plot"]
    assert plot.vector("OAK of 1700, and old?") == pytest.approx(plot.vector("a table of old oak"))
    assert plot.vector("?") is None
    write_words(tmp_path, features.words)
    assert read_words(tmp_path, "")["plot"].vector("oak") == plot.vector("oak")


def test_a_number_without_widths_is_learned_by_tenths(tmp_path: Path) -> None:
    rows = "".join(f"{item},Item,{item % 100 / 2}\n" for item in range(1000))
    features = read(tmp_path, "item_id,title,price\n" + rows, {"price": {"type": "number"}})
    assert features.matrix.sum(axis=0).tolist() == [[100] * 10]
    assert (features.entries[0]["from"], features.entries[-1]["to"]) == (None, None)


def test_what_models_shall_not_learn_or_items_do_not_have_is_no_feature(tmp_path: Path) -> None:
    unknown = {name: {"type": kind} for name, kind in (("a", "text"), ("b", "vector"), ("c", "number"), ("d", "tags"))}
    assert read(tmp_path, changes={"brand": {"type": "tag", "learn": False}, **unknown}).entries == []


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("price", "nan", "a number"),
        ("price", "0x10", "a number"),
        ("price", "1e999", "a number"),
        ("new", "perhaps", "true or false"),
        ("since", "yesterday", "a time such as 2024-05-01, .* or whole seconds since 1970"),
        ("look", "1|2|3", r"2 numbers joined by \|"),
        ("look", "1|inf", r"2 numbers joined by \|"),
        ("photo", "javascript:alert(1)", "an address that begins with https://, http:// or /"),
        ("photo", "//elsewhere.example/1.jpg", "an address that begins with https://, http:// or /"),
    ],
)
def test_a_value_of_another_type_is_named_with_its_line_and_what_to_do(
    column: str, value: str, rule: str, tmp_path: Path
) -> None:
    names = SHOP.partition("\n")[0].split(",")
    content = f"{SHOP}5,Bed{','.join(value if name == column else '' for name in names[1:])}\n"
    remedy = f"correct this and run again, or change catalogue.items.{column} in params.yaml"
    with pytest.raises(DataError, match=rf"items\.csv, line 6: {column} '.*' should be {rule}; {remedy}"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ({"photo": {"type": "link", "learn": True}}, "models can't learn from a link: set learn to false"),
        ({"plot": {"type": "text", "filter": True}}, "requests can't filter by a text: set filter to false"),
        ({"look": {"type": "vector", "shown": True}}, "answers can't show a vector: set shown to false"),
        ({"score": {"type": "number"}}, "holds the column 'score', whose name has another meaning"),
        ({"price": {"type": "numbers"}}, "type: input should be"),
    ],
)
def test_a_column_that_can_not_be_is_refused(items: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ParamsError, match=sentence):
        columns(items)
