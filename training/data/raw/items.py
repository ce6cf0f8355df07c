"""Reads items of every layout into one kind of table."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from training.data.dataset import ITEM_ID, TITLE
from training.data.raw.ids import typed_series
from training.data.raw.layouts import MOVIELENS_CSV, MOVIELENS_DAT, MOVIELENS_TAB, OWN, Layout, detect
from training.data.raw.records import Record, complete, named_records, refuse_faults, rows_of, values_of
from training.data.raw.rows import header
from training.data.raw.titles import NO_GENRES, split_title
from training.errors import DataError
from training.params.catalogue import ItemColumns

YEAR, GENRES = "year", "genres"  # what MovieLens knows of films
FLAGS = (
    "", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip


def read_items(directory: Path, columns: ItemColumns, layout: Layout | None = None) -> pd.DataFrame | None:
    """Read items in file order: item_id, title and these columns; None where a folder has no file of items.

    Ids are int64 if all of them are numbers, else text. A column that the file lacks holds no values. A layout that
    isn't given is detected. Raises DataError that names file, line and value.
    """
    layout = layout or detect(directory)
    path = directory / layout.items
    if not path.is_file():
        return None
    rows = list(_PARSERS[layout.items](path, layout, columns))
    if not rows:
        raise DataError(f"{path} holds no films; {layout.remedy}")
    own = {ITEM_ID: typed_series([row.texts[ITEM_ID] for row in rows]), TITLE: [row.texts[TITLE] for row in rows]}
    items = pd.DataFrame(own | values_of(columns, "catalogue.items", rows, path, layout))
    refuse_faults("items", items, ITEM_ID, rows, path, layout)
    return items


def column_names(directory: Path, layout: Layout | None = None) -> list[str] | None:
    """The columns of the file of items beside id and title; None where there is none."""
    layout = layout or detect(directory)
    path = directory / layout.items
    if not path.is_file():
        return None
    if layout.items != OWN.items:
        return [YEAR, GENRES]
    names = header(path, rows_of(path, layout), required=(ITEM_ID, TITLE), optional=(), remedy=layout.remedy).cells
    return [name for name in names if name not in (ITEM_ID, TITLE)]


def _movielens(path: Path, layout: Layout, _: ItemColumns) -> Iterator[Record]:
    """Films of movies.csv or movies.dat: id, title with year, genres."""
    lines = rows_of(path, layout)
    if layout.header is not None:
        header(path, lines, required=("movieId", "title", "genres"), optional=(), remedy=layout.remedy)
    for line, (item_id, text, genres) in complete(path, lines, 3, layout):
        yield _film(line, item_id, text, "" if genres.strip() == NO_GENRES else genres)


def _flagged(path: Path, layout: Layout, __: ItemColumns) -> Iterator[Record]:
    """Films of u.item: id, title with year, two dates, an address, and a flag for each genre."""
    for line, (item_id, text, _, _, _, *flags) in complete(path, rows_of(path, layout), 5 + len(FLAGS), layout):
        genres = "|".join(genre for genre, flag in zip(FLAGS, flags, strict=True) if flag == "1")
        yield _film(line, item_id, text, genres)


def _film(line: int, item_id: str, text: str, genres: str) -> Record:
    title, year = split_title(text)
    return Record(line, {ITEM_ID: item_id.strip(), TITLE: title, YEAR: str(year or ""), GENRES: genres})


_PARSERS: dict[str, Callable[[Path, Layout, ItemColumns], Iterator[Record]]] = {
    OWN.items: lambda path, layout, columns: named_records(path, layout, (ITEM_ID, TITLE), tuple(columns)),
    MOVIELENS_CSV.items: _movielens,
    MOVIELENS_DAT.items: _movielens,
    MOVIELENS_TAB.items: _flagged,
}
