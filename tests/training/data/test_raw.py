import re
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.data.archives import CSV, DAT, OWN, TAB, Files, write
from tests.training.world import COLUMNS
from training.data.raw import read_items, read_ratings
from training.data.raw.faults import unreadable
from training.data.raw.layouts import OWN as OWN_LAYOUT
from training.data.raw.titles import split_title
from training.errors import DataError

RATINGS = "user_id,item_id,rating,timestamp\n"
# Python 3.10's own reader of CSV refuses it.
NUL = (
    "line 3: line contains NUL; is a quotation mark open, or isn't it text"
    if sys.version_info < (3, 11)
    else "line 3: item_id '1\\\\x00' should be 1 to 200 characters, none of them NUL"
)


def own(folder: Path, ratings: str | bytes = OWN["interactions.csv"], items: str | bytes | None = None) -> Path:
    """A folder with own data, without films unless they are given."""
    files: dict[str, str | bytes] = {"interactions.csv": ratings}
    return write(folder, files if items is None else {**files, "items.csv": items})


def films(folder: Path) -> pd.DataFrame:
    items = read_items(folder, COLUMNS)
    assert items is not None
    return items


@pytest.mark.parametrize("files", [OWN, CSV, DAT, TAB], ids=["own", "csv", "dat", "tab"])
def test_ratings_of_every_layout_become_one_table(files: Files, tmp_path: Path) -> None:
    ratings = read_ratings(write(tmp_path, files, "latin-1" if files is TAB else "utf-8"))
    assert {name: str(kind) for name, kind in ratings.dtypes.items()} == {
        "user_id": "int64", "item_id": "int64", "rating": "float32", "timestamp": "int64",
    }  # fmt: skip
    assert ratings[["user_id", "item_id", "timestamp"]].to_numpy().tolist() == [[7, 1, 1000], [7, 2, 2000], [8, 1, 0]]
    assert ratings["rating"].iloc[1] == 3
    ratings["rating"] *= 2  # the memory is our own


@pytest.mark.parametrize(
    ("files", "encoding", "expected"),
    [
        (OWN, "utf-8", [("Alien", 1979, "Horror|Science Fiction"), ("Up", None, ""), ("Untouched", 2024, "Drama")]),
        (CSV, "utf-8", [("The Matrix", 1999, "Action|Sci-Fi"), ("Up", None, "")]),
        (DAT, "utf-8", [("Les Misérables", 1995, "Drama|Musical"), ("Up", 2009, "Animation")]),
        (DAT, "latin-1", [("Les Misérables", 1995, "Drama|Musical"), ("Up", 2009, "Animation")]),
        (TAB, "latin-1", [("L'Été", 1995, "Action|Drama"), ("unknown", None, "")]),
    ],
    ids=["own", "csv", "dat of ml-10m", "dat of ml-1m", "tab"],
)
def test_films_of_every_layout_become_one_table(
    files: Files, encoding: str, expected: list[tuple[str, int | None, str]], tmp_path: Path
) -> None:
    items = films(write(tmp_path, files, encoding))
    assert items["item_id"].tolist() == list(range(1, len(expected) + 1))
    years = [None if pd.isna(year) else int(year) for year in items["year"]]
    assert list(zip(items["title"], years, map("|".join, items["genres"]), strict=True)) == expected


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Matrix, The (1999)", "The Matrix", 1999),
        ("City of Lost Children, The (Cité des enfants perdus, La) (1995)",
         "The City of Lost Children (La Cité des enfants perdus)", 1995),
        ("Seven (a.k.a. Seven Deadly Sins, The) (1995)", "Seven (a.k.a. The Seven Deadly Sins)", 1995),
        ("Avventura, L' (1960) ", "L'Avventura", 1960),
        ("Good, the Bad and the Ugly, The (1966)", "The Good, the Bad and the Ugly", 1966),
        ("Death Note: Desu nôto (2006–2007)", "Death Note: Desu nôto", 2006),
        ("Fireflies (1997- )", "Fireflies", 1997),
        ("Land Before Time III (1995) (V)", "Land Before Time III", 1995),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968),
        ("Babylon 5", "Babylon 5", None),
        ("  Wire, The ", "The Wire", None),
        ("(500) Days of Summer (2009)", "(500) Days of Summer", 2009),
    ],
)  # fmt: skip
def test_a_movielens_title_gives_its_year_and_its_article(text: str, title: str, year: int | None) -> None:
    assert split_title(text) == (title, year)


def test_ids_are_numbers_only_if_every_one_is(tmp_path: Path) -> None:
    ratings = read_ratings(own(tmp_path, RATINGS + "1,10,3,0\n2,x,3,0\n"))
    assert ratings["user_id"].tolist() == [1, 2]
    assert ratings["item_id"].tolist() == ["10", "x"]


@pytest.mark.parametrize("odd", ["007", "+7", "7.0", "99999999999999999999", "9999999999999999999", "-0", "٧"])
def test_a_number_in_an_unusual_spelling_makes_the_column_text(odd: str, tmp_path: Path) -> None:
    ratings = read_ratings(own(tmp_path, f"{RATINGS}7,1,3,0\n{odd},1,3,0\n"))
    assert ratings["user_id"].tolist() == ["7", odd]


def test_large_and_negative_numbers_are_ids(tmp_path: Path) -> None:
    ratings = read_ratings(own(tmp_path, f"{RATINGS}{2**63 - 1},-5,3,0\n0,0,3,0\n"))
    assert ratings["user_id"].dtype == np.int64
    assert ratings[["user_id", "item_id"]].to_numpy().tolist() == [[2**63 - 1, -5], [0, 0]]


def test_item_ids_are_of_the_type_that_the_films_have(tmp_path: Path) -> None:
    folder = own(tmp_path, RATINGS + "a,1,3,0\n", "item_id,title\n1,Alien\nx,Up\n")
    assert read_ratings(folder)["item_id"].tolist() == ["1"]
    assert films(folder)["item_id"].tolist() == ["1", "x"]


def test_rating_and_timestamp_are_optional(tmp_path: Path) -> None:
    ratings = read_ratings(own(tmp_path, "item_id,user_id\n1,a\n2,a\n"))
    assert list(ratings) == ["user_id", "item_id", "rating"]
    assert ratings["rating"].dtype == np.float32
    assert ratings["rating"].isna().all()


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + OWN["interactions.csv"],
        OWN["interactions.csv"].replace("\n", "\r\n"),
        OWN["interactions.csv"].replace("\n", "\n\n"),
        "\n\r\n" + OWN["interactions.csv"],
        "\ufeff\n" + OWN["interactions.csv"],
        OWN["interactions.csv"].replace(",", " , "),
        OWN["interactions.csv"].rstrip("\n"),
        'note,item_id,"user_id",rating,timestamp\n"a, b",1,"7",4.5,1000\n,2,7,3,2000\n,1,8,.5,0\n',
    ],
    ids=[
        "BOM",
        "CRLF",
        "blank lines",
        "blank lines above",
        "BOM and a blank line above",
        "spaces",
        "no last newline",
        "other columns and quotes",
    ],
)
def test_what_spreadsheets_make_of_a_csv_is_read(content: str, tmp_path: Path) -> None:
    ratings = read_ratings(own(tmp_path, content))
    assert ratings["user_id"].tolist() == [7, 7, 8]
    assert ratings["rating"].tolist() == [4.5, 3, 0.5]
    assert ratings["timestamp"].tolist() == [1000, 2000, 0]


def test_ids_and_titles_may_look_like_hexadecimal_numbers(tmp_path: Path) -> None:
    folder = own(tmp_path, RATINGS + "0x1,0X2,3,0\n", "item_id,title\n0X2,0x3\n")
    assert read_ratings(folder)[["user_id", "item_id"]].to_numpy().tolist() == [["0x1", "0X2"]]


def test_without_other_columns_a_blank_first_line_makes_no_user_of_the_header(tmp_path: Path) -> None:
    assert read_ratings(own(tmp_path, "\nuser_id,item_id\n7,1\n"))["user_id"].tolist() == [7]


def test_a_year_that_a_program_wrote_as_a_decimal_is_read(tmp_path: Path) -> None:
    items = films(own(tmp_path, items="item_id,title,year\n1,Alien,1979.0\n2,Up,\n"))
    assert items["year"].iloc[0] == 1979


def test_what_is_as_long_old_or_late_as_is_allowed_is_read(tmp_path: Path) -> None:
    longest = "x" * 200
    folder = own(
        tmp_path,
        f"{RATINGS}7,1,3,5680281599\n{longest},1,3,0\n",
    )
    ratings = read_ratings(folder)
    assert (ratings["user_id"].tolist(), ratings["timestamp"].tolist()) == (["7", longest], [5_680_281_599, 0])


def test_without_films_there_is_no_table_of_films(tmp_path: Path) -> None:
    assert read_items(own(tmp_path), COLUMNS) is None


@pytest.mark.parametrize(
    ("ratings", "sentence"),
    [
        ("7,1,4,0\n\n7,2,good,0\n", "line 4: rating 'good' should be a number; correct"),
        ("7,1,4,0\n7,2,,0\n", "line 3: rating '' should be a number"),
        ("7,1,4,0\n7,2,NaN,0\n", "line 3: rating 'NaN' should be a number"),
        ("7,1,4,0\n7,2,inf,0\n", "line 3: rating 'inf' should be a number"),
        ("7,1,4,2020-01-01\n", "line 2: timestamp '2020-01-01' should be a whole number, 0 or more, of seconds since"),
        ("7,1,4,1.5\n", r"line 2: timestamp '1\.5' should be a whole number"),
        ("7,1,4,0\n7,1,4,\n", "line 3: timestamp '' should be a whole number"),
        ("7,1,4,0x1\n", "line 2: timestamp '0x1' should be a whole number"),
        ("7,1,4,0X1\n", "line 2: timestamp '0X1' should be a whole number"),
        ("7,1,0x1,0\n", "line 2: rating '0x1' should be a number"),
        ("7,1,4,1718000000\n7,2,4,1718000000000\n",
         r"line 3: timestamp '1718000000000' should be a whole number, 0 or more, of seconds since 1970 \(no milli"),
        ("7,1,4,5680281600\n", "line 2: timestamp '5680281600' should be a whole number"),
        ("7,1,4,-1\n", "line 2: timestamp '-1' should be a whole number, 0 or more"),
        ("7,1,4,99999999999999999999\n", "line 2: timestamp '9{20}' should be a whole number"),
        ("7,1,4,0\n,1,4,0\n", "line 3: user_id '' should be 1 to 200 characters"),
        ("7,1,4,0\n7, ,4,0\n", "line 3: item_id ' ' should be 1 to 200 characters"),
        (f"7,{'x' * 201},4,0\n", "line 2: item_id 'x{201}' should be 1 to 200 characters"),
        ("7,1,4,0\n7,1\0,4,0\n", NUL),
        ('7,1,4,0\n7,"2,4,0\n7,3,4,0\n', "line 3 has 2 fields instead of 4; is a quotation mark left open"),
        ("7,1,4,0\n7,2\n", "line 3 has 2 fields instead of 4; correct"),
        ("7,1,4,0\n7,A, B,4,0\n", "line 3 has 5 fields instead of 4; a text that holds a comma needs quotes"),
        ("", "holds no ratings"),
    ],
)  # fmt: skip
def test_a_bad_rating_is_named_with_line_value_and_remedy(ratings: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"interactions\.csv,? {sentence}"):
        read_ratings(own(tmp_path, RATINGS + ratings))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty; correct"),
        ("user,item_id,rating\n1,1,1\n",
         r"lacks the column user_id: line 1 should name user_id,item_id\[,rating\]\[,timestamp\], separated by commas, "
         r"and is 'user,item_id,rating'; correct"),
        ("user_id;item_id\n1;1\n", "lacks the column user_id: line 1 .* and is 'user_id;item_id'"),
        ("user_id,item_id,user_id\n1,1,1\n", "has the column user_id 2 times"),
        (b"user_id,item_id\n1,1\nJos\xe9,1\n", "line 3 isn't UTF-8; save the file as UTF-8"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_ratings_csv_is_refused(content: str | bytes, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"interactions\.csv,? {sentence}"):
        read_ratings(own(tmp_path, content))


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        ("", "is empty"),
        ("item_id,title\n", "holds no films"),
        ("item_id,name\n1,Alien\n", r"lacks the column title: line 1 should name item_id,title\[,year\]\[,genres\]"),
        ("item_id,title\n1,Alien\n2, \n", "line 3: title '' should be a title"),
        ("item_id,title\n1,Alien\n2,Up\n1,Brazil\n", "line 4: item_id '1' should be unlike every id before it"),
        ("item_id,title\n,Alien\n", "line 2: item_id '' should be 1 to 200 characters"),
        ("item_id,title\n1,Alien\n2,Up\n,Brazil\n4,Heat\n", "line 4: item_id '' should be 1 to 200 characters"),
        ("item_id,title,year\n1,Alien,1979\n2,Up,late\n", "line 3: year 'late' should be a number"),
        (
            "item_id,title\n1,Good, the Bad\n",
            "line 2 has 3 fields instead of 2; a text that holds a comma needs quotes",
        ),
        (b"item_id,title\n1,Am\xe9lie\n", "line 2 isn't UTF-8"),
    ],
)
def test_a_bad_film_is_named_with_line_value_and_remedy(items: str | bytes, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"items\.csv,? {sentence}.*; correct this and run again"):
        read_items(own(tmp_path, items=items), COLUMNS)


@pytest.mark.parametrize("known", ["1,Alien\n2,Up\n", "1,Alien\n2,Up\nx,Brazil\n"], ids=["numbers", "text"])
def test_a_rating_of_a_film_that_is_not_in_the_catalogue_is_named(known: str, tmp_path: Path) -> None:
    folder = own(tmp_path, RATINGS + "7,1,4,0\n7,02,4,0\n7,4,4,0\n7,02,4,0\n", "item_id,title\n" + known)
    sentence = r"line 3: item_id '02' isn't in items\.csv \(nor are 1 other ids\); add the film there or remove its"
    with pytest.raises(DataError, match=sentence):
        read_ratings(folder)


def test_of_a_single_unknown_film_no_others_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3: item_id '3' isn't in items\.csv; add the film there"):
        read_ratings(own(tmp_path, RATINGS + "7,1,4,0\n7,3,4,0\n", "item_id,title\n1,Alien\n"))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({**DAT, "ratings.dat": "7::1::5::0\n7::1:5::0\n"}, r"ratings\.dat, line 2 has 3 fields instead of 4; fetch"),
        ({**DAT, "ratings.dat": "7::1::five::0\n"}, r"ratings\.dat, line 1: rating 'five' should be a number; fetch"),
        ({**DAT, "movies.dat": "1::Up\n"}, r"movies\.dat, line 1 has 2 fields instead of 3"),
        ({**TAB, "u.item": "1|Up|\n"}, r"u\.item, line 1 has 3 fields instead of 24"),
        ({**TAB, "u.data": "7 1 5 0\n"}, r"u\.data, line 1 has 1 fields instead of 4"),
        ({**CSV, "movies.csv": "id,title,genres\n"}, r"movies\.csv lacks the column movieId"),
        ({**CSV, "ratings.csv": "userId,movieId,rating\n"}, r"ratings\.csv lacks the column timestamp"),
    ],
)  # fmt: skip
def test_a_bad_movielens_file_is_named(files: Mapping[str, str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=sentence):
        read_ratings(write(tmp_path, files))


def test_a_folder_without_ratings_is_told_with_the_command_to_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no ratings \(none of interactions\.csv, .*\); run `dvc repro fetch`"):
        read_ratings(tmp_path)


@pytest.mark.parametrize(
    ("ratings", "sentence"), [("7,1,4,0\n", "can't be read: the reason; correct"), ("", "holds no ratings; correct")]
)
def test_where_the_slow_reading_finds_nothing_the_fast_one_s_reason_is_given(
    ratings: str, sentence: str, tmp_path: Path
) -> None:
    path = own(tmp_path, RATINGS + ratings) / "interactions.csv"
    assert re.search(rf"interactions\.csv {sentence}", str(unreadable(path, OWN_LAYOUT, "the reason")))
