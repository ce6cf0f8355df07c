from pathlib import Path

import pandas as pd
import pytest

from tests.marks import long
from tests.training.world import change_params, make_project
from training.data.dataset import load_dataset
from training.errors import DataError
from training.prepare import prepare

REMEDY = "run: dvc repro --force prepare"


@pytest.mark.parametrize(
    "name",
    [
        "users",
        *long(["items", "features", "train", "validation", "test"]),
    ],
)
def test_a_damaged_table_is_named_with_the_command_to_run(name: str, tmp_path: Path) -> None:
    project, _ = make_project(tmp_path)
    path = project.prepared / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=rf"{name}\.parquet can't be read \(.*\); {REMEDY}"):
        load_dataset(project.prepared)
    path.unlink()
    with pytest.raises(DataError, match=rf"{name}\.parquet can't be read \(.*\); {REMEDY}"):
        load_dataset(project.prepared)


@pytest.mark.long
@pytest.mark.parametrize("name", ["users", "items", "features", "train"])
def test_a_table_without_its_columns_is_named_with_the_command_to_run(name: str, tmp_path: Path) -> None:
    project, _ = make_project(tmp_path)
    path = project.prepared / f"{name}.parquet"
    pd.read_parquet(path).iloc[:, 1:].to_parquet(path)
    with pytest.raises(DataError, match=rf"{name}\.parquet can't be read \(.*\); {REMEDY}"):
        load_dataset(project.prepared)


def test_an_item_s_features_are_those_that_the_columns_ask_for(tmp_path: Path) -> None:
    project, _ = make_project(tmp_path)
    dataset = load_dataset(project.prepared)
    film = dataset.item_features[[3]].indices  # film 4 of 1984, Horror and Comedy
    assert [dataset.item_feature_entries[feature] for feature in film] == [
        {"column": "year", "from": 1980, "to": 1990},
        {"column": "genres", "value": "Comedy"}, {"column": "genres", "value": "Horror"},
        {"column": "year", "from": 1984, "to": 1985},
    ]  # fmt: skip
    params = change_params(project, catalogue__items={"year": {"type": "tag", "shown": False}})
    prepare(params, project.raw, project.prepared, project.stats)
    dataset = load_dataset(project.prepared)
    assert {entry["column"] for entry in dataset.item_feature_entries} == {"year"}
    assert [column.described for column in dataset.columns] == [
        {"name": "year", "type": "tag", "filter": True, "shown": False, "learn": True}
    ]
