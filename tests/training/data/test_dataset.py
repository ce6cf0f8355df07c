from pathlib import Path

import pandas as pd
import pytest

from tests.training.world import change_params, make_project
from training.data.dataset import load_dataset
from training.errors import DataError
from training.prepare import prepare

REMEDY = "run: dvc repro --force prepare"


@pytest.mark.parametrize("name", ["users", "items", "features", "train", "validation", "test"])
def test_a_damaged_table_is_named_with_the_command_to_run(name: str, tmp_path: Path) -> None:
    project, _ = make_project(tmp_path)
    path = project.prepared / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=rf"{name}\.parquet can't be read \(.*\); {REMEDY}"):
        load_dataset(project.prepared)
    path.unlink()
    with pytest.raises(DataError, match=rf"{name}\.parquet can't be read \(.*\); {REMEDY}"):
        load_dataset(project.prepared)


@pytest.mark.parametrize("name", ["users", "items", "features", "train"])
def test_a_table_without_its_columns_is_named_with_the_command_to_run(name: str, tmp_path: Path) -> None:
    project, _ = make_project(tmp_path)
    path = project.prepared / f"{name}.parquet"
    pd.read_parquet(path).iloc[:, 1:].to_parquet(path)
    with pytest.raises(DataError, match=rf"{name}\.parquet can't be read \(.*\); {REMEDY}"):
        load_dataset(project.prepared)


def test_an_item_s_features_are_those_that_are_asked_for(tmp_path: Path) -> None:
    project, _ = make_project(tmp_path)
    dataset = load_dataset(project.prepared)
    film = dataset.item_features[[3]].indices  # film 4 of 1984, Horror and Comedy
    assert [dataset.feature_names[feature] for feature in film] == [
        "decade:1980", "genre:Comedy", "genre:Horror", "year:1984",
    ]  # fmt: skip
    params = change_params(project, prepare__features=["year"])
    prepare(params.prepare, params.seed, project.raw, project.prepared, project.stats)
    assert {name.partition(":")[0] for name in load_dataset(project.prepared).feature_names} == {"year"}
