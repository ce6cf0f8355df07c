"""What prepare makes on Spark is what pandas makes: rows, ids, types and their order."""

import hashlib
import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from tests.training.event_store import Said
from tests.training.world import change_params, grouped_items, grouped_ratings
from training.data.dataset import SPLITS, load_dataset
from training.data.movielens import VARIABLE
from training.errors import DataError, ParamsError
from training.events import events
from training.files import read_json
from training.prepare import prepare as embedded
from training.project import Project
from training.spark.buckets import Buckets
from training.spark.prepare import prepare
from training.spark.reading import address_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.usefixtures("spark")


def write_raw(project: Project, ratings: pd.DataFrame, items: pd.DataFrame | None = None) -> None:
    project.raw.mkdir(parents=True)
    ratings.to_csv(project.raw / "interactions.csv", index=False)
    if items is not None:
        items.to_csv(project.raw / "items.csv", index=False)


def both(folder: Path, raw: Project, **changes: Any) -> tuple[Project, Project]:
    """The same raw data, prepared by pandas and by Spark."""
    with_pandas, with_spark = Project(folder / "pandas"), Project(folder / "on {Spark} [1]")
    for project in (with_pandas, with_spark):
        shutil.copytree(raw.raw, project.raw)
        params = change_params(project, **changes)
    sentence = embedded(params, with_pandas.raw, with_pandas.prepared, with_pandas.stats)
    assert prepare(with_spark, params, params.spark) == sentence
    return with_pandas, with_spark


def assert_equal(with_pandas: Project, with_spark: Project) -> None:
    for name in ("users", "items", "features", *SPLITS):
        expected = pd.read_parquet(with_pandas.prepared / f"{name}.parquet")
        found = pd.read_parquet(with_spark.prepared / f"{name}.parquet")
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    ours, theirs = load_dataset(with_spark.prepared), load_dataset(with_pandas.prepared)
    assert ours.hash(*SPLITS) == theirs.hash(*SPLITS) == Buckets.read(with_spark.prepared).hash(SPLITS)
    assert read_json(with_spark.stats, "") == read_json(with_pandas.stats, "")


def messy(rng: np.random.Generator) -> pd.DataFrame:
    """Ratings with repeated pairs, half of them at equal times, users with few ratings, and items with few."""
    ratings = grouped_ratings()
    again = ratings.sample(300, random_state=1)
    again = again.assign(
        rating=rng.choice([1.0, 3.5, 5.0], 300), timestamp=again.timestamp + rng.integers(0, 2, 300) * 50
    )
    ratings = pd.concat([ratings, again]).sample(frac=1, random_state=2)
    ratings = ratings.assign(timestamp=ratings.timestamp // 10 * 10)
    # Nobody but these eleven likes film 81: without it, they have too few ratings.
    few = [
        pd.DataFrame({"item_id": [*rng.choice(80, 7, replace=False) + 1, 81]}).assign(user_id=user)
        for user in range(900, 911)
    ]
    return pd.concat([ratings, pd.concat(few).assign(rating=5.0, timestamp=2_000_000)], ignore_index=True)


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("raw"))
    write_raw(project, messy(np.random.default_rng(0)), grouped_items())
    return project


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"prepare__min_user_ratings": 8, "prepare__min_item_ratings": 12},
        {"prepare__split__method": "global"},
        {"prepare__min_rating": None, "prepare__text_user_ids": True, "spark__buckets": 7},
    ],
    ids=["default", "k-core", "global", "all positive, text ids"],
)
def test_messy_data(tmp_path: Path, raw: Project, changes: dict[str, Any]) -> None:
    assert_equal(*both(tmp_path, raw, **changes))


def test_text_ids_without_a_file_of_items_stars_or_times(tmp_path: Path) -> None:
    project = Project(tmp_path / "raw data")
    ratings = grouped_ratings()[["user_id", "item_id"]]
    write_raw(
        project, ratings.assign(user_id="ü" + ratings.user_id.astype(str), item_id=" 0" + ratings.item_id.astype(str))
    )
    assert_equal(*both(tmp_path, project, prepare__min_rating=None))


def test_movielens(tmp_path: Path) -> None:
    project, archive = Project(tmp_path / "raw data"), Path(os.environ.get(VARIABLE, "")) / "ml-latest-small.zip"
    if not archive.is_file():
        pytest.skip(f"There is no ml-latest-small.zip in {VARIABLE}.")
    zipfile.ZipFile(archive).extractall(tmp_path)
    project.raw.parent.mkdir(parents=True)
    shutil.move(tmp_path / "ml-latest-small", project.raw)
    assert_equal(*both(tmp_path, project))
    assert_equal(*both(tmp_path / "global", project, prepare__split__method="global", prepare__min_item_ratings=5))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_several_files_are_read_in_the_order_of_their_names(tmp_path: Path, raw: Project, kind: str) -> None:
    ratings = pd.read_csv(raw.raw / "interactions.csv")
    project = Project(tmp_path / "spark")
    parts = project.raw / f"interactions.{kind}"
    parts.mkdir(parents=True)
    # Spark packs files into tasks by size, the largest first.
    for number, (start, end) in enumerate([(0, 10), (10, 900), (900, 905), (905, None)]):
        rows = ratings.iloc[start:end]
        if kind == "csv":
            rows.to_csv(parts / f"part-{number}.csv", index=False)
        else:
            rows.to_parquet(parts / f"part-{number}.parquet", index=False)
    shutil.copy(raw.raw / "items.csv", project.raw)
    params = change_params(project)
    prepare(project, params, params.spark)
    with_pandas = Project(tmp_path / "pandas")
    embedded(params, raw.raw, with_pandas.prepared, with_pandas.stats)
    assert_equal(with_pandas, project)


def test_events_are_merged_as_pandas_merges_them(tmp_path: Path, raw: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said.in_file(tmp_path / "events.db")
    monkeypatch.setenv("EVENTS_URL", said.training_url)
    said.say(1, 5, "like")
    said.say(1, 6, "rating", 2.0)
    said.say(1, 5, "retract")
    said.say(2, 7, "hide")
    for user, item in ((9001, 3), (9001, 4), ("ann", 3), (3, 4000)):
        said.say(user, item, "like")
    said.say(4, None, "forget")
    said.say(4, 9, "like")
    for project in (with_pandas := Project(tmp_path / "pandas"), with_spark := Project(tmp_path / "spark")):
        shutil.copytree(raw.raw, project.raw)
        params = change_params(project)
        events(params.fetch, project.events, project.root)
    paths = (with_pandas.raw, with_pandas.prepared, with_pandas.stats, with_pandas.events)
    sentence = embedded(params, *paths)
    assert "7 events used" in sentence
    assert prepare(with_spark, params, params.spark) == sentence
    assert_equal(with_pandas, with_spark)


def bytes_of(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_equal_input_gives_equal_bytes_which_a_write_by_ranges_would_not(
    tmp_path: Path, raw: Project, spark: "SparkSession"
) -> None:
    _, project = both(tmp_path, raw)
    first, params = bytes_of(project.prepared), change_params(project)
    assert [name for name in first if name.startswith("train")] == [f"train.parquet/{b:05}.parquet" for b in range(16)]
    prepare(project, params, params.spark)
    assert bytes_of(project.prepared) == first
    rows = spark.read.parquet(address_of(project.prepared / "train.parquet"))
    for run in ("one", "two"):
        rows.repartitionByRange(4, "user").write.parquet(str(tmp_path / run))
    assert bytes_of(tmp_path / "one") != bytes_of(tmp_path / "two")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("1,2,good,5", "rating 'good' should be a number"),
        ("1,2,4.0,-5", "timestamp '-5' should be a whole number, 0 or more"),
        (",2,4.0,5", "user_id None should be 1 to 200 characters"),
        ("1,777,4.0,5", "item_id '777' isn't in items.csv"),
        ("1,2", "has a field too many or too few"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, raw: Project, line: str, sentence: str) -> None:
    project = Project(tmp_path)
    shutil.copytree(raw.raw, project.raw)
    with (project.raw / "interactions.csv").open("a") as file:
        file.write(f"{line}\n")
    params = change_params(project)
    with pytest.raises(DataError, match=f"{re.escape(str(project.raw))}.*{sentence}"):
        prepare(project, params, params.spark)
    assert not project.prepared.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prepare__split__method": "random"}, r"prepare\.split\.method random needs engine: embedded"),
        ({"catalogue__users": {"age": {"type": "number"}}}, r"catalogue\.users needs engine: embedded; set it to \{\}"),
        ({"events__types": {"watch": {"means": "positive", "weight": 0.5}}}, r"a weight in events\.types needs engine"),
    ],
)
def test_what_spark_does_not_do_is_refused(tmp_path: Path, changes: dict[str, Any], sentence: str) -> None:
    params = change_params(Project(tmp_path), **changes)
    with pytest.raises(ParamsError, match=sentence):
        prepare(Project(tmp_path), params, params.spark)
