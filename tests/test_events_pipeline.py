"""DVC's view of events: it runs again what they change, and nothing where there are no new ones."""

import re
from collections.abc import Iterator

import pytest

from app.contract.artifact_directory import load_artifact
from tests.repository import Repository
from tests.training.event_store import Said
from tests.training.world import grouped_items, grouped_ratings

# Each test goes on from where the former one ends.
pytestmark = [pytest.mark.long, pytest.mark.story]

COMMAND = ("dvc", "repro", "refit", "evaluate")
EVERY_STAGE = ["prepare", "train@popularity", "refit", "evaluate@popularity"]


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Said]:
    with Said.in_file(tmp_path_factory.mktemp("store") / "events.db") as said:
        yield said


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, said: Said) -> Repository:
    """A project that has trained on its ratings, before anybody said anything."""
    repository = Repository.copy(tmp_path_factory.mktemp("events") / "movie recommender")
    own = repository.root / "data" / "own"
    grouped_ratings().to_csv(own / "ratings.csv", index=False)
    grouped_items().to_csv(own / "items.csv", index=False)
    repository.change(fetch__source="csv", candidates=["popularity"])
    repository.environment["EVENTS_URL"] = said.training_url
    repository.without_git()
    assert "none yet, as " in repository.run(*COMMAND)
    return repository


def ran(output: str) -> set[str]:
    """The stages that ran, but for those that always do."""
    return set(re.findall("Running stage '(.*)'", output)) - {"code", "events"}


def served_until(repository: Repository) -> int | None:
    events = load_artifact(repository.root / "models" / "served").events
    return None if events is None else events.until


def test_where_nobody_has_said_anything_nothing_after_the_stage_runs(repository: Repository) -> None:
    assert ran(repository.run(*COMMAND)) == set()
    assert served_until(repository) is None


def test_an_event_makes_all_later_stages_run_once(repository: Repository, said: Said) -> None:
    said.say(9001, 1, "like")
    output = repository.run(*COMMAND)
    assert ran(output) == set(EVERY_STAGE)
    assert f"events: 1 until number 1 of store {said.store.id}" in output
    assert "1 events used" in output
    assert served_until(repository) == 1
    assert ran(repository.run(*COMMAND)) == set()


def test_without_events_again_the_former_model_comes_from_the_cache(repository: Repository) -> None:
    repository.change(fetch__events=False)
    assert "none, as fetch.events is false" in repository.run(*COMMAND)
    assert served_until(repository) is None


def test_a_store_that_cannot_be_read_stops_the_pipeline_with_one_sentence(repository: Repository, said: Said) -> None:
    repository.change(fetch__events=True)
    repository.environment["EVENTS_URL"] = "postgresql://training:secret@127.0.0.1:1/events"
    with pytest.raises(
        AssertionError, match=r"events: the event store .*\*\*\*@127.0.0.1:1.* can't be read"
    ) as stopped:
        repository.run(*COMMAND)
    assert "Traceback" not in str(stopped.value)
    repository.environment["EVENTS_URL"] = said.training_url
    repository.run(*COMMAND)
    assert served_until(repository) == 1
