"""What an item is now, in JSON: its title, its columns by name, and whether and when it may be recommended."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.contract.columns import FIRST_TIME, LAST_TIME, Column, as_time

FROM, UNTIL, WITHDRAWN, TITLE = "available_from", "available_until", "withdrawn", "title"
OWN = {TITLE: "text", FROM: "time", UNTIL: "time", WITHDRAWN: "flag"}  # types of the keys beside columns
MAX_TITLE, MAX_TAG, MAX_TAGS, MAX_TEXT, MAX_NUMBER = 1000, 200, 100, 100_000, 1e15
SEPARATOR = "|"  # of tags in items.csv

Content = Mapping[str, Any]


class DocumentError(ValueError):
    """No item can have this content; `field` names the key."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field.encode(errors="replace").decode()  # a key may hold half a surrogate pair
        super().__init__(f"{self.field} {problem}")


@dataclass(frozen=True)
class ItemDocument:
    """An item: `content` has the keys above and the columns; what it lacks has no value. Times are seconds.

    `position` is that of the change which made it so.
    """

    content: Content
    available_from: int | None = None
    available_until: int | None = None
    position: int = 0

    @classmethod
    def read(cls, text: str, position: int = 0) -> "ItemDocument":
        """Parse an item; raises ValueError for a text that isn't one."""
        content = dict(json.loads(text))
        _check_text(TITLE, content.get(TITLE), MAX_TITLE)
        starts, ends = (None if content.get(key) is None else as_time(str(content[key])) for key in (FROM, UNTIL))
        return cls(content, starts, ends, position)

    @property
    def is_withdrawn(self) -> bool:
        """Whether it is in no list until somebody says otherwise."""
        return bool(self.content.get(WITHDRAWN))

    def is_available(self, now: float) -> bool:
        """Whether it may be in lists at a time."""
        starts = self.available_from is None or self.available_from <= now
        return starts and not self.is_withdrawn and (self.available_until is None or now < self.available_until)

    def value(self, column: Column) -> Any:  # noqa: ANN401 - of the column's type
        """The value of a column as `Column.filled` takes it; none where it doesn't fit the column of a version."""
        value = self.content.get(column.name)
        none: list[str] | None = [] if column.type == "tags" else None
        if value is None or column.type == "vector":
            return none
        try:
            _CHECKS[column.type](column.name, value)
        except DocumentError:
            return none
        return as_time(value) if column.type == "time" else value


def checked(content: Content, columns: Sequence[Column]) -> dict[str, Any]:
    """The content without what has no value; raises DocumentError for what no item with such columns can have."""
    kinds = OWN | {each.name: each.type for each in columns if each.type != "vector" and each.name not in OWN}
    for key in content:
        if key not in kinds:
            raise DocumentError(key[:MAX_TAG], f"is unknown; an item has {', '.join(kinds)}")
    found = {key: value for key, value in content.items() if value is not None and value != []}
    _check_text(TITLE, found.get(TITLE), MAX_TITLE)
    for key, value in found.items():
        if key != TITLE:
            _CHECKS[kinds[key]](key, value)
    if FROM in found and UNTIL in found and not (as_time(found[FROM]) or 0) < (as_time(found[UNTIL]) or 0):
        raise DocumentError(UNTIL, f"is not after {FROM}")
    return {key: value for key, value in found.items() if key != WITHDRAWN or value}


def check_value(kind: str, key: str, value: object, length: int = 0) -> None:
    """Refuse a value that isn't of this type; `length` is that of a vector."""
    if kind == "vector":
        _check_vector(key, value, length)
    else:
        _CHECKS[kind](key, value)


def _require(fits: bool, key: str, value: object, expected: str) -> None:
    if not fits:
        raise DocumentError(key, f"is {value!r:.80}; expected {expected}")


def _check_text(key: str, value: object, longest: int = MAX_TEXT) -> None:
    _require(isinstance(value, str) and len(value.strip()) > 0 and len(value) <= longest, key, value,
             f"a text of 1 to {longest} characters")  # fmt: skip
    text = str(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise DocumentError(key, "holds half a surrogate pair, which UTF-8 can't express") from None
    _require("\0" not in text, key, value, "a text without \\u0000")


def _check_tag(key: str, value: object) -> None:
    _check_text(key, value, MAX_TAG)
    _require(SEPARATOR not in str(value), key, value, f"a tag without {SEPARATOR}, which separates tags in files")


def _check_tags(key: str, value: object) -> None:
    _require(isinstance(value, list) and len(value) <= MAX_TAGS, key, value, f"a list of at most {MAX_TAGS} tags")
    for tag in value if isinstance(value, list) else ():
        _check_tag(key, tag)


def _check_number(key: str, value: object) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    _require(is_number and abs(value) <= MAX_NUMBER and math.isfinite(value), key, value,  # type: ignore[arg-type]
             f"a number within ±{MAX_NUMBER:g}")  # fmt: skip


def _check_vector(key: str, value: object, length: int) -> None:
    _require(isinstance(value, list) and len(value) == length, key, value, f"a list of {length} numbers")
    for number in value if isinstance(value, list) else ():
        _check_number(key, number)


def _check_time(key: str, value: object) -> None:
    time = as_time(value) if isinstance(value, str) else None
    fits = time is not None and FIRST_TIME <= time < LAST_TIME
    _require(fits, key, value, "a date or a time such as 2026-11-30T18:00:00Z")


def _check_flag(key: str, value: object) -> None:
    _require(isinstance(value, bool), key, value, "true or false")


_CHECKS = {
    "tag": _check_tag,
    "tags": _check_tags,
    "number": _check_number,
    "time": _check_time,
    "flag": _check_flag,
    "text": _check_text,
    "link": _check_text,
}
