"""Executors read PostgreSQL's events by JDBC, beside what the embedded stage makes of the same store."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.contract.store_address import StoreAddress
from tests.postgres import PASSWORDS, Postgres
from tests.processes import free_port
from tests.training.event_store import NOW, Said
from tests.training.spark.test_prepare import bytes_of
from tests.training.world import change_params
from training.__main__ import main
from training.data.events.files import write_events
from training.data.events.snapshot import snapshot
from training.events import events
from training.params.whole import load_params
from training.project import Project
from training.spark import events as on_spark
from training.spark.events import address_for_java, in_executors, options_of
from training.spark.session import jdbc_jar

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROLE = "events_training"


@pytest.fixture
def said(events_database: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    """A store in PostgreSQL with events in four of the first five files; EVENTS_URL names it."""
    if not jdbc_jar().is_file():
        pytest.skip(f"There is no {jdbc_jar()} here: apt-get install libpostgresql-jdbc-java")
    with events_database.over_tcp(ROLE) as address:
        said = Said(events_database.url("events_service"), address)
        monkeypatch.setenv("EVENTS_URL", address)
        for first in (1, 250_000, 399_999):
            events_database.execute(f"ALTER TABLE event ALTER COLUMN position RESTART WITH {first}", "events")
            said.say("Zoë", 3, "like", occurred_at=NOW - 0.25)
            said.say("bob", 4, "rating", 2.5, received_at=NOW + 0.75)
            said.say("bob", None, "forget", occurred_at=-0.5)
            said.say("bob", "x/ä", "watch")
        yield said
        said.store.close()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with `engine: spark`, in its folder."""
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path)
    change_params(project, engine="spark")
    return project


def test_the_files_are_those_of_the_embedded_stage(
    said: Said, project: Project, spark: "SparkSession", capsys: pytest.CaptureFixture[str]
) -> None:
    embedded = project.root / "embedded"
    sentence = events(load_params(project.params).fetch, embedded, project.root)
    main(["events"])
    assert capsys.readouterr().out == f"events: {sentence}\n"
    assert sorted(bytes_of(embedded)) == [f"events-0000{file}.parquet" for file in (0, 2, 3, 4)] + ["until.json"]
    assert bytes_of(project.events) == bytes_of(embedded)


def test_executors_see_the_store_as_it_was_when_the_stage_began(
    said: Said, project: Project, spark: "SparkSession", events_database: Postgres
) -> None:
    here, there = project.root / "here", project.root / "there"
    with snapshot(StoreAddress(said.training_url)) as store:
        said.say("ann", 5, "like")
        said.say("Zoë", None, "forget")
        events_database.execute("DELETE FROM event WHERE position < 300000", "events")
        for folder in (here, there):
            folder.mkdir()
        assert in_executors(project, load_params(project.params).spark, store, there) == write_events(store, here) > 0
    assert bytes_of(there) == bytes_of(here)
    assert "events-00000.parquet" in bytes_of(there)


def test_what_java_cannot_read_is_said_without_the_password(
    said: Said, project: Project, spark: "SparkSession", events_database: Postgres
) -> None:
    events_database.execute(f"ALTER ROLE {ROLE} CONNECTION LIMIT 1")  # which the pipeline's own connection takes
    try:
        with pytest.raises(SystemExit, match=r"events: the event store .* can't be read \(.*too many conn") as stopped:
            main(["events"])
    finally:
        events_database.execute(f"ALTER ROLE {ROLE} CONNECTION LIMIT -1")
    assert f"{ROLE}:***@127.0.0.1" in str(stopped.value)
    assert not project.events.exists()


def test_a_snapshot_that_is_gone_is_an_error_and_never_read_without(
    said: Said, project: Project, spark: "SparkSession", monkeypatch: pytest.MonkeyPatch
) -> None:
    with snapshot(StoreAddress(said.training_url)) as store:
        former = options_of(store)
    monkeypatch.setattr(on_spark, "options_of", lambda _: former)
    with pytest.raises(SystemExit, match=r"the event store .*\*\*\*@.* can't be read \(.*snapshot .* does not exist"):
        main(["events"])


@pytest.mark.usefixtures("said")
def test_without_the_driver_for_java_a_sentence_says_what_to_install(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JDBC_JAR", "/nowhere/postgresql.jar")
    with pytest.raises(
        SystemExit, match=r"/nowhere/postgresql\.jar doesn't exist: apt-get install libpostgresql-jdbc-java, or"
    ):
        main(["events"])
    assert not project.events.exists()


def test_a_unix_socket_is_refused_with_what_to_write(
    said: Said, project: Project, events_database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_URL", events_database.url(ROLE))
    monkeypatch.setenv("JDBC_JAR", str(project.params))
    with pytest.raises(SystemExit, match="Spark's workers can't use a Unix socket: name the host"):
        main(["events"])


def test_executors_log_in_as_the_pipeline_does(said: Said, tmp_path: Path) -> None:
    url = f"{said.training_url}?sslmode=disable&options=-csearch_path%3Dpublic&application_name=ours"
    with snapshot(StoreAddress(url)) as store:
        options, address = options_of(store), address_for_java(store)
    assert re.fullmatch(r"jdbc:postgresql://127\.0\.0\.1:\d+/events", address)
    assert {name: options[name] for name in options if name not in ("driver", "fetchsize", "sessionInitStatement")} == {
        "user": ROLE, "password": PASSWORDS[ROLE], "sslmode": "disable", "options": "-csearch_path=public"
    }  # fmt: skip


def test_a_database_that_is_down_is_named_without_the_password(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS_URL", f"postgresql://me:secret@127.0.0.1:{free_port()}/events")
    with pytest.raises(SystemExit, match=r"events: the event store .*me:\*\*\*@127\.0\.0\.1.* can't be read"):
        main(["events"])


def test_a_file_of_sqlite_is_read_by_the_embedded_stage(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVENTS_URL", "sqlite:///events.db")
    monkeypatch.setenv("JDBC_JAR", "/nowhere/postgresql.jar")
    main(["events"])
    assert "none yet, as " in capsys.readouterr().out
    with Said.in_file(project.root / "events.db") as said:
        said.say("ann", 3, "like")
    main(["events"])
    assert "events: 1 until number 1 of store " in capsys.readouterr().out
    assert sorted(bytes_of(project.events)) == ["events-00000.parquet", "until.json"]
