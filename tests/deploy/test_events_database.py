"""The job that makes the database of events, on a real server."""

from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

import deploy.events
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
SHOW = "INSERT INTO impression (day, recommendation_id, item_id, user_id, rank) VALUES ('today', 'r', '1', '1', 1)"
READ_IMPRESSIONS = "SELECT * FROM impression"
DELETE_IMPRESSIONS = "DELETE FROM impression WHERE false"
ANSWER = (
    "INSERT INTO answer (day, recommendation_id, user_id, share, item_ids, rank, source) "
    "VALUES ('today', 'r', '1', 1, '[]', 1, 'popular')"
)
READ_ANSWERS = "SELECT * FROM answer"
DELETE_ANSWERS = "DELETE FROM answer WHERE false"
PUBLISH = "INSERT INTO pleased VALUES ('2026-11-22', '{}') ON CONFLICT (last) DO UPDATE SET body = excluded.body"
READ_REPORTS = "SELECT * FROM pleased"
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
    ANSWER,
    READ_ANSWERS,
    DELETE_ANSWERS,
    "UPDATE answer SET share = 1",
    PUBLISH,
    READ_REPORTS,
    "DELETE FROM pleased",
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
        READ_IMPRESSIONS,
        ANSWER,
        READ_ANSWERS,
        READ_REPORTS,
    },
    "events_training": {READ, "SELECT * FROM store", READ_EXPOSURES, READ_IMPRESSIONS, READ_ANSWERS}
    | {PUBLISH, READ_REPORTS},
    "events_keeper": {READ, DELETE, "SELECT * FROM store", READ_EXPOSURES, DELETE_EXPOSURES}
    | {READ_IMPRESSIONS, DELETE_IMPRESSIONS, READ_ANSWERS, DELETE_ANSWERS},
}


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_role_can_do_its_part_and_nothing_else(role: str, statement: str, events_database: Postgres) -> None:
    with psycopg.connect(events_database.url(role), autocommit=True) as connection:
        if statement in MAY[role]:
            connection.execute(statement.encode())
            return
        with pytest.raises(psycopg.Error, match=r"permission denied|must be owner"):
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
    found = events_database.execute("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'", "events")
    assert set(found) == {
        (name, "events_owner")
        for name in ("answer", "event", "exposure", "impression", "pleased", "store", "alembic_version")
    }


def test_each_version_of_the_tables_can_be_taken_back(events_database: Postgres) -> None:
    tables = text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    config = Config()
    config.set_main_option("script_location", str(Path(deploy.events.__file__).parent))
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(events_database.url("postgres")))
    with engine.connect() as connection, connection.begin() as transaction:
        config.attributes["connection"] = connection
        connection.execute(text(INSERT.replace("'like'", "'of a newer release'")))
        for version, left in (("0001", {"event", "store", "alembic_version"}), ("base", {"alembic_version"})):
            command.downgrade(config, version)
            assert set(connection.execute(tables).scalars()) == left
        transaction.rollback()
    engine.dispose()
    assert len(events_database.execute(str(tables), "events")) == 7
