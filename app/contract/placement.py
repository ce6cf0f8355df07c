"""What editors decide of the lists of one place, such as the home screen: a document with a name."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, cast

from app.contract.columns import as_time
from app.contract.filter_language import Expression, FilterError, parse
from app.contract.item_document import DocumentError

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
MAX_BY = 10.0  # standard deviations: more would hide every other rule, and what people like
MAX_LENGTH = 100  # of a list
MAX_BOOSTS, MAX_PINS, MAX_QUOTAS, MAX_FALLBACK = 20, 50, 5, MAX_LENGTH
MAX_AMONG = 50  # items that exploration chooses from: their ids are stored with each list
MOST_A_DAY = 1000  # times that exploration shows a new item, unless a placement says otherwise
OVERRIDABLE = ("k", "diversity")
POPULAR, TRENDING = "popular", "trending"
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


@dataclass(frozen=True)
class Placement:
    """The rules of lists; docs/placements.md says what they do, and in which order.

    `content` is the document, of JSON's types. People of whom nothing is known get the items of `fallback`, or those
    that trend, before those that are popular.
    """

    content: Content
    k: int
    filter: Expression | None
    boosts: tuple[Boost, ...]
    pins: tuple[Pin, ...]
    quotas: tuple[Quota, ...]
    diversity: float
    fallback: tuple[str, ...]
    is_trending: bool
    overridable: frozenset[str]
    explore: Exploration | None = None

    @classmethod
    def of(cls, content: Content) -> "Placement":
        """Understand a document whose values have the right types; raise DocumentError where they make no sense."""
        fallback = content.get("fallback", POPULAR)
        placement = cls(
            content,
            content.get("k", 10),
            _parsed("filter", content["filter"]) if "filter" in content else None,
            tuple(_boost(place, each) for place, each in _numbered(content, "boosts")),
            tuple(_pin(place, each) for place, each in _numbered(content, "pins")),
            tuple(_quota(place, each) for place, each in _numbered(content, "quotas")),
            float(content.get("diversity", 0)),
            tuple(map(str, fallback)) if isinstance(fallback, list) else (),
            fallback == TRENDING,
            frozenset(content.get("overridable", OVERRIDABLE)),
            _exploration(content["explore"]) if "explore" in content else None,
        )
        _check_pins(placement)
        _check_quotas(placement)
        _check_exploration(placement)
        return placement

    @classmethod
    def read(cls, text: str) -> "Placement | None":
        """Parse a stored placement; None if it was deleted. Raises ValueError for any other text."""
        content = json.loads(text)
        try:
            return None if content is None else cls.of(content)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is no placement: {error}") from error


def _numbered(content: Content, key: str) -> Iterator[tuple[str, Content]]:
    return ((f"{key}.{number}", each) for number, each in enumerate(content.get(key, ())))


def _boost(place: str, content: Content) -> Boost:
    if not abs(content["by"]) <= MAX_BY:
        raise DocumentError(f"{place}.by", f"is {content['by']!r:.80}; expected a number within ±{MAX_BY:g}")
    return Boost(_parsed(f"{place}.filter", content["filter"]), float(content["by"]), _name(content))


def _pin(place: str, content: Content) -> Pin:
    starts, ends = _time(place, content, "from", -FOR_EVER), _time(place, content, "until", FOR_EVER)
    if not starts < ends:
        raise DocumentError(f"{place}.until", "is not after from")
    return Pin(str(content["item_id"]), content["rank"], starts, ends)


def _quota(place: str, content: Content) -> Quota:
    least, most = content.get("at_least", 0), content.get("at_most", MAX_LENGTH)
    if not {"at_least", "at_most"} & content.keys():
        raise DocumentError(place, "has neither at_least nor at_most")
    if least > most:
        raise DocumentError(f"{place}.at_least", f"is {least}, and at_most is {most}")
    return Quota(_parsed(f"{place}.filter", content["filter"]), least, most, _name(content))


def _exploration(content: Content) -> Exploration:
    new = content.get("new_below", 0), content.get("most_a_day", MOST_A_DAY)
    return Exploration(content["rank"], content["among"], float(content["share"]), *new)


def _name(content: Content) -> str:
    return cast(str, content.get("name", content["filter"]))


def _parsed(place: str, text: str) -> Expression:
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


def _check_pins(placement: Placement) -> None:
    for number, pin in enumerate(placement.pins):
        if pin.rank > placement.k:
            raise DocumentError(f"pins.{number}.rank", f"is {pin.rank}, and the list has {placement.k} items")
    for (first, one), (second, other) in combinations(enumerate(placement.pins), 2):
        meet = max(one.starts, other.starts) < min(one.ends, other.ends)
        if meet and (one.rank == other.rank or one.item_id == other.item_id):
            same = f"rank {one.rank}" if one.rank == other.rank else f"item {one.item_id!r:.80}"
            raise DocumentError(f"pins.{second}", f"has the {same} at a time when pins.{first} has it")


def _check_quotas(placement: Placement) -> None:
    for number, quota in enumerate(placement.quotas):
        if quota.at_least > placement.k:
            problem = f"is {quota.at_least}, and the list has {placement.k} items"
            raise DocumentError(f"quotas.{number}.at_least", problem)


def _check_exploration(placement: Placement) -> None:
    if placement.explore is None:
        return
    rank = placement.explore.rank
    if rank > placement.k:
        raise DocumentError("explore.rank", f"is {rank}, and the list has {placement.k} items")
    if placement.quotas:
        raise DocumentError("explore", "can't be with quotas: the item that is drawn may break them")
    if any(pin.rank == rank for pin in placement.pins):
        raise DocumentError("explore.rank", f"is {rank}, which a pin has")
