"""What a store of events does, whichever database holds it.

The order of positions is the order in which events become visible: who has read up to a position has missed nothing
before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from app.contract.events import Event

TIMEOUT_SECONDS = 2  # of a statement but to delete, of waiting for another writer, of connecting


class EventStoreError(Exception):
    """The store does not answer, or cannot do what it should; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent(Event):
    """An event with its position, counted from 1 with gaps, and the time of its arrival in seconds since 1970, UTC."""

    position: int
    received_at: float


@dataclass(frozen=True, slots=True)
class Appended:
    """What came of appending events.

    `positions` has one entry for each event: its position, or None if the store had its `event_id` already, or a change
    beyond the position that it is after. `last` is
    the store's last position, and so at least that of each event, new or not.
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


@dataclass(frozen=True, slots=True)
class PersonalData:
    """All that a store holds about one user, in the order of time."""

    events: Sequence[StoredEvent]
    impressions: Sequence[Impression]
    exposures: Sequence[Exposure]
    answers: Sequence[Answer]


class EventStore(Protocol):
    """For one thread: each thread opens a store of its own.

    It connects at first use, and again after an error. All methods but `close` raise EventStoreError. A server that
    hangs can keep a method waiting for as long as it hangs.
    """

    @property
    def id(self) -> str:
        """The id of the stored events, a UUID; a restored backup has a new one, since its positions start again."""

    def append(self, events: Sequence[Event], received_at: float) -> Appended:
        """Store all events or none, and return once they survive a crash."""

    def read_after(self, position: int, limit: int) -> list[StoredEvent]:
        """The first events after a position, in order."""

    def read_changes_after(self, position: int, limit: int) -> list[StoredEvent]:
        """The first changes of items and placements after a position, in order."""

    def latest(self) -> int:
        """The last position; 0 in an empty store. It never goes back."""

    def append_exposures(self, exposures: Sequence[Exposure]) -> None:
        """Store all or none; exposures have no positions, and further ones of the same user and day add to them."""

    def append_impressions(self, impressions: Sequence[Impression]) -> None:
        """Store all or none, but no item of a list a second time; impressions have no positions."""

    def append_answers(self, answers: Sequence[Answer]) -> None:
        """Store all or none; answers have no positions."""

    def explored_showings(self, since: str) -> Sequence[tuple[str, str, int]]:
        """Day, item, and how often it was shown at explored ranks, of the days from one on (ISO 8601)."""

    def personal_data(self, user_id: str) -> PersonalData:
        """All that is held about a user."""

    def resting(self, user_ids: Sequence[str], since: str, shown: int) -> Mapping[str, list[str]]:
        """By user the items that were on so many of the user's lists since a day (ISO 8601) at least.

        Lists up to the day on which the user said something about the item don't count.
        """

    def verdicts(self) -> Sequence[Verdict]:
        """How the trials of placements stood when training last looked."""

    def report_days(self, limit: int) -> list[str]:
        """The last days (ISO 8601) of the latest reports of what pleased, the latest first; training writes them."""

    def report(self, last: str) -> str | None:
        """The report of the days until one, as JSON."""

    def delete_forgotten(self) -> int:
        """Delete what users said before they wished to be forgotten, and what they were shown; returns how many events.

        The wishes stay, because each later training needs them.
        """

    def delete_events(self, before: float, until: int) -> int:
        """Delete events that arrived before a time, up to a position; returns how many.

        Wishes to be forgotten stay; so does the last event, by which the store knows its last position.
        """

    def delete_exposures(self, before: str) -> None:
        """Delete the exposures of the days before one (ISO 8601)."""

    def delete_impressions(self, before: str) -> None:
        """Delete the impressions and answers of the days before one (ISO 8601)."""

    def wait(self, seconds: float) -> bool:
        """Return True as soon as events may have been appended since the last call, by anybody; False after the time.

        It may miss some, so read now and then whatever it says.
        """

    def close(self) -> None:
        """Give the connection back; harmless when repeated."""
