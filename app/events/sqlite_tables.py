"""The tables of events in a SQLite file, and how those of former releases become these."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

# 1 had no exposures, until 2 the table listed the types of events, until 3 their values; 4 had no changes, 5 no
# impressions, 6 no placements, 7 no odds, 8 no reports, 9 no answers, 10 no verdicts.
VERSION = 11
# The same tables as in PostgreSQL, which deploy/events makes. Times are seconds since 1970, UTC.
TABLES = """
CREATE TABLE IF NOT EXISTS event (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  item_id TEXT CHECK (length(item_id) BETWEEN 1 AND 200),
  type TEXT NOT NULL,
  value REAL CHECK (type <> 'rating' OR (value IS NOT NULL AND value BETWEEN 0.5 AND 5)),
  occurred_at REAL NOT NULL,
  received_at REAL NOT NULL,
  recommendation_id TEXT CHECK (length(recommendation_id) <= 64),
  body TEXT,
  CHECK ((type IN ('change', 'placement')) = (body IS NOT NULL)),
  CHECK ((type = 'forget') = (item_id IS NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS event_of_user ON event (user_id, position);
CREATE INDEX IF NOT EXISTS edit ON event (type, item_id, position) WHERE body IS NOT NULL;
CREATE TABLE IF NOT EXISTS exposure (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  day TEXT NOT NULL,
  user_id TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  experiment TEXT NOT NULL,
  arm INTEGER NOT NULL,
  version TEXT NOT NULL,
  lists INTEGER NOT NULL,
  films INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS exposure_of_user ON exposure (experiment, user_id);
CREATE TABLE IF NOT EXISTS impression (
  day TEXT NOT NULL,
  recommendation_id TEXT NOT NULL CHECK (length(recommendation_id) <= 64),
  item_id TEXT NOT NULL CHECK (length(item_id) BETWEEN 1 AND 200),
  user_id TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  rank INTEGER NOT NULL,
  placement TEXT,
  source TEXT,
  odds REAL CHECK (odds > 0 AND odds <= 1),
  among TEXT,
  PRIMARY KEY (day, recommendation_id, item_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS impression_of_user ON impression (user_id);
CREATE TABLE IF NOT EXISTS answer (
  day TEXT NOT NULL,
  recommendation_id TEXT NOT NULL CHECK (length(recommendation_id) <= 64),
  user_id TEXT NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  share REAL NOT NULL CHECK (share > 0 AND share <= 1),
  item_ids TEXT NOT NULL,
  rank INTEGER NOT NULL,
  placement TEXT,
  source TEXT NOT NULL,
  PRIMARY KEY (day, recommendation_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answer_of_user ON answer (user_id);
CREATE TABLE IF NOT EXISTS pleased (last TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS verdict (
  placement TEXT PRIMARY KEY,
  experiment TEXT NOT NULL,
  sentence TEXT NOT NULL,
  gain REAL,
  low REAL,
  high REAL
) STRICT;
CREATE TABLE IF NOT EXISTS store (id TEXT NOT NULL) STRICT;
"""
FORMER_COLUMNS = "position, event_id, user_id, item_id, type, value, occurred_at, received_at, recommendation_id"
FIRST_WITH_BODIES, FIRST_WITH_IMPRESSIONS, FIRST_WITH_PLACEMENTS, FIRST_WITH_ODDS = 5, 6, 7, 8
WITH_ODDS = """
ALTER TABLE impression ADD COLUMN odds REAL CHECK (odds > 0 AND odds <= 1);
ALTER TABLE impression ADD COLUMN among TEXT
"""
# SQLite can't take a check off a table. Positions go on after the last one, also if its event is gone.
WITH_FEWER_CHECKS = """
DROP INDEX event_of_user;
DROP INDEX IF EXISTS change_of_item;
DROP INDEX IF EXISTS edit;
ALTER TABLE event RENAME TO former;
{tables}
INSERT INTO event ({former}) SELECT {former} FROM former;
DELETE FROM sqlite_sequence WHERE name = 'event';
UPDATE sqlite_sequence SET name = 'event' WHERE name = 'former';
DROP TABLE former
"""


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables, or make former ones the newest."""
    with transaction(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:  # another process was faster
            return
        columns = FORMER_COLUMNS + (", body" if version >= FIRST_WITH_BODIES else "")
        is_former = 0 < version < FIRST_WITH_PLACEMENTS
        statements = WITH_FEWER_CHECKS.format(tables=TABLES, former=columns) if is_former else TABLES
        if FIRST_WITH_IMPRESSIONS <= version < FIRST_WITH_ODDS:
            statements += f";{WITH_ODDS}"
        for statement in statements.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO store SELECT ? WHERE NOT EXISTS (SELECT * FROM store)", (str(uuid.uuid4()),))
        connection.execute(f"PRAGMA user_version = {VERSION}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what is done inside, or nothing; a writer waits here for another one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
