from pathlib import Path

import pandas as pd
import pytest

from tests.training.world import make_project
from training.dataset import load_dataset
from training.errors import DataError

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
