"""What is known of the films, packed for 60,000 of them: looked up by row, filtered, searched by title."""

import json
import re
import unicodedata
from array import array
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.recommender import Mask, Rows
from app.schemas.items import Film
from app.schemas.queries import Filters

NO_YEAR = np.iinfo(np.int32).min
# Letters that Unicode does not take apart into a plain one and an accent.
LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "'": "", "’": ""}
WORD = re.compile(r"\w+")
# Titles at once: many are quicker than one by one, and all would keep requests waiting.
CHUNK = 500
MASKS = 16  # that are kept
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
EXACT, BEGINNING, WORDS, INSIDE, NOWHERE = range(5)
SPACE, BREAK = b" \n"

Names = tuple[str, ...]


class CatalogueIndex:
    """The films of an artifact by row: their fields, masks for filters, and a search.

    Each film is kept as JSON, one after the other in one piece of memory: a dictionary for each would take ten
    times as much.
    """

    def __init__(self, ids: Sequence[int | str], films: Iterable[Film], popularity: npt.NDArray[np.int64]) -> None:
        """`films` are in the order of `ids`; raises UnicodeEncodeError where text can't be expressed in UTF-8."""
        packed, titles, years, owners, codes = bytearray(), list[str](), array("i"), array("i"), array("i")
        self._places, self._genres = array("q", [0]), dict[str, int]()
        for row, (item_id, film) in enumerate(zip(ids, films, strict=True)):
            packed += _fragment(item_id, film)
            self._places.append(len(packed))
            titles.append(film.title)
            years.append(NO_YEAR if film.year is None else film.year)
            for genre in dict.fromkeys(film.genres):
                owners.append(row)
                codes.append(self._genres.setdefault(genre, len(self._genres)))
        self._packed, self._popularity = bytes(packed), popularity
        self._years = np.array(years, dtype=np.int32)
        self._films_of = _groups(np.array(owners, dtype=np.int32), np.array(codes, dtype=np.int32), len(self._genres))
        self._spelled = dict[str, list[int]]()
        for genre, code in self._genres.items():
            self._spelled.setdefault(fold(genre), []).append(code)
        folded = (title for start in range(0, len(titles), CHUNK) for title in fold_all(titles[start : start + CHUNK]))
        # The same few filters come again and again.
        self._masks = dict[tuple[Names, Names, int | None, int | None], Mask]()
        self._titles = np.frombuffer(f"\n{chr(10).join(folded)}\n".encode(), dtype=np.uint8)
        self._breaks = np.flatnonzero(self._titles == BREAK)

    def fragment(self, row: int) -> bytes:
        """The fields of a film as they stand in a JSON object: `"id":1,"title":"…","year":1995,"genres":[…]`."""
        return self._packed[self._places[row] : self._places[row + 1]]

    def film(self, row: int) -> dict[str, Any]:
        """The fields of a film: id, title, year, genres."""
        film: dict[str, Any] = json.loads(b"{%b}" % self.fragment(row))
        return film

    def genres(self) -> list[tuple[str, int]]:
        """Every genre as it is written, with the number of its films, in the order of the alphabet."""
        return sorted((name, len(self._films_of[code])) for name, code in self._genres.items())

    def knows_a_genre(self, names: Iterable[str]) -> bool:
        """Whether there is a film that has one of these genres."""
        return bool(self._codes_of(names))

    def allowed(self, filters: Filters) -> Mask | None:
        """The films that pass the filters for genres and years, bool (n_items,), read-only; None if none is given."""
        genres, excluded = tuple(filters.genre), tuple(filters.exclude_genre)
        if not genres and not excluded and filters.year_from is None and filters.year_to is None:
            return None
        key = (genres, excluded, filters.year_from, filters.year_to)
        mask = self._masks.get(key)
        if mask is None:
            mask = self._mask(*key)
            # Threads that add at the same time do each other no harm: at worst one is made again.
            if len(self._masks) >= MASKS:
                self._masks.clear()
            self._masks[key] = mask
        return mask

    def search(self, query: str, allowed: Mask | None = None) -> Rows:
        """Rows of the films with such a title: the very title first, its beginning, its words, any part of it."""
        text = fold(query).encode(errors="replace")
        if not text:
            return np.empty(0, dtype=np.int64)
        ranks = np.full(len(self._years), NOWHERE, dtype=np.int8)
        ranks[self._rows_of(self._find(text))] = INSIDE
        ranks[self._with_words(text.split())] = WORDS
        ranks[self._rows_of(self._find(b"\n" + text) + 1)] = BEGINNING
        ranks[self._rows_of(self._find(b"\n" + text + b"\n") + 1)] = EXACT
        if allowed is not None:
            ranks[~allowed] = NOWHERE
        found = np.flatnonzero(ranks != NOWHERE)
        ordered: Rows = found[np.lexsort((found, -self._popularity[found], ranks[found]))]
        return ordered

    def _mask(self, genres: Names, excluded: Names, year_from: int | None, year_to: int | None) -> Mask:
        mask = self._with_genre(genres) if genres else np.ones(len(self._years), dtype=bool)
        if excluded:
            mask &= ~self._with_genre(excluded)
        if year_from is not None:
            mask &= self._years >= year_from
        if year_to is not None:
            mask &= (self._years <= year_to) & (self._years != NO_YEAR)
        mask.flags.writeable = False
        return mask

    def _codes_of(self, names: Iterable[str]) -> list[int]:
        return [code for name in {fold(name) for name in names} for code in self._spelled.get(name, ())]

    def _with_genre(self, names: Iterable[str]) -> Mask:
        mask = np.zeros(len(self._years), dtype=bool)
        for code in self._codes_of(names):
            mask[self._films_of[code]] = True
        return mask

    def _with_words(self, words: Iterable[bytes]) -> Rows:
        """Rows of the titles in which each of the words begins a word."""
        common: Rows | None = None
        for word in sorted(set(words), key=len, reverse=True):
            places = self._find(word)
            before = self._titles[places - 1]
            rows = self._rows_of(places[(before == SPACE) | (before == BREAK)])
            common = rows if common is None else common[np.isin(common, rows)]
            if not len(common):
                break
        return np.empty(0, dtype=np.int64) if common is None else common

    def _find(self, text: bytes) -> Rows:
        """Where the text begins in the titles; each step looks only at the places that are left."""
        places = np.flatnonzero(self._titles[: len(self._titles) - len(text) + 1] == text[0])
        for offset, character in enumerate(text[1:], start=1):
            places = places[self._titles[places + offset] == character]
        return places

    def _rows_of(self, places: Rows) -> Rows:
        return np.unique(np.searchsorted(self._breaks, places) - 1)


def fold(text: str) -> str:
    """A text as it is compared: small letters without accents, words separated by one space."""
    return fold_all([text])[0]


def fold_all(texts: Sequence[str]) -> list[str]:
    """`fold` for many texts at once."""
    joined = "\n".join(text.replace("\n", " ") for text in texts)
    if not joined.isascii():
        joined = unicodedata.normalize("NFKD", joined).casefold()
        joined = joined.translate({ord(letter): None for letter in set(joined) if unicodedata.combining(letter)})
    joined = joined.lower()
    for letter, plain in LETTERS.items():
        joined = joined.replace(letter, plain)
    # A title such as "$" or "…" consists of no words.
    return [" ".join(WORD.findall(line)) or "".join(line.split()) for line in joined.split("\n")]


def to_json(value: object) -> bytes:
    """Compact JSON in UTF-8; raises UnicodeEncodeError for text that UTF-8 can't express."""
    return _ENCODER.encode(value).encode()


def _groups(owners: npt.NDArray[np.int32], codes: npt.NDArray[np.int32], n_codes: int) -> list[npt.NDArray[np.int32]]:
    """The owners of each code."""
    order = np.argsort(codes, kind="stable")
    return np.split(owners[order], np.cumsum(np.bincount(codes, minlength=n_codes))[:-1])


def _fragment(item_id: int | str, film: Film) -> bytes:
    number_or_text = str(item_id) if isinstance(item_id, int) else encode_basestring(item_id)
    year = "null" if film.year is None else str(film.year)
    genres = ",".join(map(encode_basestring, film.genres))
    return f'"id":{number_or_text},"title":{encode_basestring(film.title)},"year":{year},"genres":[{genres}]'.encode()
