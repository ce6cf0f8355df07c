"""What is known of people: files of every kind, wrong values, and who is among the prepared data."""

import re
import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.training.data.archives import DAT, OWN, TAB, fetch_params, write
from tests.training.world import change_params, make_project
from training.data.dataset import load_dataset
from training.data.queries import VARIABLE
from training.data.raw import read_users
from training.errors import DataError
from training.fetch import fetch
from training.params.catalogue import Attribute, CatalogueParams
from training.prepare import prepare
from training.project import Project

KINDS = {
    "age": {"type": "number", "widths": [10]}, "job": {"type": "tag"}, "likes": {"type": "tags"},
    "joined": {"type": "time"}, "paying": {"type": "flag"}, "taste": {"type": "vector"},
}  # fmt: skip
KNOWN = CatalogueParams.model_validate({"items": {}, "users": KINDS})
USERS = """user_id,age,job,likes,joined,paying,taste,phone
7,34,baker,tea|cake,2024-05-01,true,0.5|1,123
8,,,,,,,
9,61,baker,tea,1970-01-01T00:00:05Z,0,1|0,
"""


def read(raw: Path) -> pd.DataFrame:
    people = read_users(raw, KNOWN.users)
    assert people is not None
    return people


def test_people_are_read_with_types(tmp_path: Path) -> None:
    people = read(write(tmp_path, {**OWN, "users.csv": USERS}))
    assert people["user_id"].tolist() == ["7", "8", "9"]
    assert people["age"].tolist()[::2] == [34, 61]
    assert people["likes"].tolist() == [["tea", "cake"], [], ["tea"]]
    assert people["joined"].tolist()[::2] == [1714521600, 5]
    assert people["paying"].tolist()[::2] == [True, False]
    assert people.isna().to_numpy()[1].tolist() == [False, True, False, False, True, True, True]


def test_parquet_and_a_database_give_what_csv_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "csv", {"ratings.csv": OWN["interactions.csv"], "users.csv": USERS})
    fetch(fetch_params(source="csv", csv_folder=str(tmp_path / "csv")), 42, tmp_path / "raw", KNOWN)
    people = read(tmp_path / "raw")
    columns: dict[str, Any] = {
        "user_id": [7, 8, 9], "age": [34, None, 61], "job": ["baker", None, "baker"],
        "likes": [["tea", "cake"], None, ["tea"]], "paying": [True, None, False],
        "joined": pa.array([1714521600, None, 5], pa.timestamp("s")), "taste": [[0.5, 1.0], None, [1.0, 0.0]],
    }  # fmt: skip
    (tmp_path / "parquet").mkdir()
    pq.write_table(pa.table({"user_id": [7, 7, 8], "item_id": [1, 2, 1]}), tmp_path / "parquet" / "ratings.parquet")
    pq.write_table(pa.table(columns), tmp_path / "parquet" / "users.parquet")
    fetch(fetch_params(source="parquet", csv_folder=str(tmp_path / "parquet")), 42, tmp_path / "raw", KNOWN)
    pd.testing.assert_frame_equal(read(tmp_path / "raw"), people)

    with sqlite3.connect(tmp_path / "own.db") as database:
        pd.read_csv(tmp_path / "csv" / "users.csv", dtype=str).to_sql("people", database, index=False)
        pd.DataFrame({"user_id": [7], "item_id": [1]}).to_sql("ratings", database, index=False)
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path}/own.db")
    queries = {"ratings": "SELECT * FROM ratings", "items": None, "users": "SELECT * FROM people"}
    fetch(fetch_params(source="sql", sql=queries), 42, tmp_path / "raw", KNOWN)
    pd.testing.assert_frame_equal(read(tmp_path / "raw"), people)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "9,old,,,,,,",
            "line 5: age 'old' should be a number; correct this and run again, or change catalogue.users.age",
        ),
        ("9,,,,soon,,,", "line 5: joined 'soon' should be a time such as"),
        ("9,,,,,,1|2|3,", "line 5: taste '1|2|3' should be 2 numbers joined by |"),
        ("9,,,,,,,,", "line 5 has 9 fields instead of 8"),
        (",,,,,,,", "line 5: user_id '' should be 1 to 200 characters"),
        ("8,,,,,,,", "line 5: user_id '8' should be unlike every id before it"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_value(tmp_path: Path, line: str, sentence: str) -> None:
    users = USERS.replace("9,61", "10,61") + line + "\n"
    write(tmp_path / "own", {"ratings.csv": OWN["interactions.csv"], "users.csv": users})
    with pytest.raises(DataError, match=re.escape(f"{tmp_path}/own/users.csv, {sentence}")):
        fetch(fetch_params(source="csv", csv_folder=str(tmp_path / "own")), 42, tmp_path / "raw", KNOWN)
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    "archive", [{**TAB, "u.user": "7|24|M|writer|1\n"}, {**DAT, "users.dat": "7::M::24::writer::1\n"}]
)
def test_movielens_knows_age_sex_and_occupation(tmp_path: Path, archive: dict[str, str]) -> None:
    columns = {name: Attribute(type="tag") for name in ("age", "sex", "occupation")}
    people = read_users(write(tmp_path, archive), columns)
    assert people is not None
    assert people.to_numpy().tolist() == [["7", "24", "M", "writer"]]


def with_users(folder: Path, users: str, **changes: Any) -> Project:
    project, _ = make_project(folder)
    write(project.raw, {"users.csv": users})
    params = change_params(project, catalogue__users={"job": {"type": "tag"}}, **changes)
    prepare(params, project.raw, project.prepared, project.stats)
    return project


def test_people_without_ratings_are_known_beside_the_users(tmp_path: Path) -> None:
    dataset = load_dataset(with_users(tmp_path, "user_id,job\n900,baker\n3,baker\n100,\n1,cook\n2,cook\n").prepared)
    people = dataset.people
    assert people is not None
    assert (dataset.n_users, people.new_ids.tolist()) == (80, [100, 900])
    assert people.entries == [{"column": "job", "value": "baker"}, {"column": "job", "value": "cook"}]
    assert people.features.toarray()[:4].tolist() == [[0, 1], [0, 1], [1, 0], [0, 0]]
    assert people.new_features.toarray().tolist() == [[0, 0], [1, 0]]
    assert [column.name for column in people.columns] == ["job"]


@pytest.mark.long
def test_a_person_whose_id_is_text_needs_text_ids(tmp_path: Path) -> None:
    users = "user_id,job\nann,baker\n007,cook\n3,baker\n"
    with pytest.raises(DataError, match=r"has the user_id .ann., and those of the ratings are numbers: set"):
        with_users(tmp_path / "numbers", users)
    dataset = load_dataset(with_users(tmp_path / "texts", users, prepare__text_user_ids=True).prepared)
    assert dataset.people is not None
    assert dataset.people.new_ids.tolist() == ["007", "ann"]


def test_what_is_known_of_people_is_part_of_what_a_model_learned_from(tmp_path: Path) -> None:
    one, other = (with_users(tmp_path / job, f"user_id,job\n1,{job}\n2,{job}\n") for job in ("cook", "baker"))
    without, _ = make_project(tmp_path / "without")
    assert len({load_dataset(project.prepared).hash("train") for project in (one, other, without)}) == 3
