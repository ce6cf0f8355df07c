"""The job that makes the database of events, on a real server."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, text

import deploy.events
from app.contract.store_address import StoreAddress
from app.events.open_store import open_store
from app.events.rows import Impression
from tests.postgres import Postgres

INSERT = (
    "INSERT INTO event (event_id, user_id, item_id, type, occurred_at) "
    "VALUES (gen_random_uuid(), '1', '1', 'like', now())"
)
READ = "SELECT * FROM event"
DELETE = "DELETE FROM event WHERE false"
EXPOSE = (
    "INSERT INTO exposure (day, user_id, experiment, arm, version, lists, films) "
    "VALUES ('today', '1', 'e', 0, '1', 1, 9)"
)
READ_EXPOSURES = "SELECT * FROM exposure"
DELETE_EXPOSURES = "DELETE FROM exposure WHERE false"
MAKE_DAY = "SELECT make_impression_days(ARRAY['today']::date[])"
SHOW = (
    "SELECT make_impression_days(ARRAY['today']::date[]); "
    "INSERT INTO impression (day, recommendation_id, item_id, user_id, rank) VALUES ('today', 'r', '1', '1', 1)"
)
DROP_DAYS = "SELECT drop_impression_days('1970-01-01')"
READ_IMPRESSIONS = "SELECT * FROM impression"
DELETE_IMPRESSIONS = "DELETE FROM impression WHERE false"
ANSWER = (
    "INSERT INTO answer (day, recommendation_id, user_id, share, item_ids, rank, source) "
    "VALUES ('today', 'r', '1', 1, '[]', 1, 'popular')"
)
READ_ANSWERS = "SELECT * FROM answer"
DELETE_ANSWERS = "DELETE FROM answer WHERE false"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename !~ '^impression_'"
PUBLISH = "INSERT INTO pleased VALUES ('2026-11-22', '{}') ON CONFLICT (last) DO UPDATE SET body = excluded.body"
READ_REPORTS = "SELECT * FROM pleased"
JUDGE = "INSERT INTO verdict VALUES ('home', 'e', '') ON CONFLICT (placement) DO UPDATE SET sentence = ''"
READ_VERDICTS = "SELECT * FROM verdict"
STATEMENTS = (
    INSERT,
    READ,
    DELETE,
    "SELECT * FROM store",
    "UPDATE event SET user_id = '2'",
    "UPDATE store SET id = gen_random_uuid()",
    "TRUNCATE event",
    "DROP TABLE event",
    EXPOSE,
    READ_EXPOSURES,
    DELETE_EXPOSURES,
    "UPDATE exposure SET lists = 0",
    SHOW,
    READ_IMPRESSIONS,
    DELETE_IMPRESSIONS,
    "UPDATE impression SET rank = 2",
    MAKE_DAY,
    DROP_DAYS,
    "SELECT make_impression_days(ARRAY[date 'today' + 8])",
    ANSWER,
    READ_ANSWERS,
    DELETE_ANSWERS,
    "UPDATE answer SET share = 1",
    PUBLISH,
    READ_REPORTS,
    "DELETE FROM pleased",
    JUDGE,
    READ_VERDICTS,
    "CREATE TABLE mine (n integer)",
    "CREATE TEMPORARY TABLE mine (n integer)",
)
MAY = {
    "events_service": {
        INSERT,
        READ,
        "SELECT * FROM store",
        EXPOSE,
        READ_EXPOSURES,
        SHOW,
        MAKE_DAY,
        READ_IMPRESSIONS,
        ANSWER,
        READ_ANSWERS,
        READ_REPORTS,
        READ_VERDICTS,
    },
    "events_training": {READ, "SELECT * FROM store", READ_EXPOSURES, READ_IMPRESSIONS, READ_ANSWERS}
    | {PUBLISH, READ_REPORTS, JUDGE, READ_VERDICTS},
    "events_keeper": {READ, DELETE, "SELECT * FROM store", READ_EXPOSURES, DELETE_EXPOSURES}
    | {READ_IMPRESSIONS, DELETE_IMPRESSIONS, DROP_DAYS, READ_ANSWERS, DELETE_ANSWERS},
}


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_role_can_do_its_part_and_nothing_else(role: str, statement: str, events_database: Postgres) -> None:
    with psycopg.connect(events_database.url(role), autocommit=True) as connection:
        if statement in MAY[role]:
            connection.execute(statement.encode())
            return
        with pytest.raises(psycopg.Error, match=r"permission denied|must be owner|no impression can be"):
            connection.execute(statement.encode())


def test_a_role_of_events_enters_no_other_database(events_database: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(events_database.url("events_service", "postgres"))


def test_the_owner_has_no_login(events_database: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        psycopg.connect(events_database.url("events_owner"))


@pytest.mark.long
def test_a_second_run_changes_nothing(events_database: Postgres) -> None:
    events_database.execute(INSERT, "events")
    before = [events_database.execute(query, "events") for query in (READ, "SELECT * FROM store")]
    again = events_database.make_database()
    assert (again.returncode, again.stdout, again.stderr) == (0, "database events: ready\n", "")
    assert [events_database.execute(query, "events") for query in (READ, "SELECT * FROM store")] == before


def test_tables_of_a_newer_release_stay_as_they_are(events_database: Postgres) -> None:
    events_database.execute("UPDATE alembic_version SET version_num = version_num || '-later'", "events")
    again = events_database.make_database()
    back = "UPDATE alembic_version SET version_num = replace(version_num, '-later', '') WHERE version_num ~ '-later'"
    found = events_database.execute(f"{back} RETURNING true", "events")
    assert (again.returncode, again.stderr) == (0, "")
    assert found == [(True,)]


def test_tables_belong_to_the_owner(events_database: Postgres) -> None:
    found = events_database.execute(TABLES.replace("tablename", "tablename, tableowner", 1), "events")
    assert set(found) == {
        (name, "events_owner")
        for name in ("answer", "event", "exposure", "impression", "pleased", "store", "verdict", "alembic_version")
    }


def test_each_version_of_the_tables_can_be_taken_back(events_database: Postgres) -> None:
    with migrated(events_database) as (config, connection):
        connection.execute(text(INSERT.replace("'like'", "'of a newer release'")))
        for version, left in (("0001", {"event", "store", "alembic_version"}), ("base", {"alembic_version"})):
            command.downgrade(config, version)
            assert set(connection.execute(text(TABLES)).scalars()) == left
        connection.rollback()
    assert len(events_database.execute(TABLES, "events")) == 8


@pytest.mark.long
def test_what_a_former_release_has_stored_stays_when_two_jobs_at_once_divide_it_by_day(
    own_postgres: Postgres,
) -> None:
    rows = "SELECT * FROM impression ORDER BY day, recommendation_id"
    with migrated(own_postgres) as (config, connection):
        connection.execute(text("SET ROLE events_owner"))
        command.downgrade(config, "0011")
        connection.execute(
            text(
                "INSERT INTO impression (day, recommendation_id, item_id, user_id, rank, odds) "
                "SELECT date 'today' - n % 100, n, '10', 'ann', 1, 0.5 FROM generate_series(1, 1000) AS n"
            )
        )
        connection.commit()
    before = own_postgres.execute(rows, "events")
    with ThreadPoolExecutor() as jobs:
        made = [job.result() for job in [jobs.submit(own_postgres.make_database) for _ in range(2)]]
    assert [(each.returncode, each.stderr) for each in made] == [(0, "")] * 2
    tomorrow = datetime.now(timezone.utc).date() + timedelta(1)
    assert days(own_postgres) == [tomorrow]
    assert own_postgres.make_database().returncode == 0
    assert own_postgres.execute(rows, "events") == before


def test_each_day_of_impressions_has_a_table_which_the_keeper_drops(events_database: Postgres) -> None:
    today = datetime.now(timezone.utc).date()
    later = [today + timedelta(number) for number in (2, 3)]
    rows = [Impression(day.isoformat(), f"of {day}", "10", "ann", 1, odds=0.5) for day in (today, *later)]
    service, keeper = (StoreAddress(events_database.url(f"events_{role}")) for role in ("service", "keeper"))
    with closing(open_store(service)) as one, closing(open_store(service)) as other, ThreadPoolExecutor() as both:
        for done in [both.submit(store.add, rows) for store in (one, other)]:
            done.result()
        # Sent again on another day it is in the same table, as the day is the list's own.
        other.add([*rows, replace(rows[0], rank=9)])
        assert one.personal_data("ann").impressions == rows
        assert set(later) <= set(days(events_database))
        found = one.explored_showings(later[0].isoformat())
        assert sorted(day for day, _, _ in found) == [str(day) for day in later]
        with closing(open_store(keeper)) as store:
            store.delete_impressions(later[1].isoformat())
        assert days(events_database) == later[1:]
        assert one.personal_data("ann").impressions == rows[2:]


def days(database: Postgres) -> list[date]:
    """The last days of the tables of impressions."""
    query = "SELECT to_date(right(relname, 8), 'YYYYMMDD') FROM pg_class WHERE relname ~ '^impression_\\d+$' ORDER BY 1"
    return [day for [day] in database.execute(query, "events") if isinstance(day, date)]


@contextmanager
def migrated(database: Postgres) -> Iterator[tuple[Config, Connection]]:
    """What alembic needs, and its connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(deploy.events.__file__).parent))
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(database.url("postgres", "events")))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        yield config, connection
    engine.dispose()
