"""The switch to other data, which has ids of its own."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.postgres import Postgres
from tests.training.event_store import Said
from tests.training.world import Trained, change_params, grouped_items, grouped_ratings
from training.__main__ import main
from training.errors import DataError
from training.params.whole import load_params
from training.project import Project
from training.source import switch


@pytest.fixture
def live(registered: Trained, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """A project with a live version; somebody has liked one of its films."""
    project, _ = registered
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("EVENTS_URL", "")
    with said(project) as store:
        store.say(1, 5, "like")
    (project.root / "data" / "own").mkdir()
    return project, change_params(project)  # of families that a person has, too


def said(project: Project) -> Said:
    return Said.in_file(project.root / "events.db")


def put_own(project: Project, title: str = "Film", items: bool = True) -> None:
    own = project.root / "data" / "own"
    grouped_ratings(n_users=20).to_csv(own / "ratings.csv", index=False)
    if items:
        films = grouped_items()
        films.assign(title=films["title"].str.replace("Film", title)).to_csv(own / "items.csv", index=False)


def stores(project: Project) -> Iterator[str]:
    return (path.name for path in project.root.glob("events*"))


@pytest.mark.long
@pytest.mark.parametrize("items", [True, False])
def test_what_was_said_about_other_films_is_set_aside(
    live: Trained, capsys: pytest.CaptureFixture[str], items: bool
) -> None:
    project, _ = live
    put_own(project, "Another", items)
    main(["source", "csv"])
    (aside,) = stores(project)
    assert re.fullmatch(r"events-[0-9a-f]{8}\.db", aside)
    assert re.fullmatch(
        rf"source: csv is in params.yaml; what was said about other films is now in .*/{aside}; run: dvc repro\n",
        capsys.readouterr().out,
    )
    assert load_params(project.params).fetch.source == "csv"
    with closing(Said.in_file(project.root / aside).store) as kept:
        assert kept.latest() == 1


@pytest.mark.long
def test_events_about_the_same_films_stay(live: Trained, capsys: pytest.CaptureFixture[str]) -> None:
    project, _ = live
    put_own(project)
    main(["source", "csv"])
    assert list(stores(project)) == ["events.db"]
    assert capsys.readouterr().out == "source: csv is in params.yaml; run: dvc repro\n"


@pytest.mark.long
def test_a_store_that_a_service_has_open_is_not_moved(live: Trained) -> None:
    project, params = live
    put_own(project, "Another")
    with said(project) as service:
        assert service.store.latest() == 1
        with pytest.raises(DataError, match=r"events.db is in use .*: stop the service, and run this again"):
            switch(project, params, params.fetch.model_copy(update={"source": "csv"}))
        service.say(2, 5, "like")
    assert load_params(project.params).fetch.source == "sample"


@pytest.mark.long
def test_a_store_on_a_server_is_left_to_the_person(
    live: Trained, events_database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, params = live
    put_own(project, "Another")
    with Said(events_database.url("events_service"), events_database.url("events_training")) as store:
        store.say(1, 5, "like")
        monkeypatch.setenv("EVENTS_URL", store.training_url)
        with pytest.raises(DataError, match="are about other films: let EVENTS_URL name another database"):
            switch(project, params, params.fetch.model_copy(update={"source": "csv"}))


def test_without_files_of_one_s_own_nothing_changes(live: Trained) -> None:
    project, _ = live
    with pytest.raises(SystemExit, match=r"source: .*ratings.csv doesn't exist; put your ratings there"):
        main(["source", "csv"])
    assert list(stores(project)) == ["events.db"]
