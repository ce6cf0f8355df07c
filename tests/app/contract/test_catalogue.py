import numpy as np
import pytest

from app.contract.catalogue import pack
from tests.artifacts import Film, film_of, pack_films

FILMS = [Film("Amélie", 2001, ["Comedy", "Romance"]), Film("", None), Film("日本", -44, ["Romance", "Romance"])]


def test_titles_are_packed_into_texts_and_offsets() -> None:
    packed = pack_films(FILMS)
    assert bytes(packed.titles) == "Amélie日本".encode()
    assert packed.title_offsets.tolist() == [0, 7, 7, 13]
    assert bytes(packed.folded_titles) == "\namelie\n\n日本\n".encode()
    assert packed.folded_breaks.tolist() == [0, 7, 8, 15]


def test_films_are_unpacked_as_they_were() -> None:
    packed = pack_films(FILMS)
    assert [film_of(packed, row) for row in range(3)] == [film._replace(genres=list(film.genres)) for film in FILMS]


def test_items_without_columns_are_packed() -> None:
    packed = pack(["", ""])
    assert (packed.columns, packed.title(1), packed.folded_breaks.tolist()) == ((), "", [0, 1, 2])


@pytest.mark.parametrize("film", [Film("\ud800"), Film("x", None, ["\udfff"])])
def test_text_that_utf8_can_not_express_is_refused(film: Film) -> None:
    with pytest.raises(UnicodeEncodeError):
        pack_films([film])


def test_a_line_break_in_a_title_separates_words() -> None:
    packed = pack(["a\nb\r\nc", "d"])
    assert bytes(packed.folded_titles) == b"\na b c\nd\n"
    assert np.array_equal(packed.folded_breaks, [0, 6, 8])
