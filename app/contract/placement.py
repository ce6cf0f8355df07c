"""What editors decide of the lists of one place, such as the home screen: a document with a name."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from app.contract.filter_language import Expression, FilterError
from app.contract.item_document import DocumentError
from app.contract.item_filter import ItemFilter
from app.contract.placement_rules import (
    MAX_LENGTH,
    Against,
    Boost,
    Content,
    Exploration,
    Pin,
    Quota,
    Rest,
    read_boost,
    read_exploration,
    read_filter,
    read_pin,
    read_quota,
)

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
MAX_BOOSTS, MAX_PINS, MAX_QUOTAS, MAX_FALLBACK = 20, 50, 5, MAX_LENGTH
OVERRIDABLE = ("k", "diversity")
POPULAR, TRENDING = "popular", "trending"


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
    rest: Rest | None = None
    trial: Against | None = None

    @classmethod
    def of(cls, content: Content) -> "Placement":
        """Understand a document whose values have the right types; raise DocumentError where they make no sense."""
        fallback = content.get("fallback", POPULAR)
        placement = cls(
            content,
            content.get("k", 10),
            read_filter("filter", content["filter"]) if "filter" in content else None,
            tuple(read_boost(place, each) for place, each in _numbered(content, "boosts")),
            tuple(read_pin(place, each) for place, each in _numbered(content, "pins")),
            tuple(read_quota(place, each) for place, each in _numbered(content, "quotas")),
            float(content.get("diversity", 0)),
            tuple(map(str, fallback)) if isinstance(fallback, list) else (),
            fallback == TRENDING,
            frozenset(content.get("overridable", OVERRIDABLE)),
            read_exploration(content["explore"]) if "explore" in content else None,
            Rest(content["rest"]["shown"], content["rest"]["days"]) if "rest" in content else None,
            Against(content["trial"]["against"], float(content["trial"]["share"])) if "trial" in content else None,
        )
        if not isinstance(placement.k, int) or not 1 <= placement.k <= MAX_LENGTH:
            raise DocumentError("k", f"is {placement.k!r:.80}; expected a whole number from 1 to {MAX_LENGTH}")
        _check_pins(placement)
        _check_quotas(placement)
        _check_exploration(placement)
        return placement

    def check_columns(self, items: ItemFilter) -> None:
        """Raise DocumentError for the first filter that asks for a column which a version lacks."""
        parts = [("filter", self.filter)] if self.filter else []
        parts += [(f"boosts.{number}.filter", each.expression) for number, each in enumerate(self.boosts)]
        parts += [(f"quotas.{number}.filter", each.expression) for number, each in enumerate(self.quotas)]
        for field, expression in parts:
            _check_columns(items, field, expression)

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


def _check_columns(items: ItemFilter, field: str, expression: Expression) -> None:
    try:
        items.mask(expression)
    except FilterError as error:
        raise DocumentError(field, f"is no filter: {error}") from error


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
