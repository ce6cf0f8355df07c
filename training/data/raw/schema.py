"""The rules for ratings, films and people of every layout."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from training.data.dataset import ITEM_ID, RATING, TIMESTAMP, TITLE, USER_ID
from training.data.raw.ids import LONGEST

LAST_SECOND = 5_680_281_599  # of 2149, since 1970; the milliseconds of any day after March 1970 are more

NUMBER = r"\s*-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*"  # Arrow takes 0x1 for a number, too
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


def first_fault(kind: str, table: pd.DataFrame) -> Fault | None:
    """Find the first of the `ratings`, `items` or `users` in a table that breaks a rule."""
    from pandera.errors import SchemaError, SchemaErrorReason

    try:
        _schemas()[kind].validate(table, inplace=True)  # a copy would double the memory
    except SchemaError as error:
        if error.reason_code == SchemaErrorReason.WRONG_DATATYPE:
            raise  # a programming error of the reader
        duplicate = error.reason_code == SchemaErrorReason.SERIES_CONTAINS_DUPLICATES
        column = str(error.schema.name)
        rule = "unlike every id before it" if duplicate else getattr(error.check, "error", RULES[column])
        return Fault(int(error.failure_cases["index"].min()), column, rule)
    return None


@cache
def _schemas() -> dict[str, Any]:
    """The schemas by kind. Pandera is slow to import, and most sources of `fetch` do without."""
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
    kinds = {"ratings": ratings, "items": items, "users": users}
    return {kind: pa.DataFrameSchema(columns) for kind, columns in kinds.items()}
