"""The file layout of each source, and the detection of the one that a folder has."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, USER_ID
from training.errors import DataError


@dataclass(frozen=True)
class Layout:
    """A file of ratings, one of films, and one of people; a given split has two files of ratings."""

    ratings: str
    items: str
    separator: str = ","  # of the ratings
    item_separator: str = ","
    header: Mapping[str, str] | None = None  # ratings columns as the file names them → as we do; None: no header line
    optional: frozenset[str] = field(default=frozenset())  # our columns that the ratings may lack
    test: str | None = None  # of a given split: the file of test pairs
    encodings: tuple[str, ...] = ("utf-8-sig",)  # of the films, tried in turn
    users: str | None = None  # the file of people, which has the separator of the films
    user_columns: tuple[str, ...] | None = None  # its columns; None: its first line names them
    remedy: str = "fetch the archive again"


OWN = Layout(
    ratings="interactions.csv",
    items="items.csv",
    header={name: name for name in (USER_ID, ITEM_ID, RATING, TIMESTAMP)},
    optional=frozenset({RATING, TIMESTAMP}),
    remedy="correct this and run again",
    users="users.csv",
)
PARQUET = replace(OWN, ratings="interactions.parquet")  # a file, or a folder of files
SPLIT_TXT = replace(OWN, ratings="train.txt", test="test.txt", separator=" ", header=None)
SPLIT_CSV = replace(SPLIT_TXT, ratings="train.csv", test="test.csv", separator=",")
MOVIELENS_CSV = Layout(
    ratings="ratings.csv",
    items="movies.csv",
    header={"userId": USER_ID, "movieId": ITEM_ID, RATING: RATING, TIMESTAMP: TIMESTAMP},
)
# ml-10m is UTF-8 by its README, ml-1m and ml-100k are Latin-1 (whose accents are never valid UTF-8 by chance there).
MOVIELENS_DAT = Layout(
    ratings="ratings.dat",
    items="movies.dat",
    separator="::",
    item_separator="::",
    encodings=("utf-8", "latin-1"),
    users="users.dat",
    user_columns=(USER_ID, "sex", "age", "occupation", "zip"),
)
MOVIELENS_TAB = replace(
    MOVIELENS_DAT,
    ratings="u.data",
    items="u.item",
    separator="\t",
    item_separator="|",
    users="u.user",
    user_columns=(USER_ID, "age", "sex", "occupation", "zip"),
)
SPLITS = (SPLIT_TXT, SPLIT_CSV)
LAYOUTS = (OWN, PARQUET, *SPLITS, MOVIELENS_CSV, MOVIELENS_DAT, MOVIELENS_TAB)


def detect(directory: Path) -> Layout:
    """Find the layout of the files in a folder."""
    for layout in LAYOUTS:
        if (path := directory / layout.ratings).is_file() or (layout is PARQUET and path.is_dir()):
            return layout
    if (directory / OWN.ratings).is_dir():
        raise DataError(
            f"{directory / OWN.ratings} is a folder of files, which only engine: spark reads: set it in params.yaml, "
            "or bring parquet files"
        )
    known = ", ".join(layout.ratings for layout in LAYOUTS)
    raise DataError(f"{directory} holds no ratings (none of {known}); run `dvc repro fetch`")
