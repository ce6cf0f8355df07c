"""Own data in parquet files and databases: what CSV gives, with the same checks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Connection, create_engine

from tests.postgres import Postgres
from tests.training.data.archives import OWN, fetch_params, write
from tests.training.world import COLUMNS
from training.data import queries
from training.data.raw import read_items, read_ratings
from training.errors import DataError
from training.fetch import fetch

RATINGS: dict[str, list[Any]] = {
    "user_id": [7, 7, 8], "item_id": [1, 2, 1], "rating": [4.5, 3.0, 0.5], "timestamp": [1000, 2000, 0],
}  # fmt: skip
ITEMS: dict[str, list[Any]] = {
    "item_id": [1, 2, 3], "title": ["Alien", "Up", "Untouched"], "year": [1979, None, 2024],
    "genres": [["Horror", "Science Fiction"], None, ["Drama"]],
}  # fmt: skip


@pytest.fixture
def from_csv(tmp_path: Path) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    return read(write(tmp_path / "csv", OWN))


def read(raw: Path) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    return read_ratings(raw), read_items(raw, COLUMNS)


def assert_same(one: tuple[pd.DataFrame, pd.DataFrame | None], two: tuple[pd.DataFrame, pd.DataFrame | None]) -> None:
    for first, second in zip(one, two, strict=True):
        assert first is not None and second is not None  # noqa: PT018
        pd.testing.assert_frame_equal(first, second)


def put(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


def get(own: Path, raw: Path) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    fetch(fetch_params(source="parquet", csv_folder=str(own)), 42, raw)
    return read(raw)


@pytest.mark.parametrize(
    "spelling",
    [
        {},
        {"user_id": pa.array(["7", " 7", "8"]).dictionary_encode(), "item_id": pa.array(["1", "2", "1"])},
        {"timestamp": pa.array([1000, 2000, 0], pa.timestamp("s")).cast(pa.timestamp("us", "Europe/Paris"))},
        {"rating": ["4.5", " 3", ".5"], "timestamp": [1000.0, 2000.0, 0.0], "note": ["", "", ""]},
    ],
    ids=["numbers", "texts", "moments", "spelt"],
)
def test_parquet_gives_what_csv_gives(
    spelling: dict[str, Any], tmp_path: Path, from_csv: tuple[pd.DataFrame, pd.DataFrame | None]
) -> None:
    put(tmp_path / "own" / "ratings.parquet", **{**RATINGS, **spelling})
    put(tmp_path / "own" / "items.parquet", **ITEMS)
    assert_same(get(tmp_path / "own", tmp_path / "raw"), from_csv)


def test_files_of_a_folder_are_read_in_the_order_of_their_names(
    tmp_path: Path, from_csv: tuple[pd.DataFrame, pd.DataFrame | None]
) -> None:
    own = write(tmp_path / "own", {"items.csv": OWN["items.csv"]})
    put(own / "ratings.parquet" / "year=2" / "a.parquet", **{name: values[1:] for name, values in RATINGS.items()})
    first = {name: values[:1] for name, values in RATINGS.items()} | {"user_id": ["7"]}
    put(own / "ratings.parquet" / "year=1" / "b.parquet", **first)
    assert_same(get(own, tmp_path / "raw"), from_csv)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rating": ["4", "good", "1"]}, "b.parquet, row 2: rating 'good' should be a number"),
        ({"rating": [4.0, None, 1.0]}, "b.parquet, row 2: rating '' should be a number"),
        ({"rating": [4.0, 1.0, float("nan")]}, "b.parquet, row 3: rating 'nan' should be a number"),
        ({"timestamp": [1, 2, 1.5]}, "b.parquet, row 3: timestamp '1.5' should be a whole number, 0 or more, of seco"),
        ({"timestamp": [1, 2, 1718000000000]}, "b.parquet, row 3: timestamp '1718000000000' should be a whole number"),
        ({"user_id": [7, None, 8]}, "b.parquet, row 2: user_id '' should be 1 to 200 characters, none of them NUL"),
        ({"item_id": [1, 2, 9]}, "b.parquet, row 3: item_id '9' isn't in items.csv; add the film there or remove its"),
        ({"user_id": [[7], [7], [8]]}, "b.parquet: the column user_id holds list<"),
        ({"other": RATINGS["user_id"], "user_id": None}, "b.parquet lacks the column user_id; it has item_id, rating"),
        ({"rating": None}, "b.parquet has the columns user_id, item_id, timestamp, and "),
    ],
)
def test_a_wrong_value_is_named_with_its_file_and_row(changes: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    own = write(tmp_path / "own", {"items.csv": OWN["items.csv"]})
    put(own / "ratings.parquet" / "a.parquet", **RATINGS)
    columns = {name: values for name, values in {**RATINGS, **changes}.items() if values is not None}
    put(own / "ratings.parquet" / "b.parquet", **columns)
    with pytest.raises(DataError, match=re.escape(f"{own}/ratings.parquet/{sentence}") + ".*; correct this and run"):
        get(own, tmp_path / "raw")
    assert not (tmp_path / "raw").exists()


def test_a_wrong_film_and_a_file_that_is_none_are_named(tmp_path: Path) -> None:
    put(tmp_path / "own" / "ratings.parquet", **RATINGS)
    put(tmp_path / "own" / "items.parquet", **{**ITEMS, "title": ["A\nB", "", "C"]})
    with pytest.raises(DataError, match=r"own/items\.parquet, row 2: title '' should be a title; correct"):
        get(tmp_path / "own", tmp_path / "raw")
    put(tmp_path / "own" / "items.parquet", **ITEMS)
    (tmp_path / "own" / "ratings.parquet").write_text("user_id,item_id")
    with pytest.raises(DataError, match=r"own/ratings\.parquet can't be read: .*; correct this and run again"):
        get(tmp_path / "own", tmp_path / "raw")


TABLES = {
    "sqlite": (
        "CREATE TABLE ratings (who text, item_id integer, stars numeric, at integer)",
        "INSERT INTO ratings VALUES ('7', 1, 4.5, 1000), ('7', 2, 3, 2000), ('8', 1, 0.5, 0)",
        "CREATE TABLE items (item_id integer, title text, year integer, genres text)",
        "INSERT INTO items VALUES (1, 'Alien', 1979, 'Horror|Science Fiction'), (2, 'Up', NULL, NULL)",
        "INSERT INTO items VALUES (3, 'Untouched', 2024, 'Drama')",
    ),
    "postgresql": (
        "CREATE TABLE ratings (who text, item_id integer, stars numeric, at timestamptz)",
        "INSERT INTO ratings VALUES ('7', 1, 4.5, to_timestamp(1000)), ('7', 2, 3, to_timestamp(2000))",
        "INSERT INTO ratings VALUES ('8', 1, 0.5, to_timestamp(0))",
        "CREATE TABLE items (item_id integer, title text, year integer, genres text[])",
        "INSERT INTO items VALUES (1, 'Alien', 1979, '{Horror,Science Fiction}'), (2, 'Up', NULL, NULL)",
        "INSERT INTO items VALUES (3, 'Untouched', 2024, '{Drama}')",
    ),
}


@pytest.fixture(params=list(TABLES))
def database(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """A connection to a database with own data, whose address is in the environment."""
    address = f"sqlite:///{tmp_path}/own.db"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres_server")
        server.execute("DROP DATABASE IF EXISTS own")
        server.execute("CREATE DATABASE own")
        address = server.url("postgres", "own")
    monkeypatch.setenv(queries.VARIABLE, address)
    engine = create_engine(address.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in TABLES[request.param]:
            connection.exec_driver_sql(statement)
        yield connection
    engine.dispose()


QUERIES = {
    "ratings": "SELECT who AS user_id, item_id, stars AS rating, at AS timestamp FROM ratings WHERE who <> '%:x'",
    "items": "SELECT * FROM items",
    "users": None,
}


OPEN_CURSORS = "SELECT 1 AS user_id, count(*) AS item_id FROM pg_cursors"


def ask(raw: Path, **changes: str) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    fetch(fetch_params(source="sql", sql={**QUERIES, **changes}), 42, raw)
    return read(raw)


def test_a_database_gives_what_csv_gives(
    database: Connection, tmp_path: Path, from_csv: tuple[pd.DataFrame, pd.DataFrame | None]
) -> None:
    assert_same(ask(tmp_path / "raw"), from_csv)
    database.exec_driver_sql("UPDATE items SET title = ' ' WHERE item_id = 2")
    with pytest.raises(DataError, match=r"the answer of fetch\.sql\.items, row 2: title '' should be a title; correct"):
        ask(tmp_path / "raw", items="SELECT * FROM items ORDER BY item_id")
    with pytest.raises(DataError, match=r"fetch\.sql\.ratings can't be answered by .*nothing.*: correct the query or"):
        ask(tmp_path / "raw", ratings="SELECT * FROM nothing")


def test_an_answer_comes_through_a_cursor_of_the_server(
    postgres_server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(queries.VARIABLE, postgres_server.url("postgres", "postgres"))
    fetch(fetch_params(source="sql", sql={"ratings": OPEN_CURSORS, "items": None, "users": None}), 42, tmp_path / "raw")
    assert read_ratings(tmp_path / "raw")["item_id"].tolist() == [1]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "SOURCE_URL in the environment is not a database's address: fetch.source sql needs one such as"),
        ("oracle+nothing://me:secret@host/x", "SOURCE_URL needs a driver that isn't installed"),
        ("postgresql://me:secret@127.0.0.1:1/x", r"can't connect to postgresql\+psycopg://me:\*\*\*@127"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_without_its_password(
    address: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(queries.VARIABLE, address)
    with pytest.raises(DataError, match=sentence) as error:
        ask(tmp_path / "raw")
    assert "secret" not in str(error.value)
