"""The rules for ratings, films and people of every layout."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, TITLE, USER_ID
from training.data.raw.ids import LONGEST

LAST_SECOND = 5_680_281_599  # of 2149, since 1970; the milliseconds of any day after March 1970 are more

# The rules in words, for errors.
RULES = {
    USER_ID: f"1 to {LONGEST} characters, none of them NUL",
    ITEM_ID: f"1 to {LONGEST} characters, none of them NUL",
    RATING: "a number",
    TIMESTAMP: f"a whole number, 0 or more, of seconds since 1970 (no milliseconds; {LAST_SECOND} at most)",
    TITLE: "a title",
}


class Fault(NamedTuple):
    """The first value that breaks a rule."""

    row: int  # from 0
    column: str
    rule: str  # in words


def ratings_fault(ratings: pd.DataFrame) -> Fault | None:
    """Find the first rating that breaks a rule."""
    return _fault(_schemas()[0], ratings)


def items_fault(items: pd.DataFrame) -> Fault | None:
    """Find the first film that breaks a rule."""
    return _fault(_schemas()[1], items)


def users_fault(users: pd.DataFrame) -> Fault | None:
    """Find the first person that breaks a rule."""
    return _fault(_schemas()[2], users)


@cache
def _schemas() -> tuple[Any, Any, Any]:
    """The schemas of ratings, films and people. Pandera is slow to import, and most sources of `fetch` do without."""
    import pandera.pandas as pa

    ratings = {
        USER_ID: pa.Column(),
        ITEM_ID: pa.Column(),
        RATING: pa.Column("float32", pa.Check(np.isfinite, error=RULES[RATING]), required=False),
        TIMESTAMP: pa.Column("int64", pa.Check.in_range(0, LAST_SECOND, error=RULES[TIMESTAMP]), required=False),
    }
    items = {
        ITEM_ID: pa.Column(unique=True, report_duplicates="exclude_first"),
        TITLE: pa.Column(checks=pa.Check(lambda titles: titles != "", error=RULES[TITLE])),
    }
    users = {USER_ID: pa.Column(unique=True, report_duplicates="exclude_first")}
    return pa.DataFrameSchema(ratings), pa.DataFrameSchema(items), pa.DataFrameSchema(users)


def _fault(schema: Any, frame: pd.DataFrame) -> Fault | None:  # noqa: ANN401
    from pandera.errors import SchemaError, SchemaErrorReason

    try:
        schema.validate(frame, inplace=True)  # a copy would double the memory
    except SchemaError as error:
        if error.reason_code == SchemaErrorReason.WRONG_DATATYPE:
            raise  # a programming error of the reader
        duplicate = error.reason_code == SchemaErrorReason.SERIES_CONTAINS_DUPLICATES
        column = str(error.schema.name)
        rule = "unlike every id before it" if duplicate else getattr(error.check, "error", RULES[column])
        return Fault(int(error.failure_cases["index"].min()), column, rule)
    return None
