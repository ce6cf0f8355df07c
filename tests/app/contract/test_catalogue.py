import numpy as np
import pytest

from app.contract.catalogue import NO_YEAR, Film, pack

FILMS = [Film("Amélie", 2001, ["Comedy", "Romance"]), Film("", None), Film("日本", -44, ["Romance", "Romance"])]


def test_films_are_packed_into_texts_offsets_and_codes() -> None:
    packed = pack(FILMS)
    assert bytes(packed.titles) == "Amélie日本".encode()
    assert packed.title_offsets.tolist() == [0, 7, 7, 13]
    assert packed.years.tolist() == [2001, NO_YEAR, -44]
    assert packed.genre_indptr.tolist() == [0, 2, 2, 4]
    assert packed.genre_codes.tolist() == [0, 1, 1, 1]
    assert bytes(packed.genre_names) == b"ComedyRomance"
    assert packed.genre_name_offsets.tolist() == [0, 6, 13]
    assert bytes(packed.folded_titles) == "\namelie\n\n日本\n".encode()
    assert packed.folded_breaks.tolist() == [0, 7, 8, 15]


def test_films_are_unpacked_as_they_were() -> None:
    packed = pack(FILMS)
    assert [packed.film(row) for row in range(3)] == [film._replace(genres=list(film.genres)) for film in FILMS]
    assert packed.genres() == ["Comedy", "Romance"]


def test_films_without_genres_and_titles_are_packed() -> None:
    packed = pack([Film(""), Film("")])
    assert (packed.genres(), packed.film(1)) == ([], Film("", None, []))
    assert packed.folded_breaks.tolist() == [0, 1, 2]


@pytest.mark.parametrize("film", [Film("\ud800"), Film("x", None, ["\udfff"])])
def test_text_that_utf8_can_not_express_is_refused(film: Film) -> None:
    with pytest.raises(UnicodeEncodeError):
        pack([film])


def test_a_year_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError):
        pack([Film("x", 2**31)])


def test_a_line_break_in_a_title_separates_words() -> None:
    packed = pack([Film("a\nb\r\nc"), Film("d")])
    assert bytes(packed.folded_titles) == b"\na b c\nd\n"
    assert np.array_equal(packed.folded_breaks, [0, 6, 8])
