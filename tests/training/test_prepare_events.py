"""`prepare` with what users have said to the service."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact_directory import load_artifact
from app.contract.events import CHANGE, Event
from app.contract.recommender import Recommender
from tests.training.event_store import NOW, Said
from tests.training.world import OF_FILMS, change_params, grouped_ratings, make_project
from training.data.dataset import ITEM_ID, SPLITS, TITLE, Dataset, load_dataset
from training.data.provenance import read_provenance
from training.errors import DataError
from training.events import events
from training.files import read_json
from training.params.whole import Params
from training.prepare import prepare
from training.project import Project
from training.refit import refit
from training.train import train


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    with Said.in_file(tmp_path / "events.db") as said:
        monkeypatch.setenv("EVENTS_URL", said.training_url)
        yield said


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path / "project")[0]


def merged(project: Project, **changes: Any) -> tuple[Dataset, dict[str, Any]]:
    """The data set and the figures after both stages."""
    prepared(project, **changes)
    return load_dataset(project.prepared), read_json(project.stats, "")


def prepared(project: Project, **changes: Any) -> str:
    """What `prepare` says after both stages."""
    params: Params = change_params(project, catalogue__items=OF_FILMS, **changes)
    events(params.fetch, project.events, project.root)
    return prepare(params, project.raw, project.prepared, project.stats, project.events)


def rated(dataset: Dataset, user: object) -> dict[Any, bool]:
    """What a user has rated, and whether it is a positive."""
    part = dataset.interactions(*SPLITS)
    mine = dataset.user_ids[part.users] == user
    return dict(zip(dataset.item_ids[part.items[mine]].tolist(), part.positive[mine].tolist(), strict=True))


def bytes_of(project: Project) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.prepared.iterdir()}


@pytest.mark.long
def test_a_stranger_who_likes_films_is_a_user(project: Project, said: Said) -> None:
    for item in (1, 5, 9):
        said.say(9001, item, "like")
    last = said.say(9001, 2, "hide")
    dataset, stats = merged(project)
    assert rated(dataset, 9001) == {1: True, 5: True, 9: True, 2: False}
    assert stats["users"] == 81
    assert stats["events"] == {
        "used": 4, "impossible_user_ids": 0, "unknown_items": 0, "more_than_500_a_day": 0, "forgotten_users": 0
    }  # fmt: skip
    provenance = read_provenance(project.prepared)
    assert (provenance.min_rating, provenance.events) == (4.0, (said.store.id, last))


def test_without_events_the_data_are_those_of_the_ratings_alone(project: Project) -> None:
    params = change_params(project, catalogue__items=OF_FILMS)
    before = bytes_of(project)
    events(params.fetch, project.events, project.root)
    prepare(params, project.raw, project.prepared, project.stats, project.events)
    assert bytes_of(project) == before
    assert read_provenance(project.prepared).events is None
    assert "events" not in read_json(project.stats, "")


@pytest.mark.long
def test_the_same_events_give_the_same_bytes(project: Project, said: Said) -> None:
    said.say(3, 1, "like")
    merged(project)
    first = bytes_of(project)
    merged(project)
    assert bytes_of(project) == first


def test_what_is_said_last_is_held_out_for_the_test(project: Project, said: Said) -> None:
    liked = grouped_ratings().query("user_id == 1 and rating == 5").item_id
    other = next(item for item in range(1, 80, 4) if item not in set(liked))
    said.say(1, other, "like", received_at=NOW)
    dataset, _ = merged(project)
    test = dataset.splits["test"]
    assert other in dataset.item_ids[test.items[dataset.user_ids[test.users] == 1]]


def test_a_user_is_forgotten_with_the_ratings_of_the_file(project: Project, said: Said) -> None:
    said.say(1, 1, "like")
    said.say(1, None, "forget")
    dataset, stats = merged(project)
    assert 1 not in dataset.user_ids
    assert (stats["users"], stats["events"]["forgotten_users"]) == (79, 1)


def test_an_event_about_a_film_that_left_the_catalogue_stops_nothing(project: Project, said: Said) -> None:
    said.say(1, "gone", "like")
    assert merged(project)[1]["events"]["unknown_items"] == 1


def test_without_a_file_of_films_those_of_the_ratings_are_known(project: Project, said: Said) -> None:
    (project.raw / "items.csv").unlink()
    said.say(9001, 1, "like")
    said.say(9001, 81, "like")  # which nobody has rated
    dataset, stats = merged(project)
    assert rated(dataset, 9001) == {1: True}
    assert stats["events"]["unknown_items"] == 1


@pytest.mark.long
def test_a_user_whose_id_is_no_number_is_left_out_and_counted_until_ids_are_texts(project: Project, said: Said) -> None:
    said.say("ann", 1, "like")
    dataset, stats = merged(project)
    assert dataset.user_ids.dtype == np.int64
    assert stats["events"]["impossible_user_ids"] == 1
    dataset, stats = merged(project, prepare__text_user_ids=True)
    assert rated(dataset, "ann") == {1: True}
    assert len(rated(dataset, "1")) == 15
    assert stats["events"]["impossible_user_ids"] == 0


def test_where_the_ratings_have_no_stars_an_event_is_judged_by_what_it_says(project: Project, said: Said) -> None:
    ratings = pd.read_csv(project.raw / "interactions.csv")
    ratings[["user_id", "item_id"]].to_csv(project.raw / "interactions.csv", index=False)
    said.say(9001, 1, "like")
    said.say(9001, 2, "dislike")
    said.say(9001, 3, "watch")
    dataset, _ = merged(project, prepare__min_rating=None)
    assert rated(dataset, 9001) == {1: True, 2: False, 3: False}
    assert all(rated(dataset, 1).values())


def test_events_do_not_change_a_split_that_is_given(tmp_path: Path, said: Said) -> None:
    project = Project(tmp_path / "split")
    project.raw.mkdir(parents=True)
    (project.raw / "train.txt").write_text("1 10 11\n2 10 11\n")
    (project.raw / "test.txt").write_text("1 12\n2 12\n")
    said.say(1, 10, "like")
    with pytest.raises(DataError, match=r"1 events would change a split that is given: set fetch\.events to false"):
        merged(project, prepare__min_rating=None, fetch__source="split")


@pytest.mark.long
def test_a_forgotten_person_is_in_no_model_though_the_file_of_people_has_them(project: Project, said: Said) -> None:
    lines = [f"{user},{['cook', 'baker'][user % 2]}" for user in (*range(1, 11), 900, 901)]
    (project.raw / "users.csv").write_text("\n".join(["user_id,job", *lines]))
    changes: dict[str, Any] = {"catalogue__users": {"job": {"type": "tag"}}, "candidates": ["sklearn_svd"]}
    for user in (1, 900):
        said.say(user, None, "forget")
    merged(project, **changes)
    train(project, params := change_params(project, **changes), "sklearn_svd")
    refit(project, params)
    users = load_artifact(project.served).user_ids.tolist()
    assert {2, 901} <= set(users)
    assert not {1, 900} & set(users)


def test_prepare_says_how_many_events_it_used_and_why_it_left_out_others(project: Project, said: Said) -> None:
    assert prepared(project) == "1,200 ratings of 81 items by 80 users"
    said.say(3, 1, "like")
    said.say(4, "gone", "like")
    said.say("ann", 1, "like")
    assert prepared(project).endswith("; 1 events used (1 impossible user ids, 1 unknown items)")


@pytest.mark.long
def test_the_served_artifact_says_what_it_has_learned_from(project: Project, said: Said) -> None:
    types = {"watch": {"means": "seen"}, "stream": {"means": "positive", "value": [0, 90], "from": 60}}
    for item, minutes in ((1, 60), (5, 90), (2, 59)):
        said.say(9001, item, "stream", minutes)
    last = said.say(9001, 3, "hide")
    merged(project, events__types=types)
    params = change_params(project, candidates=["popularity"])
    train(project, params, "popularity")
    refit(project, params)
    artifact = load_artifact(project.served)
    assert (artifact.min_rating, artifact.events, artifact.event_types) == (4.0, (said.store.id, last), types)
    recommender = Recommender(artifact)
    row = recommender.user_row("9001")
    assert row is not None
    assert artifact.item_ids[recommender.seen(row)].tolist() == [1, 2, 3, 5]
    assert artifact.item_ids[recommender.liked(row)].tolist() == [1, 5]
    candidate = load_artifact(project.model("popularity"))
    assert candidate.events is None  # it lacks those of the test


@pytest.mark.long
def test_a_positive_that_counts_less_than_a_like_has_its_weight_until_it_is_liked(project: Project, said: Said) -> None:
    types = {"share": {"means": "positive", "weight": 0.25}, "watch": {"means": "seen"}}
    for item, what in [(1, "share"), (2, "share"), (3, "watch"), (4, "like")]:
        said.say(9001, item, what)
    without = merged(project)[0]
    assert without.weights is None
    dataset, _ = merged(project, events__types=types)
    assert dataset.weights is not None
    row = dataset.user_ids.tolist().index(9001)
    assert dataset.weights[[row]].toarray()[0, :4].tolist() == [0.25, 0.25, 0, 0]
    assert dataset.hash("train") != without.hash("train")
    said.say(9001, 2, "like")
    again = merged(project, events__types=types)[0].weights
    assert again is not None
    assert again[[row]].toarray()[0, :4].tolist() == [0.25, 0, 0, 0]
    assert rated(load_dataset(project.prepared), 9001) == {1: True, 2: True, 3: False, 4: True}


def change(said: Said, item_id: object, **content: Any) -> None:
    event = Event(str(uuid4()), "ann", str(item_id), CHANGE, None, NOW, body=json.dumps(content))
    said.store.append([event], NOW)


def test_what_editors_have_made_of_films_goes_before_the_file(project: Project, said: Said) -> None:
    former = load_prepared(project)
    untouched = former.loc[former[ITEM_ID] == 2].iloc[0]
    change(said, 1, title="Former title")
    change(said, 1, title="New title", genres=["War"], year=1957, unheard_of=1, withdrawn=True)
    change(said, 2, title=untouched[TITLE], genres=list(untouched["genres"]), year=float(untouched["year"]))
    change(said, 901, title="A new film", genres=["War"])
    change(said, "x", title="No such id")
    said.say(9001, 901, "like")
    dataset, stats = merged(project)
    items = dataset.catalogue.set_index(ITEM_ID)
    assert (items[TITLE][1], list(items["genres"][1]), items["year"][1]) == ("New title", ["War"], 1957)
    assert (items[TITLE][901], list(items["genres"][901])) == ("A new film", ["War"])
    assert len(items) == len(former) + 1
    assert items.drop(index=[1, 901]).equals(former.set_index(ITEM_ID).drop(index=1))
    assert rated(dataset, 9001) == {901: True}
    assert stats["catalogue"] == {
        "changed": 1, "added": 1, "as_in_file": 1, "withdrawn": 1, "differences": {"1": ["title", "year", "genres"]}
    }  # fmt: skip
    assert stats["events"]["used"] == 1
    before = bytes_of(project)
    assert merged(project)[1] == stats
    assert bytes_of(project) == before


def load_prepared(project: Project) -> pd.DataFrame:
    merged(project)
    return load_dataset(project.prepared).catalogue
