"""Columns of every type."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.contract.artifact_directory import load_artifact
from app.contract.artifact_format import ArtifactError
from app.contract.catalogue import pack
from app.contract.columns import Column, ColumnType, as_time
from app.contract.words import Words
from tests.app.contract.hostile import rewrite_array, rewrite_manifest
from tests.artifacts import make_artifact, write

# type -> values, and what answers show of them
VALUES: dict[ColumnType, tuple[list[Any], list[Any]]] = {
    "number": ([4.99, None, 1995], [4.99, None, 1995]),
    "time": ([0, None, -62135596800], ["1970-01-01T00:00:00Z", None, "0001-01-01T00:00:00Z"]),
    "flag": ([True, None, False], [True, None, False]),
    "tag": (["fr", None, "ja"], ["fr", None, "ja"]),
    "tags": ([["b", "a"], [], ["a"]], [["b", "a"], [], ["a"]]),
    "text": (["é\n", None, ""], ["é\n", None, None]),
    "link": (["https://a/b.jpg", "", None], ["https://a/b.jpg", None, None]),
}
COLUMNS = [
    Column(kind.upper(), kind, filter=kind not in ("text", "link")).filled(given) for kind, (given, _) in VALUES.items()
]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    vector = Column("v", "vector", filter=False, shown=False)
    catalogue = pack(
        ["x", "y", "z"], [*COLUMNS, vector, Column("hidden", "tag", filter=False, shown=False).filled("abc")]
    )
    return write(tmp_path / "served", make_artifact(item_ids=[1, 2, 3], catalogue=catalogue))


def test_a_column_of_each_type_is_read_as_it_was_written(directory: Path) -> None:
    columns = load_artifact(directory).catalogue.columns
    assert [column.name for column in columns] == [*(column.name for column in COLUMNS), "v", "hidden"]
    for column, (_, shown) in zip(columns, VALUES.values(), strict=False):
        read = column.reader()
        assert [read(row) for row in range(3)] == shown


def test_a_column_that_nobody_filters_by_or_sees_takes_no_space(directory: Path) -> None:
    assert not [*directory.glob("column_7_*"), *directory.glob("column_8_*")]


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("column_0_values", np.array([1, 2, np.inf]), "holds infinity"),
        ("column_0_values", np.zeros(3, "<f4"), "is of type <f4; expected <f8"),
        ("column_1_values", np.full(3, 2**62), "holds a time outside of the years 1 to 9998"),
        ("column_2_values", np.full(3, 2, "|i1"), "holds numbers other than -1, 0 and 1"),
        ("column_3_indptr", np.array([0, 2, 2, 2]), "gives an item two tags; use the type tags for that"),
        ("column_4_indptr", np.array([0, 2, 1, 3]), "does not rise from 0 to 3, the length of column_4_codes"),
        ("column_4_codes", np.array([0, 1, 2], "<i4"), "points outside the tags"),
        ("column_4_names", np.full(2, 0xFF, "|u1"), "is not UTF-8"),
        ("column_5_text", np.full(3, 0xFF, "|u1"), "is not UTF-8"),
        ("column_6_text_offsets", np.zeros(3, "<i8"), r"has the shape \[3\]; items \+ 1 should be 4"),
    ],
)  # fmt: skip
def test_arrays_of_columns_that_contradict_each_other_are_refused(
    directory: Path, name: str, array: Any, message: str
) -> None:
    rewrite_array(directory, name, array)
    with pytest.raises(ArtifactError, match=rf"{name}\.npy {message}"):
        load_artifact(directory)


SOUND = {"name": "x", "type": "vector", "filter": False, "shown": False, "learn": True}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    plot = Column("plot", "text", filter=False, shown=False, words=Words.packed(["glass", "oak"], np.eye(2)))
    features = [{"column": "plot"}, *({"column": "plot", "component": number, "scale": 1} for number in (0, 1))]
    encoder = np.ones((4, 4), np.float32)
    artifact = make_artifact(item_ids=[1], catalogue=pack(["x"], [plot]), item_encoder=encoder, item_features=features)
    return write(tmp_path / "served", artifact)


def test_the_words_of_a_text_are_read_as_they_were_written(texts: Path) -> None:
    (plot,) = load_artifact(texts).catalogue.columns
    assert plot.learned(["Oak, OAK, oak and glass", None]) == [pytest.approx([0.1**0.5, 0.9**0.5]), None]


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("column_0_words", np.full(8, ord("a"), "|u1"), "column_0_words.npy is not sorted, or holds a word twice"),
        ("column_0_word_offsets", np.array([0, 9, 8]), "column_0_word_offsets.npy does not rise from 0 to 8"),
        ("column_0_word_vectors", np.full((2, 2), np.nan, "<f4"), "column_0_word_vectors.npy holds NaN or infinity"),
        ("column_0_word_vectors", np.eye(3, 2, dtype="<f4"), "column_0_word_vectors.npy has the shape"),
        ("column_0_word_vectors", np.eye(2, 3, dtype="<f4"), "has 2 components of plot, whose words have 3"),
    ],
)
def test_words_that_contradict_each_other_are_refused(texts: Path, name: str, array: Any, message: str) -> None:
    rewrite_array(texts, name, array)
    with pytest.raises(ArtifactError, match=message):
        load_artifact(texts)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "has columns that aren't a list of at most 200"),
        ([[]], r"has the column \[\]; expected a name, a type, and filter, shown and learn"),
        ([{**SOUND, "learn": 1}], "expected a name, a type, and filter, shown and learn"),
        ([{**SOUND, "name": "../x"}], "whose name should be 1 to 64 letters, digits and underscores"),
        ([{**SOUND, "name": "title"}], "whose name has another meaning in answers or filters"),
        ([{**SOUND, "type": "smell"}], "has the column x of type 'smell'; known are number, time"),
        ([{**SOUND, "shown": True}], "has the column x to show, which a vector is not for"),
        ([{**SOUND, "filter": True}], "has the column x to filter by, which a vector is not for"),
        ([SOUND, SOUND], "has two columns of one name"),
    ],
)
def test_columns_that_are_described_wrongly_are_refused(directory: Path, columns: Any, message: str) -> None:
    rewrite_manifest(directory, columns=columns)
    with pytest.raises(ArtifactError, match=rf"manifest\.json .*{message}"):
        load_artifact(directory)


def test_features_must_be_those_of_the_encoder(tmp_path: Path) -> None:
    features = [{"column": "genres", "value": "Drama"}]
    encoders: dict[str, Any] = {"item_encoder": np.ones((2, 4), np.float32), "item_features": features}
    directory = write(tmp_path / "served", make_artifact(**encoders))
    assert load_artifact(directory).item_features == features
    rewrite_manifest(directory, item_features=[])
    with pytest.raises(ArtifactError, match=r"manifest\.json has 0 features for an encoder of 1"):
        load_artifact(directory)


@pytest.mark.parametrize(
    "feature",
    [None, {}, {"column": "plot", "value": "x"}, {"column": "genres", "value": 7}, {"column": "year", "value": "1990"},
     {"column": "year", "from": "1990"}, {"column": "year", "to": float("nan")}, {"column": "genres", "from": 1},
     {"column": "genres", "component": 0, "scale": 1}, {"column": ["genres"], "value": "x"}],
)  # fmt: skip
def test_a_feature_that_follows_from_no_column_is_refused(tmp_path: Path, feature: Any) -> None:
    encoders: dict[str, Any] = {"item_encoder": np.ones((2, 4), np.float32)}
    directory = write(tmp_path / "served", make_artifact(**encoders, item_features=[{"column": "year", "to": 1990}]))
    rewrite_manifest(directory, item_features=[feature])
    with pytest.raises(ArtifactError, match=r"manifest\.json has the feature .*, which follows from no column"):
        load_artifact(directory)


@pytest.mark.parametrize(("component", "scale"), [(1, 1.0), (0, "1"), (-1, 1.0), ("0", 1.0), (0, None)])
def test_components_are_numbered_and_have_a_scale(tmp_path: Path, component: Any, scale: Any) -> None:
    column, feature = (
        Column("taste", "vector", filter=False, shown=False),
        {"column": "taste", "component": 0, "scale": 1},
    )
    encoders: dict[str, Any] = {"user_encoder": np.ones((2, 3), np.float32), "user_columns": [column]}
    directory = write(tmp_path / "served", make_artifact(**encoders, user_features=[feature]))
    assert load_artifact(directory).user_columns == [column]
    rewrite_manifest(directory, user_features=[{**feature, "component": component, "scale": scale}])
    with pytest.raises(ArtifactError, match="which follows from no column"):
        load_artifact(directory)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1970", 0), ("1970-02", 2678400), ("1970-01-02", 86400), ("1970-01-01T01:00:00+01:00", 0),
     ("1970-01-01T00:00:05Z", 5), ("", None), ("soon", None), ("1970-13-01", None)],
)  # fmt: skip
def test_times_are_read_as_iso_8601(text: str, seconds: int | None) -> None:
    assert as_time(text) == seconds
