"""What is known of the items: titles, years, genres, and titles as a search compares them, packed into arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.contract.folding import fold_all

NO_YEAR = np.iinfo(np.int32).min
BREAK = b"\n"

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]


class Film(NamedTuple):
    """What is known of one item; a year has the range of int32 without its lowest number."""

    title: str
    year: int | None = None
    genres: Sequence[str] = ()


@dataclass(frozen=True)
class Catalogue:
    """Films by item row. A text is the UTF-8 between its offset and the next.

    The genres of a film are the codes `genre_codes[genre_indptr[row]:genre_indptr[row + 1]]`, which are rows of
    `genre_names`. `folded_titles` has a line break before each title and after the last; `folded_breaks` is where.
    """

    titles: Bytes
    title_offsets: Offsets
    years: npt.NDArray[np.int32]
    genre_indptr: Offsets
    genre_codes: npt.NDArray[np.int32]
    genre_names: Bytes
    genre_name_offsets: Offsets
    folded_titles: Bytes
    folded_breaks: Offsets

    def film(self, row: int) -> Film:
        """The film of an item row."""
        start, end = self.genre_indptr[row : row + 2].tolist()
        genres = [_text(self.genre_names, self.genre_name_offsets, code) for code in self.genre_codes[start:end]]
        year = int(self.years[row])
        return Film(_text(self.titles, self.title_offsets, row), None if year == NO_YEAR else year, genres)

    def genres(self) -> list[str]:
        """The name of each genre code."""
        return [
            _text(self.genre_names, self.genre_name_offsets, code) for code in range(len(self.genre_name_offsets) - 1)
        ]


def pack(films: Sequence[Film]) -> Catalogue:
    """The catalogue of films in the order of their item rows; raises UnicodeEncodeError for a lone surrogate."""
    codes: dict[str, int] = {}
    genre_codes = [codes.setdefault(genre, len(codes)) for film in films for genre in film.genres]
    titles, title_offsets = _pack_texts([film.title for film in films])
    genre_names, genre_name_offsets = _pack_texts(list(codes))
    folded = "\n".join(["", *fold_all([film.title for film in films]), ""]).encode()
    folded_titles = np.frombuffer(folded, dtype=np.uint8)
    return Catalogue(
        titles=titles,
        title_offsets=title_offsets,
        years=np.array([NO_YEAR if film.year is None else film.year for film in films], dtype=np.int32),
        genre_indptr=np.cumsum([0, *(len(film.genres) for film in films)], dtype=np.int64),
        genre_codes=np.array(genre_codes, dtype=np.int32),
        genre_names=genre_names,
        genre_name_offsets=genre_name_offsets,
        folded_titles=folded_titles,
        folded_breaks=np.flatnonzero(folded_titles == ord(BREAK)),
    )


def _pack_texts(texts: Sequence[str]) -> tuple[Bytes, Offsets]:
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets


def _text(packed: Bytes, offsets: Offsets, row: Any) -> str:  # noqa: ANN401
    start, end = offsets[row : row + 2].tolist()
    return packed[start:end].tobytes().decode()
