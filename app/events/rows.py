"""What a store of events holds."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from app.contract.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent(Event):
    """An event with its position, counted from 1 with gaps, and the time of its arrival in seconds since 1970, UTC."""

    position: int
    received_at: float


@dataclass(frozen=True, slots=True)
class Appended:
    """What came of appending events.

    `positions` has one entry for each event: its position, or None if the store had its `event_id` already, or a change
    beyond the position that it is after. `last` is the store's last position.
    """

    positions: Sequence[int | None]
    last: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """How many lists, with how many items, a user got on a day (ISO 8601, UTC) of a version, as an arm of a trial."""

    day: str
    user_id: str
    experiment: str
    arm: int
    version: str
    lists: int
    films: int


@dataclass(frozen=True, slots=True)
class Impression:
    """An item that was on a user's screen, with its rank in a list; `day` (ISO 8601, UTC) is the list's own.

    `placement` and `source` are where and how the list was made, as the client says; None where it does not. `odds` is
    the probability with which it got an explored rank, `among` the ids that could have got it, a list as JSON.
    """

    day: str
    recommendation_id: str
    item_id: str
    user_id: str
    rank: int
    placement: str | None = None
    source: str | None = None
    odds: float | None = None
    among: str | None = None


class Verdict(NamedTuple):
    """What training found of a trial of placements, in a sentence and as a change with its band, if it knows one."""

    experiment: str
    sentence: str
    gain: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A list that a user got, one of a share of all lists; whether anybody looked at it, nobody knows.

    `day` (ISO 8601, UTC) is the list's own, `item_ids` its items, a list as JSON, and `rank` that of the first.
    """

    day: str
    recommendation_id: str
    user_id: str
    share: float
    item_ids: str
    rank: int
    placement: str | None
    source: str


Row = Exposure | Impression | Answer
TABLES: dict[type[Row], str] = {Exposure: "exposure", Impression: "impression", Answer: "answer"}


def names(kind: type[Event | Row]) -> list[str]:
    """What a row consists of, in order; in a table of its kind each is a column."""
    return [field.name for field in fields(kind)]


@dataclass(frozen=True, slots=True)
class PersonalData:
    """All that a store holds about one user, in the order of time."""

    events: Sequence[StoredEvent]
    impressions: Sequence[Impression]
    exposures: Sequence[Exposure]
    answers: Sequence[Answer]
