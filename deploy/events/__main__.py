"""Creates roles, database and tables, on a new deployment or one that exists; harmless when repeated.

PostgreSQL's own variables (PGHOST, PGUSER, PGPASSWORD, PGDATABASE) say how an administrator connects.
EVENTS_SERVICE_PASSWORD, EVENTS_TRAINING_PASSWORD and EVENTS_KEEPER_PASSWORD hold the passwords of the roles.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import create_engine, text

DATABASE, OWNER = "events", "events_owner"
LOGINS = ("events_service", "events_training", "events_keeper")
WAIT_SECONDS = 10
# Two jobs at once would make the same. The number is any that nothing else in this database locks.
TAKE_TURNS = "SELECT pg_advisory_lock(7310301)"


def main() -> None:
    """Make everything, as the administrator whom PostgreSQL's variables name."""
    try:
        with psycopg.connect("", autocommit=True, connect_timeout=WAIT_SECONDS) as turn:
            turn.execute(TAKE_TURNS)
            make_roles({login: os.environ[f"{login.upper()}_PASSWORD"] for login in LOGINS})
            make_tables()
    except psycopg.Error as error:
        sys.exit(f"The database {DATABASE} could not be made: {error}")
    sys.stdout.write(f"database {DATABASE}: ready\n")


def make_roles(passwords: Mapping[str, str]) -> None:
    """Create the owner, who cannot log in, the roles that can, and the database that only they may enter."""
    with psycopg.connect("", autocommit=True, connect_timeout=WAIT_SECONDS) as connection:
        for role in (OWNER, *passwords):
            if not _exists(connection, "pg_roles", "rolname", role):
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        for role, password in passwords.items():
            rights = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(password))
            connection.execute(rights)
        if not _exists(connection, "pg_database", "datname", DATABASE):
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE template0 ENCODING 'UTF8'")
        # Else every role may enter every database, and make temporary tables there.
        for [database] in connection.execute("SELECT datname FROM pg_database WHERE datname <> 'template0'").fetchall():
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
        connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {', '.join(LOGINS)}")


def make_tables() -> None:
    """Bring the tables to the newest version, with the owner as theirs; leave those of a newer release alone."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dbname=DATABASE))
    with engine.begin() as connection:
        connection.execute(text(f"SET ROLE {OWNER}"))
        connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
        config.attributes["connection"] = connection
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if {*MigrationContext.configure(connection).get_current_heads()} <= known:
            command.upgrade(config, "head")
    engine.dispose()


def _exists(connection: "psycopg.Connection[tuple[object, ...]]", table: str, column: str, name: str) -> bool:
    query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column))
    return connection.execute(query, (name,)).fetchone() is not None


if __name__ == "__main__":
    main()
