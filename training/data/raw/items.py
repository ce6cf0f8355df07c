"""Reads films of every layout into one kind of table."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from training.data.dataset import GENRES, ITEM_ID, TITLE, YEAR
from training.data.raw import ids
from training.data.raw.layouts import MOVIELENS_CSV, MOVIELENS_DAT, MOVIELENS_TAB, OWN, Layout, detect
from training.data.raw.rows import Row, encoding_of, header, rows, value_error, width_error
from training.data.raw.schema import RULES, Fault, items_fault
from training.data.raw.titles import clean_genres, split_title
from training.errors import DataError

FLAGS = (
    "", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip


class _Film(NamedTuple):
    line: int
    item_id: str
    title: str
    year: int | None
    genres: str


def read_items(directory: Path, layout: Layout | None = None) -> pd.DataFrame | None:
    """Read films in file order (item_id, title, year, genres); None where a folder has no file of films.

    Ids are int64 if all of them are numbers, else text; years are Int64, missing where unknown; genres are joined by |
    and empty where unknown. A layout that isn't given is detected. Raises DataError that names file, line and value.
    """
    layout = layout or detect(directory)
    path = directory / layout.items
    if not path.is_file():
        return None
    films = list(_PARSERS[layout.items](path, layout))
    if not films:
        raise DataError(f"{path} holds no films; {layout.remedy}")
    texts = pa.array([film.item_id for film in films], pa.string())
    items = pd.DataFrame(
        {
            ITEM_ID: pd.Series(ids.typed(texts).tolist()),
            TITLE: [film.title for film in films],
            YEAR: pd.array([film.year for film in films], dtype="Int64"),
            GENRES: [film.genres for film in films],
        }
    )
    bad = ids.bad(texts)
    fault = Fault(int(bad.argmax()), ITEM_ID, RULES[ITEM_ID]) if bad.any() else items_fault(items)
    if fault:
        film = films[fault.row]
        value = str(getattr(film, fault.column))
        raise value_error(f"{path}, line {film.line}", fault.column, value, fault.rule, layout.remedy)
    return items


def _own(path: Path, layout: Layout) -> Iterator[_Film]:
    """Films of a CSV with named columns."""
    lines = rows(path, layout.item_separator, "utf-8-sig", layout.remedy)
    _, names = header(path, lines, required=(ITEM_ID, TITLE), optional=(YEAR, GENRES), remedy=layout.remedy)
    for line, cells in _complete(path, lines, len(names), layout):
        cell = dict(zip(names, cells, strict=True))
        year = _year(path, line, cell.get(YEAR, "").strip(), layout)
        yield _Film(line, cell[ITEM_ID].strip(), cell[TITLE].strip(), year, clean_genres(cell.get(GENRES, "")))


def _complete(path: Path, lines: Iterator[Row], width: int, layout: Layout) -> Iterator[Row]:
    for row in lines:
        if len(row.cells) != width:
            raise width_error(path, row, width, layout.remedy)
        yield row


def _year(path: Path, line: int, text: str, layout: Layout) -> int | None:
    """A year; "1995.0" is what some programs make of a column with gaps."""
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{4}(\.0)?", text):
        raise value_error(f"{path}, line {line}", YEAR, text, "a year such as 1995", layout.remedy)
    return int(text[:4])


def _movielens(path: Path, layout: Layout) -> Iterator[_Film]:
    """Films of movies.csv or movies.dat: id, title with year, genres."""
    lines = rows(path, layout.item_separator, encoding_of(path, layout.encodings), layout.remedy)
    if layout.header is not None:
        header(path, lines, required=("movieId", "title", "genres"), optional=(), remedy=layout.remedy)
    for line, (item_id, text, genres) in _complete(path, lines, 3, layout):
        title, year = split_title(text)
        yield _Film(line, item_id.strip(), title, year, clean_genres(genres))


def _flagged(path: Path, layout: Layout) -> Iterator[_Film]:
    """Films of u.item: id, title with year, two dates, an address, and a flag for each genre."""
    lines = rows(path, layout.item_separator, encoding_of(path, layout.encodings), layout.remedy)
    for line, (item_id, text, _, _, _, *flags) in _complete(path, lines, 5 + len(FLAGS), layout):
        title, year = split_title(text)
        genres = "|".join(genre for genre, flag in zip(FLAGS, flags, strict=True) if flag == "1")
        yield _Film(line, item_id.strip(), title, year, clean_genres(genres))


_PARSERS: dict[str, Callable[[Path, Layout], Iterator[_Film]]] = {
    OWN.items: _own,
    MOVIELENS_CSV.items: _movielens,
    MOVIELENS_DAT.items: _movielens,
    MOVIELENS_TAB.items: _flagged,
}
