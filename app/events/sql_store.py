"""What a store does alike in both databases: it reads, deletes, and tells what is held."""

import json
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import fields
from typing import Any, ClassVar

from app.events.store import Answer, Exposure, Impression, PersonalData, StoredEvent, Verdict

LATEST = "SELECT coalesce(max(position), 0) FROM event"
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
DELETE_EVENTS = """
DELETE FROM event WHERE type <> 'forget' AND body IS NULL AND received_at < {moment} AND position <= %s
  AND position < (SELECT max(position) FROM event)
"""
READ = """
SELECT CAST(event_id AS text), user_id, item_id, type, value, {occurred_at}, recommendation_id, body, position,
  {received_at}
FROM event WHERE {condition} ORDER BY position
"""
AFTER = "position > %s"


class SqlStore(ABC):
    """The part of a store whose statements both databases understand; they are written with %s for a value."""

    seconds: ClassVar[str]  # reads a time as seconds since 1970, and
    moment: ClassVar[str]  # makes a time of them
    day: ClassVar[str]  # the day (UTC) of a time
    texts: ClassVar[str]  # a column of the texts of a JSON list

    @abstractmethod
    def _connected(self) -> AbstractContextManager[Any]:
        """The connection, opened if need be; raises EventStoreError for whatever goes wrong with it."""

    @abstractmethod
    def _patient(self) -> AbstractContextManager[Any]:
        """A transaction that takes the time it needs: to delete much is slow, and holds up no writer."""

    @staticmethod
    def _marked(statement: str) -> str:
        """The statement with the database's own mark for a value."""
        return statement

    @property
    def id(self) -> str:
        """The id of the stored events."""
        return str(self._rows("SELECT id FROM store")[0][0])

    def read_after(self, position: int, limit: int) -> list[StoredEvent]:
        """The first events after a position."""
        return self._events(AFTER, position, limit=limit)

    def read_changes_after(self, position: int, limit: int) -> list[StoredEvent]:
        """The first changes of items and placements after a position."""
        return self._events(f"body IS NOT NULL AND {AFTER}", position, limit=limit)

    def latest(self) -> int:
        """The last position."""
        return int(self._rows(LATEST)[0][0])

    def explored_showings(self, since: str) -> Sequence[tuple[str, str, int]]:
        """How often items were shown at explored ranks, by day."""
        return self._rows(EXPLORED, since)

    def resting(self, user_ids: Sequence[str], since: str, shown: int) -> Mapping[str, list[str]]:
        """By user the items that were on so many of the user's lists."""
        users, found = json.dumps(list(user_ids)), defaultdict[str, list[str]](list)
        query = RESTING.format(day_of_last=self.day.format("max(occurred_at)"), texts=self.texts)
        for user_id, item_id in self._rows(query, users, users, since, shown):
            found[user_id].append(item_id)
        return found

    def personal_data(self, user_id: str) -> PersonalData:
        """All that is held about a user."""
        shown = self._rows(_of_user(Impression, "impression", "day, recommendation_id, rank"), user_id)
        exposed = self._rows(_of_user(Exposure, "exposure", "id"), user_id)
        answered = self._rows(_of_user(Answer, "answer", "day, recommendation_id"), user_id)
        said = self._events("body IS NULL AND user_id = %s", user_id)
        return PersonalData(
            said,
            [Impression(*row) for row in shown],
            [Exposure(*row) for row in exposed],
            [Answer(*row) for row in answered],
        )

    def verdicts(self) -> Sequence[Verdict]:
        """How the trials of placements stood when training last looked."""
        return [Verdict(*row) for row in self._rows("SELECT experiment, sentence, gain, low, high FROM verdict")]

    def report_days(self, limit: int) -> list[str]:
        """The last days of the latest reports, the latest first."""
        return [
            day for [day] in self._rows("SELECT CAST(last AS text) FROM pleased ORDER BY last DESC LIMIT %s", limit)
        ]

    def report(self, last: str) -> str | None:
        """The report of the days until one."""
        rows = self._rows("SELECT body FROM pleased WHERE last = %s", last)
        return rows[0][0] if rows else None

    def delete_forgotten(self) -> int:
        """Delete what users said before they wished to be forgotten, in one transaction."""
        with self._patient() as connection:
            for table in ("exposure", "impression", "answer"):
                connection.execute(DELETE_COUNTED.format(table=table))
            return int(connection.execute(DELETE_FORGOTTEN).rowcount)

    def delete_events(self, before: float, until: int) -> int:
        """Delete old events."""
        return self._delete(DELETE_EVENTS.format(moment=self.moment), before, until)

    def delete_exposures(self, before: str) -> None:
        """Delete old exposures."""
        self._delete("DELETE FROM exposure WHERE day < %s", before)

    def delete_impressions(self, before: str) -> None:
        """Delete old impressions and answers."""
        self._delete("DELETE FROM impression WHERE day < %s", before)
        self._delete("DELETE FROM answer WHERE day < %s", before)

    def _events(self, condition: str, *values: object, limit: int | None = None) -> list[StoredEvent]:
        times = {name: self.seconds.format(name) for name in ("occurred_at", "received_at")}
        query = READ.format(condition=condition, **times)
        rows = self._rows(query, *values) if limit is None else self._rows(f"{query} LIMIT %s", *values, limit)
        return [StoredEvent(*row[:-2], position=row[-2], received_at=row[-1]) for row in rows]

    def _rows(self, query: str, *values: object) -> Sequence[tuple[Any, ...]]:
        with self._connected() as connection:
            rows: Sequence[tuple[Any, ...]] = connection.execute(self._marked(query), values).fetchall()
        return rows

    def _delete(self, statement: str, *values: object) -> int:
        with self._patient() as connection:
            return int(connection.execute(self._marked(statement), values).rowcount)


def names(kind: type[Exposure | Impression | Answer]) -> list[str]:
    """The columns of what is stored, in their order."""
    return [field.name for field in fields(kind)]


def _of_user(kind: type[Exposure | Impression | Answer], table: str, order: str) -> str:
    columns = ", ".join("CAST(day AS text)" if name == "day" else name for name in names(kind))
    return f"SELECT {columns} FROM {table} WHERE user_id = %s ORDER BY {order}"  # noqa: S608 - names of ours
