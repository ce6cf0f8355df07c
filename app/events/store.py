"""A store of events, and what it does alike in both databases: it reads, deletes, and tells what is held.

The order of positions is the order in which events become visible: who has read up to a position has missed nothing
before it.
"""

import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar

from app.contract.events import Event
from app.events.rows import (
    TABLES,
    Answer,
    Appended,
    Exposure,
    Impression,
    PersonalData,
    Row,
    StoredEvent,
    Verdict,
    names,
)

TIMEOUT_SECONDS = 2  # of a statement but to delete, of waiting for another writer, of connecting
LATEST = "SELECT coalesce(max(position), 0) FROM event"
# The wishes stay, because each later training needs them.
DELETE_FORGOTTEN = """
DELETE FROM event AS earlier WHERE type <> 'forget' AND body IS NULL
  AND user_id IN (SELECT user_id FROM event WHERE type = 'forget')
  AND position < (SELECT max(position) FROM event AS later
                  WHERE later.user_id = earlier.user_id AND later.type = 'forget')
"""
# What is counted of people who have ever wished to be forgotten.
DELETE_COUNTED = "DELETE FROM {table} WHERE user_id IN (SELECT user_id FROM event WHERE type = 'forget')"
EXPLORED = """
SELECT CAST(day AS text), item_id, count(*) FROM impression WHERE odds IS NOT NULL AND day >= %s GROUP BY day, item_id
"""
# Who wished to be forgotten has, up to that day, said something about all items.
RESTING = """
WITH said AS (
  SELECT user_id, item_id, {day_of_last} AS day FROM event WHERE user_id IN ({texts}) AND body IS NULL
  GROUP BY user_id, item_id)
SELECT shown.user_id, shown.item_id FROM impression AS shown
LEFT JOIN said ON said.user_id = shown.user_id AND said.item_id = shown.item_id
LEFT JOIN said AS wish ON wish.user_id = shown.user_id AND wish.item_id IS NULL
WHERE shown.user_id IN ({texts}) AND shown.day >= %s
  AND (said.day IS NULL OR shown.day > said.day) AND (wish.day IS NULL OR shown.day > wish.day)
GROUP BY shown.user_id, shown.item_id HAVING count(*) >= %s
"""
# The last event stays, by which the store knows its last position.
DELETE_EVENTS = """
DELETE FROM event WHERE type <> 'forget' AND body IS NULL AND received_at < {moment} AND position <= %s
  AND position < (SELECT max(position) FROM event)
"""
READ = """
SELECT CAST(event_id AS text), user_id, item_id, type, value, {occurred_at}, recommendation_id, body, position,
  {received_at} FROM event WHERE {condition}
"""
AFTER = "position > %s ORDER BY position LIMIT %s"


class EventStoreError(Exception):
    """The store does not answer, or cannot do what it should; the message says why."""


class EventStore(ABC):
    """For one thread: each thread opens a store of its own, which connects at first use, and again after an error.

    All methods but `close` raise EventStoreError. A server that hangs keeps a method waiting for as long as it hangs.
    """

    seconds: ClassVar[str]  # reads a time as seconds since 1970, and
    moment: ClassVar[str]  # makes a time of them
    day: ClassVar[str]  # the day (UTC) of a time
    texts: ClassVar[str]  # a column of the texts of a JSON list
    mark = "%s"  # in a statement, for a value

    @abstractmethod
    def append(self, events: Sequence[Event], received_at: float) -> Appended:
        """Store all events or none, and return once they survive a crash."""

    @abstractmethod
    def add(self, rows: Sequence[Row]) -> None:
        """Store all rows, of one kind, or none, without those that are there; exposures of a user and day add up."""

    @abstractmethod
    def wait(self, seconds: float) -> bool:
        """Return True as soon as events may have been appended since the last call, by anybody; False after the time.

        It may miss some, so read now and then whatever it says.
        """

    @abstractmethod
    def close(self) -> None:
        """Give the connection back; harmless when repeated."""

    @abstractmethod
    def _connected(self) -> AbstractContextManager[Any]:
        """The connection, opened if need be; raises EventStoreError for whatever goes wrong with it."""

    @abstractmethod
    def _patient(self) -> AbstractContextManager[Any]:
        """A transaction that takes the time it needs: to delete much is slow, and holds up no writer."""

    @property
    def id(self) -> str:
        """The id of the stored events, a UUID; a restored backup has a new one, since its positions start again."""
        return str(self._rows("SELECT id FROM store")[0][0])

    def read_after(self, position: int, limit: int) -> list[StoredEvent]:
        """The first events after a position, in order."""
        return self._events(AFTER, position, limit)

    def read_changes_after(self, position: int, limit: int) -> list[StoredEvent]:
        """The first changes of items and placements after a position, in order."""
        return self._events(f"body IS NOT NULL AND {AFTER}", position, limit)

    def latest(self) -> int:
        """The last position; 0 in an empty store. It never goes back."""
        return int(self._rows(LATEST)[0][0])

    def explored_showings(self, since: str) -> Sequence[tuple[str, str, int]]:
        """Day, item, and how often it was shown at explored ranks, of the days from one on (ISO 8601)."""
        return self._rows(EXPLORED, since)

    def resting(self, user_ids: Sequence[str], since: str, shown: int) -> Mapping[str, list[str]]:
        """By user the items that were on so many of the user's lists since a day (ISO 8601) at least.

        Lists up to the day on which the user said something about the item don't count.
        """
        users, found = json.dumps(list(user_ids)), defaultdict[str, list[str]](list)
        query = RESTING.format(day_of_last=self.day.format("max(occurred_at)"), texts=self.texts)
        for user_id, item_id in self._rows(query, users, users, since, shown):
            found[user_id].append(item_id)
        return found

    def personal_data(self, user_id: str) -> PersonalData:
        """All that is held about a user."""
        return PersonalData(
            self._events("body IS NULL AND user_id = %s ORDER BY position", user_id),
            self._held(Impression, user_id, "day, recommendation_id, rank"),
            self._held(Exposure, user_id, "id"),
            self._held(Answer, user_id, "day, recommendation_id"),
        )

    def verdicts(self) -> Sequence[Verdict]:
        """How the trials of placements stood when training last looked."""
        return [Verdict(*row) for row in self._rows("SELECT experiment, sentence, gain, low, high FROM verdict")]

    def report_days(self, limit: int) -> list[str]:
        """The last days (ISO 8601) of the latest reports of what pleased, the latest first; training writes them."""
        rows = self._rows("SELECT CAST(last AS text) FROM pleased ORDER BY last DESC LIMIT %s", limit)
        return [day for [day] in rows]

    def report(self, last: str) -> str | None:
        """The report of the days until one, as JSON."""
        return next((body for [body] in self._rows("SELECT body FROM pleased WHERE last = %s", last)), None)

    def delete_forgotten(self) -> int:
        """Delete what users said before they wished to be forgotten, and what they were shown; how many events."""
        with self._patient() as connection:
            for table in TABLES.values():
                connection.execute(DELETE_COUNTED.format(table=table))
            return int(connection.execute(DELETE_FORGOTTEN).rowcount)

    def delete_events(self, before: float, until: int) -> int:
        """Delete events that arrived before a time, up to a position; returns how many. Wishes to be forgotten stay."""
        return self._delete(DELETE_EVENTS.format(moment=self.moment), before, until)

    def delete_exposures(self, before: str) -> None:
        """Delete the exposures of the days before one (ISO 8601)."""
        self._delete("DELETE FROM exposure WHERE day < %s", before)

    def delete_impressions(self, before: str) -> None:
        """Delete the impressions and answers of the days before one (ISO 8601)."""
        self._delete("DELETE FROM impression WHERE day < %s", before)
        self._delete("DELETE FROM answer WHERE day < %s", before)

    def _events(self, condition: str, *values: object) -> list[StoredEvent]:
        times = {name: self.seconds.format(name) for name in ("occurred_at", "received_at")}
        rows = self._rows(READ.format(condition=condition, **times), *values)
        return [StoredEvent(*row[:-2], position=row[-2], received_at=row[-1]) for row in rows]

    def _held(self, kind: type[Any], user_id: str, order: str) -> list[Any]:
        columns = ", ".join("CAST(day AS text)" if name == "day" else name for name in names(kind))
        query = f"SELECT {columns} FROM {TABLES[kind]} WHERE user_id = %s ORDER BY {order}"  # noqa: S608 - names of ours
        return [kind(*row) for row in self._rows(query, user_id)]

    def _rows(self, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
        with self._connected() as connection:
            rows: Sequence[tuple[Any, ...]] = connection.execute(query.replace("%s", self.mark), values).fetchall()
        return rows

    def _delete(self, statement: str, *values: object) -> int:
        with self._patient() as connection:
            return int(connection.execute(statement.replace("%s", self.mark), values).rowcount)
