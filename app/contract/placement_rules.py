"""The rules of a placement, each understood from its part of a document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.contract.columns import as_time
from app.contract.filter_language import Expression, FilterError, parse
from app.contract.item_document import DocumentError

MAX_BY = 10.0  # standard deviations: more would hide every other rule, and what people like
MAX_LENGTH = 100  # of a list
MAX_AMONG = 50  # items that exploration chooses from: their ids are stored with each list
MOST_A_DAY = 1000  # times that exploration shows a new item, unless a placement says otherwise
MAX_REST_DAYS = 90  # impressions are kept no longer
FOR_EVER = float("inf")

Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Boost:
    """Moves what passes a filter by so many standard deviations of the scores of a list."""

    expression: Expression
    by: float
    name: str

    def __str__(self) -> str:
        """The words of an explanation."""
        return f"boost:{self.name} {self.by:+g}"


@dataclass(frozen=True, slots=True)
class Pin:
    """An item at a rank, from 1, in a time in seconds since 1970."""

    item_id: str
    rank: int
    starts: float
    ends: float

    def is_due(self, now: float) -> bool:
        """Whether its time is now."""
        return self.starts <= now < self.ends

    def __str__(self) -> str:
        """The words of an explanation."""
        return f"pin:{self.rank}"


@dataclass(frozen=True, slots=True)
class Quota:
    """How many of the first k items pass a filter, at least and at most."""

    expression: Expression
    at_least: int
    at_most: int
    name: str

    def __str__(self) -> str:
        """The words of an explanation."""
        return f"quota:{self.name} at least {self.at_least}"


@dataclass(frozen=True, slots=True)
class Exploration:
    """A share of lists gives a rank, from 1, to one of at most `among` items: those that are new, else what follows.

    New are those from fewer than `new_below` likes of which a version has learned; on a day each of them is shown so
    `most_a_day` times.
    """

    rank: int
    among: int
    share: float
    new_below: int = 0
    most_a_day: int = MOST_A_DAY


@dataclass(frozen=True, slots=True)
class Rest:
    """Leaves out what a person was shown so many times in so many days, and has said nothing about since."""

    shown: int
    days: int


class Against(NamedTuple):
    """Compares a placement with another, whose rules a share of people get."""

    against: str
    share: float


def read_boost(place: str, content: Content) -> Boost:
    """Understand a boost at a place of the document; raise DocumentError where it makes no sense."""
    if not abs(content["by"]) <= MAX_BY:
        raise DocumentError(f"{place}.by", f"is {content['by']!r:.80}; expected a number within ±{MAX_BY:g}")
    return Boost(
        read_filter(f"{place}.filter", content["filter"]), float(content["by"]), content.get("name", content["filter"])
    )


def read_pin(place: str, content: Content) -> Pin:
    """Understand a pin at a place of the document; raise DocumentError where it makes no sense."""
    starts, ends = _time(place, content, "from", -FOR_EVER), _time(place, content, "until", FOR_EVER)
    if not starts < ends:
        raise DocumentError(f"{place}.until", "is not after from")
    return Pin(str(content["item_id"]), content["rank"], starts, ends)


def read_quota(place: str, content: Content) -> Quota:
    """Understand a quota at a place of the document; raise DocumentError where it makes no sense."""
    least, most = content.get("at_least", 0), content.get("at_most", MAX_LENGTH)
    if not {"at_least", "at_most"} & content.keys():
        raise DocumentError(place, "has neither at_least nor at_most")
    if least > most:
        raise DocumentError(f"{place}.at_least", f"is {least}, and at_most is {most}")
    return Quota(read_filter(f"{place}.filter", content["filter"]), least, most, content.get("name", content["filter"]))


def read_exploration(content: Content) -> Exploration:
    """Understand an exploration."""
    new = content.get("new_below", 0), content.get("most_a_day", MOST_A_DAY)
    return Exploration(content["rank"], content["among"], float(content["share"]), *new)


def read_filter(place: str, text: str) -> Expression:
    """Understand a filter at a place of the document; raise DocumentError where it is none."""
    try:
        return parse(text)
    except FilterError as error:
        raise DocumentError(place, f"is no filter: {error}") from error


def _time(place: str, content: Content, key: str, otherwise: float) -> float:
    if key not in content:
        return otherwise
    time = as_time(content[key])
    if time is None:
        expected = "a date or a time such as 2026-11-30T18:00:00Z"
        raise DocumentError(f"{place}.{key}", f"is {content[key]!r:.80}; expected {expected}")
    return time
