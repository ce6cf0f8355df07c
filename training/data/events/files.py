"""The files of data/events: the events of a snapshot by their numbers, and which snapshot it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from app.contract.artifact import LearnedEvents
from training.data.events.snapshot import Snapshot, seconds
from training.errors import DataError
from training.files import read_json, read_parquet, write_json
from training.progress import progress

UNTIL = "until.json"
POSITION = "position"
TYPE = "type"
OCCURRED = "occurred_at"
RECEIVED = "received_at"
EVENTS_PER_FILE = 100_000
REMEDY = "run: dvc repro events"

WriteFiles = Callable[[Snapshot, Path], int]

_SCHEMA = pa.schema(
    {
        POSITION: pa.int64(),
        "user_id": pa.string(),
        "item_id": pa.string(),
        TYPE: pa.string(),
        "value": pa.float32(),
        OCCURRED: pa.int64(),
        RECEIVED: pa.int64(),
    }
)


@dataclass(frozen=True)
class Recorded:
    """The events of data/events, by number, and the store that they are from with the number of its last one.

    Columns: position, user_id, item_id (None for forget), type, value (stars of a rating), occurred_at and received_at
    in seconds since 1970.
    """

    rows: pd.DataFrame
    learned: LearnedEvents


def write_events(snapshot: Snapshot, folder: Path) -> int:
    """Write the events into an existing folder and return their count; the same events give the same bytes."""
    files = progress(ranges(snapshot), "events", "file")
    return sum(write_file(snapshot.rows(first, last), folder) for first, last in files)


def ranges(snapshot: Snapshot) -> list[tuple[int, int]]:
    """The first and the last number that each file with events may hold.

    A file holds the events whose numbers begin alike, so a new event changes the last file alone.
    """
    files = snapshot.files(EVENTS_PER_FILE)
    return [(file * EVENTS_PER_FILE, (file + 1) * EVENTS_PER_FILE - 1) for file in files]


def write_file(rows: Sequence[Sequence[Any]], folder: Path) -> int:
    """Write the rows of one range, by number, into their file; return how many there are. Without any, there is none.

    A row is what `Snapshot.rows` gives.
    """
    if rows:
        *columns, occurred, received = zip(*rows, strict=True)
        columns += [tuple(map(seconds, times)) for times in (occurred, received)]
        table = pa.table(dict(zip(_SCHEMA.names, columns, strict=True)), _SCHEMA)
        file = rows[0][0] // EVENTS_PER_FILE
        pq.write_table(table, folder / f"events-{file:05}.parquet", compression="zstd")
    return len(rows)


def write_learned(snapshot: Snapshot | None, folder: Path) -> None:
    """Say in an existing folder which snapshot it holds, or that there are no events."""
    write_json(folder / UNTIL, {"store": snapshot.store, "until": snapshot.until} if snapshot else {})


def read_events(folder: Path) -> Recorded | None:
    """Read data/events; None where there are no events, raise DataError where a file is damaged."""
    learned = read_learned(folder)
    if learned is None:
        return None
    parts = [_read_file(path) for path in event_files(folder)]
    rows = pd.concat(parts, ignore_index=True) if parts else _SCHEMA.empty_table().to_pandas()
    return Recorded(rows, learned)


def read_learned(folder: Path) -> LearnedEvents | None:
    """Read which snapshot data/events holds; None where there are no events."""
    content = read_json(folder / UNTIL, REMEDY) if (folder / UNTIL).is_file() else {}
    if not content:
        return None
    store, until = content.get("store"), content.get("until")
    if len(content) != 2 or not isinstance(store, str) or type(until) is not int:
        raise DataError(f"{folder / UNTIL} holds {', '.join(content)} instead of a store and a number until; {REMEDY}")
    return LearnedEvents(store, until)


def event_files(folder: Path) -> list[Path]:
    """The files of events, by number."""
    return sorted(folder.glob("events-*.parquet"), key=lambda path: (len(path.name), path.name))


def _read_file(path: Path) -> pd.DataFrame:
    rows = read_parquet(path, REMEDY)
    if not pq.read_schema(path).equals(_SCHEMA):
        columns = ", ".join(f"{field.name} ({field.type})" for field in pq.read_schema(path))
        raise DataError(f"{path} has other columns than events: {columns}; {REMEDY}")
    return rows
