"""Reads raw ratings with Spark: the checks and types of `data.raw`, on one file or a folder of files."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

import pandas as pd
import pyarrow.parquet as pq

from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, USER_ID
from training.data.raw import read_items
from training.data.raw.faults import columns_of
from training.data.raw.ids import CANONICAL, LONGEST
from training.data.raw.layouts import MOVIELENS_CSV, OWN, Layout
from training.data.raw.schema import LAST_SECOND, NUMBER, RULES
from training.errors import DataError
from training.params.catalogue import ItemColumns

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

ORDER = ("source", "file", "start", "row")  # together, the place of a row: events come after ratings
CORRUPT = "corrupt"
WHOLE = r"^\s*-?[0-9]{1,19}\s*$"


class Read(NamedTuple):
    """Ratings with the columns user_id, item_id (text), rating, timestamp and ORDER; films, where a file has any."""

    ratings: "DataFrame"
    items: pd.DataFrame | None
    numeric_users: bool


def read_raw(spark: "SparkSession", raw: Path, columns: ItemColumns, text_user_ids: bool) -> Read:
    """Read and check data/raw; user ids are int64 if all are numbers and `text_user_ids` is false.

    Raises DataError that names a file, a value and the rule that it breaks.
    """
    path, layout = find(raw)
    items = read_items(raw, columns, layout)
    ratings = _texts(spark, path, layout).cache()
    numeric_users = _check(ratings, path, layout, items) and not text_user_ids
    from pyspark.sql import functions as f

    return Read(
        ratings.select(
            f.col(USER_ID).cast("long" if numeric_users else "string").alias(USER_ID),
            ITEM_ID,
            f.col(RATING).cast("float").alias(RATING),
            f.trim(TIMESTAMP).cast("long").alias(TIMESTAMP),
            *ORDER,
        ),
        items,
        numeric_users,
    )


def find(raw: Path) -> tuple[Path, Layout]:
    """The file or folder of ratings."""
    for layout in (OWN, MOVIELENS_CSV):
        path = raw / layout.ratings
        for found in (path, path.with_suffix(".parquet")):
            if found.exists():
                return found, layout
    raise DataError(
        f"{raw} holds no {OWN.ratings} or {MOVIELENS_CSV.ratings}, which engine: spark reads: set engine to embedded "
        "in params.yaml, or choose another fetch.source"
    )


def _files(path: Path) -> list[Path]:
    """The files in the order of their names."""
    files = [path] if path.is_file() else sorted(path.glob(f"*{path.suffix}"))
    if not files:
        raise DataError(f"{path} holds no file *{path.suffix}")
    return files


def _texts(spark: "SparkSession", path: Path, layout: Layout) -> "DataFrame":
    """All columns in use as texts, ids without blanks around them; NaN and 0 where there are no ratings or times."""
    from pyspark.sql import functions as f

    files = _files(path)
    is_parquet = path.suffix == ".parquet"
    columns = _parquet_columns(files, layout) if is_parquet else _csv_columns(files, layout)
    if is_parquet:
        frame = spark.read.parquet(*map(address_of, files)).withColumn(CORRUPT, f.lit(None).cast("string"))
    else:
        schema = ", ".join(f"`{name}` string" for name in (*columns, CORRUPT))
        frame = spark.read.csv(
            [address_of(file) for file in files], schema, header=layout.header is not None, sep=layout.separator,
            quote='"', escape='"', columnNameOfCorruptRecord=CORRUPT, enforceSchema=True,
        )  # fmt: skip
    theirs = {ours: name for name, ours in (layout.header or {}).items()} if is_parquet else {}
    used = [name for name in (USER_ID, ITEM_ID, RATING, TIMESTAMP) if name in columns]
    chosen = {name: f.col(theirs.get(name, name)).cast("string") for name in used}
    return frame.select(
        f.trim(chosen[USER_ID]).alias(USER_ID),
        f.trim(chosen[ITEM_ID]).alias(ITEM_ID),
        chosen.get(RATING, f.lit("NaN")).alias(RATING),
        chosen.get(TIMESTAMP, f.lit("0")).alias(TIMESTAMP),
        f.lit(RATING in columns).alias("has_rating"),
        CORRUPT,
        f.lit(0).alias("source"),
        f.col("_metadata.file_path").alias("file"),
        f.col("_metadata.file_block_start").alias("start"),
        f.monotonically_increasing_id().alias("row"),
    )  # fmt: skip


def address_of(file: Path) -> str:
    """The address of a file for Spark, which reads some characters as patterns."""
    return "file:" + re.sub(r"([\\*?\[\]{}])", r"\\\1", str(file.resolve()))


def _csv_columns(files: list[Path], layout: Layout) -> list[str]:
    """The columns of the first file; all must have the same."""
    columns = columns_of(files[0], layout).names
    for file in files[1:]:
        if (other := columns_of(file, layout).names) != columns:
            raise DataError(f"{file} has the columns {', '.join(other)}, and {files[0].name} {', '.join(columns)}")
    return columns


def _parquet_columns(files: list[Path], layout: Layout) -> list[str]:
    known = layout.header or {}
    columns = [known.get(name, name) for name in pq.read_schema(files[0]).names]
    if missing := [name for name in known.values() if name not in columns and name not in layout.optional]:
        raise DataError(f"{files[0]} lacks the column {missing[0]}; {layout.remedy}")
    return columns


def _check(ratings: "DataFrame", path: Path, layout: Layout, items: pd.DataFrame | None) -> bool:
    """Whether all user ids are whole numbers; raise DataError for the first row that breaks a rule."""
    from pyspark.sql import functions as f

    seconds = f.expr(f"try_cast(trim({TIMESTAMP}) as long)")
    wrong: dict[str, Column] = {
        CORRUPT: f.col(CORRUPT).isNotNull(),
        USER_ID: _bad_id(USER_ID),
        ITEM_ID: _bad_id(ITEM_ID),
        RATING: f.col("has_rating") & ~f.coalesce(f.col(RATING).rlike(f"^{NUMBER}$"), f.lit(False)),
        TIMESTAMP: ~f.coalesce(f.col(TIMESTAMP).rlike(WHOLE) & seconds.between(0, LAST_SECOND), f.lit(False)),
    }
    place = f.struct(*ORDER)
    numeric = f.col(USER_ID).rlike(CANONICAL) & f.expr(f"try_cast({USER_ID} as long) is not null")
    found = ratings.agg(
        f.count("*").alias("rows"),
        f.every(f.coalesce(numeric, f.lit(False))).alias("numeric"),
        *(f.min(f.when(bad, f.struct(place, f.col("file"), f.col(name)))).alias(name) for name, bad in wrong.items()),
    ).first()
    assert found is not None  # noqa: S101 - an aggregate has one row
    if not found["rows"]:
        raise DataError(f"{path} holds no ratings; {layout.remedy}")
    for name in wrong:
        if found[name] is not None:
            _refuse(name, found[name]["file"], found[name][name], layout)
    if items is not None:
        _check_items(ratings, path, layout, items)
    return bool(found["numeric"])


def _bad_id(name: str) -> "Column":
    from pyspark.sql import functions as f

    length = f.coalesce(f.char_length(name), f.lit(0))
    return (length == 0) | (length > LONGEST) | f.coalesce(f.contains(f.col(name), f.lit("\0")), f.lit(False))


def _refuse(column: str, address: str, value: str | None, layout: Layout) -> None:
    file = unquote(urlsplit(address).path)
    if column == CORRUPT:
        raise DataError(f"{file}: the line {value!r} has a field too many or too few; {layout.remedy}")
    raise DataError(f"{file}: {column} {value!r} should be {RULES[column]}; {layout.remedy}")


def _check_items(ratings: "DataFrame", path: Path, layout: Layout, items: pd.DataFrame) -> None:
    known = set(items[ITEM_ID].astype(str))
    unknown = sorted(set(item_ids(ratings)) - known)
    if unknown:
        more = f" (nor are {len(unknown) - 1} other ids)" if len(unknown) > 1 else ""
        raise DataError(
            f"{path}: item_id {unknown[0]!r} isn't in {layout.items}{more}; add the film there or remove its ratings; "
            f"{layout.remedy}"
        )


def item_ids(ratings: "DataFrame") -> list[str]:
    """The different items of ratings, as texts."""
    return [str(row[0]) for row in ratings.select(ITEM_ID).distinct().collect()]
