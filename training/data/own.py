"""Copies own files to data/raw, and checks them as `prepare` will."""

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from training.data.raw import read_items, read_ratings, read_users
from training.data.raw.layouts import OWN, PARQUET, SPLITS
from training.data.raw.tables import files_of
from training.data.written import write_rows
from training.errors import DataError
from training.params.catalogue import CatalogueParams

MORE = (OWN.items, str(OWN.users))  # files that there need not be


def copy_csv(source: Path, folder: Path, catalogue: CatalogueParams) -> None:
    """Copy own ratings and, if they are there, the files of own films and people."""
    parts = source / "ratings.csv"
    if parts.is_dir() and any(parts.glob("*.csv")):  # engine: spark reads many files
        shutil.copytree(parts, folder / OWN.ratings)
        _copy_more(source, folder)
        return
    if not _has(source, "ratings.csv"):
        raise DataError(
            f"{source / 'ratings.csv'} doesn't exist; put your ratings there as user_id,item_id[,rating][,timestamp], "
            "or change fetch.csv_folder or fetch.source in params.yaml"
        )
    shutil.copyfile(source / "ratings.csv", folder / OWN.ratings)
    check(folder, catalogue, {OWN.ratings: source / "ratings.csv", **_copy_more(source, folder)})


def copy_parquet(source: Path, folder: Path, catalogue: CatalogueParams) -> None:
    """Copy own ratings, a file or a folder of files, and write films and people, if there are any, as CSV.

    These may be in CSV already.
    """
    ratings = source / "ratings.parquet"
    if not ratings.exists():
        raise DataError(
            f"{ratings} doesn't exist; put a file, or a folder of files, with the columns "
            "user_id,item_id[,rating][,timestamp] there, or change fetch.csv_folder or fetch.source in params.yaml"
        )
    (shutil.copytree if ratings.is_dir() else shutil.copyfile)(ratings, folder / PARQUET.ratings)
    tables = {name: table for name in MORE if (table := (source / name).with_suffix(".parquet")).exists()}
    for name, table in tables.items():
        write_rows(folder / name, *_rows(table))
    files = {PARQUET.ratings: ratings, **_copy_more(source, folder, [name for name in MORE if name not in tables])}
    check(folder, catalogue, files, {name: str(table) for name, table in tables.items()})


def copy_split(source: Path, folder: Path, catalogue: CatalogueParams) -> None:
    """Copy both parts of a given split and, if they are there, the files of films and people."""
    names = [name for layout in SPLITS for name in (layout.ratings, str(layout.test))]
    present = [name for name in names if _has(source, name)]
    if present not in (names[:2], names[2:]):
        raise DataError(
            f"{source} holds {' and '.join(present) or 'no split'}: put either {' and '.join(names[:2])} there (lines "
            f"of a user and its items) or {' and '.join(names[2:])} (lines user,item), or change fetch.csv_folder or "
            "fetch.source in params.yaml"
        )
    for name in present:
        shutil.copyfile(source / name, folder / name)
    check(folder, catalogue, {**{name: source / name for name in present}, **_copy_more(source, folder)})


def check(
    folder: Path, catalogue: CatalogueParams, files: Mapping[str, Path], tables: Mapping[str, str] | None = None
) -> None:
    """Read what was copied, as `prepare` will; an error names the person's own file, which is the one to correct.

    `tables` are the files that were written from a table, whose first row is in line 2.
    """
    try:
        read_ratings(folder)
        read_items(folder, catalogue.items)
        read_users(folder, catalogue.users)
    except DataError as error:
        sentence = str(error)
        for name, origin in files.items():
            sentence = sentence.replace(str(folder / name), str(origin))
        for name, table in (tables or {}).items():
            sentence = _by_row(sentence, str(folder / name), table)
        raise DataError(sentence) from error


def _by_row(sentence: str, file: str, table: str) -> str:
    return re.sub(
        rf"{re.escape(file)}(?:, line ([0-9]+))?",
        lambda found: table + (f", row {int(found[1]) - 1}" if found[1] else ""),
        sentence,
    )


def _rows(path: Path) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """The columns of a table in parquet, and its rows."""
    try:
        table = pa.concat_tables(
            [pq.read_table(file, partitioning=None) for file in files_of(path, PARQUET)], promote_options="default"
        )
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path} can't be read: {str(error).splitlines()[0][:300]}; {PARQUET.remedy}") from error
    rows = (row for batch in table.to_batches(10_000) for row in zip(*batch.to_pydict().values(), strict=True))
    return table.column_names, rows


def _copy_more(source: Path, folder: Path, names: Sequence[str] = MORE) -> dict[str, Path]:
    """Copy those of these files that there are; return where each comes from."""
    for name in names:
        if _has(source, name):
            shutil.copyfile(source / name, folder / name)
    return {name: source / name for name in names}


def _has(source: Path, name: str) -> bool:
    """Whether the folder has this file; raise DataError for one with almost the same name."""
    for path in source.iterdir() if source.is_dir() else ():
        if path.name.strip().lower() == name and path.name != name:
            raise DataError(f"{path.name!r} in {source} should be called {name}: rename it, or remove it")
        if path.name == name and not path.is_file():
            kind = "a link that leads nowhere" if path.is_symlink() else "not a file"
            raise DataError(f"{path} is {kind}: put the file there, or remove it")
    return (source / name).is_file()
