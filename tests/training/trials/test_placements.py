"""Trials of placements, from what editors say to what the service shows of the verdict."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from app.contract.events import Event
from app.contract.trial import Arm
from app.events import flushed
from app.events.placements import Placements
from app.events.rows import Verdict as StoredVerdict
from tests.app.routes.test_item_changes import Editing, settings_of
from tests.artifacts import make_artifact, write
from tests.client import Client, put_in_cache, serving
from tests.processes import PROJECT, wait_until
from tests.training.trials.test_attribution import DAY, FIRST, NOON, Story
from tests.training.trials.test_attribution import story as story
from training.params.whole import load_params
from training.project import Project
from training.trials.placements import placement_trials, publish
from training.trials.running import judge_placements
from training.trials.verdict import Verdict

VIEWERS = range(1, 401)
LAST = 60  # the film that the model ranks last, and that viewers like best
TRY = {"trial": {"against": "home-b", "share": 0.5}}


def change(number: int, name: str, body: str) -> Event:
    return Event(f"{number:08}-0000-4000-8000-000000000000", "ann", name, "placement", None, NOON, body=body)


def test_training_reads_the_trials_that_the_service_runs_and_the_service_what_training_found(story: Story) -> None:
    trial = '{"trial": {"against": "%s", "share": 0.25}}'
    changes = [("home-b", "{}"), ("home", trial % "home-b"), ("mail", trial % "absent"), ("home-b", '{"k": 3}')]
    placements, store = Placements(), story.store
    for number, each in enumerate(changes):
        store.append([change(number, *each)], NOON + number)
    placements.add(store.read_changes_after(0, 9))
    with story.read() as read:
        found = placement_trials(read)
        assert [*found.running] == [*placements.trials.values()]
        assert [each.placement for each in found.ever] == ["home", "home"]  # a change of home-b began another
        assert found.ever[1] == found.running[0]
        verdict = Verdict(found.running[0], "undecided", "no clear difference yet", [], None, 1.0, {}, 1.0, 9.0)
        for _ in range(2):
            publish(read, found.running[0], verdict)
    nothing = StoredVerdict(found.running[0].experiment, "no clear difference yet", None, None, None)
    assert [*store.verdicts()] == [nothing]
    assert found.running[0].since >= FIRST * DAY


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A service of 400 people to whom the model gives the same films, and the files of the program that watches."""
    numbers = count()
    monkeypatch.setattr(flushed, "FLUSH_SECONDS", 0.05)
    monkeypatch.setattr("app.routes.placements.uuid4", lambda: UUID(int=next(numbers)))  # the same people in each run
    monkeypatch.setenv("EVENTS_URL", f"sqlite:///{tmp_path}/events.db")
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    settings = settings_of(tmp_path, f"sqlite:///{tmp_path}/events.db")
    biases = np.arange(6, 0, -1, dtype=np.float32) * 100
    artifact = make_artifact([*VIEWERS], dim=1, item_biases=biases)
    put_in_cache(settings, write(tmp_path / "served", artifact), version="7")
    with serving(settings) as running:
        yield running


def look(client: Client, placement: str, rng: np.random.Generator) -> None:
    """Each viewer looks at one list and likes its first film: that which is last elsewhere far more often."""
    said = []
    for viewer in VIEWERS:
        answer = client.get(f"/users/{viewer}/recommendations?placement={placement}").json
        first = answer["items"][0]["id"]
        if rng.random() < (0.9 if first == LAST else 0.3):
            named = {"recommendation_id": answer["recommendation_id"]}
            said.append({"user_id": viewer, "item_id": first, "type": "like", **named})
    for start in range(0, len(said), 100):
        assert client.post("/events", {"events": said[start : start + 100]}).status == 200


def sql(folder: Path, statement: str) -> list[tuple[int]]:
    with closing(sqlite3.connect(folder / "events.db")) as store, store:
        return store.execute(statement).fetchall()


@pytest.mark.long
def test_viewers_decide_between_placements_and_not_between_equal_ones(client: Client, tmp_path: Path) -> None:
    for name, rules in [
        ("home-b", {"pins": [{"item_id": LAST, "rank": 1}]}),
        ("home", TRY),
        ("mail-b", {"k": 5}),
        ("mail", {"k": 5, "trial": {"against": "mail-b", "share": 0.5}}),
    ]:
        assert Editing(client).send("PUT", f"/placements/{name}", rules).status == 200
    rng = np.random.default_rng(0)
    for placement in ("home", "mail"):
        look(client, placement, rng)
    wait_until(lambda: sql(tmp_path, "SELECT sum(lists) FROM exposure") == [(2 * len(VIEWERS),)])
    sql(tmp_path, "UPDATE event SET received_at = received_at - 15 * 86400 WHERE type = 'placement'")

    project = Project(tmp_path)
    verdicts, sentences = judge_placements(project, load_params(tmp_path / "params.yaml"))
    assert [(each.trial.sides, each.word) for each in verdicts] == [
        (("placement home", "placement home-b"), "better"),
        (("placement mail", "placement mail-b"), "undecided"),
    ]
    assert sentences[0].startswith("people like placement home-b better: ")
    assert sum(each.attribution["good lists of the trial"] for each in verdicts) > 200
    assert "Trial of placement home-b against placement home" in (
        project.trial.with_name("placement-home.html").read_text()
    )
    wait_until(lambda: all(each["verdict"] for each in client.get("/status").json["placement_trials"]))
    home, mail = client.get("/status").json["placement_trials"]
    assert (home["production"], home["challenger"], home["share"]) == ("home", "home-b", 0.5)
    assert home["verdict"] == sentences[0]
    assert 0 < home["gain"]["low"] < home["gain"]["value"] < home["gain"]["high"]
    assert mail["gain"]["low"] < 0 < mail["gain"]["high"]
    assert home["lists"]["production"] + home["lists"]["challenger"] == len(VIEWERS)
    assert home["lists"]["challenger"] == verdicts[0].standings[-1].users[Arm.CHALLENGER]
