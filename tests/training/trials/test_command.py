"""`python -m training trial` on a real registry and a real store, from the first list to the promotion."""

import math
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import mlflow
import pytest

from app.contract.events import Event
from app.contract.recommendation_id import id_maker
from app.contract.store_address import StoreAddress
from app.contract.trial import ARMS, Arm, read_gain
from app.events.open_store import open_store
from app.events.rows import Exposure
from tests.metrics import samples
from tests.processes import PROJECT, free_port, wait_until
from training.__main__ import main
from training.tracking import aliases, on_trial
from training.tracking.connection import connect

NAME = "movie-recommender"
DAY = 86_400


@pytest.fixture
def client(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> mlflow.MlflowClient:
    """A registry whose version 1 is live and whose version 2 has been on trial for 15 days; the store is empty."""
    shutil.copy(empty_store, tmp_path)
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    monkeypatch.setenv("EVENTS_URL", "")
    client = connect(tmp_path, NAME)
    client.create_registered_model(NAME)
    with mlflow.start_run() as run:
        mlflow.log_text("", "model/empty.txt")
    for _ in range(3):
        client.create_model_version(NAME, f"{run.info.artifact_uri}/model", run.info.run_id)
    aliases.promote(client, NAME, "1")
    on_trial.begin(client, NAME, "2", 0.5)
    client.set_model_version_tag(NAME, "2", "trial_since", str(time.time() - 15 * DAY))
    with closing(open_store(StoreAddress(f"sqlite:///{tmp_path}/events.db"))) as store:
        store.latest()  # makes the file
    return client


def people(folder: Path, liking: dict[Arm, float], n: int = 1200) -> None:
    """Each gets ten lists, and so many of them per hundred users like a film of one."""
    store, now = open_store(StoreAddress(f"sqlite:///{folder}/events.db")), time.time()
    trial = on_trial.running(connect(folder, NAME), NAME)
    assert trial is not None
    trial = replace(trial, share=0.5)
    makers = {arm: id_maker(version, arm, trial.secret) for arm, version in zip(ARMS, ("1", "2"), strict=True)}
    day = time.strftime("%Y-%m-%d", time.gmtime(now))
    shown, said = [], []
    for number in range(n):
        user, arm = str(number), trial.arm(str(number))
        shown.append(Exposure(day, user, trial.experiment, arm, "2" if arm else "1", 10, 100))
        if number % 100 < liking[arm]:
            name = makers[arm](user.encode()).decode()
            said.append(Event(str(uuid4()), user, "1", "like", None, now, name))
    store.add(shown)
    store.append(said, now)
    store.close()


def tags_of(client: mlflow.MlflowClient, version: str) -> dict[str, str]:
    tags: dict[str, str] = client.get_model_version(NAME, version).tags
    return tags


def alias(client: mlflow.MlflowClient, name: str) -> str | None:
    return aliases.version_of(client, NAME, name)


def test_a_better_challenger_is_promoted_and_said_to_be_better_everywhere(
    client: mlflow.MlflowClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people(tmp_path, {Arm.PRODUCTION: 30, Arm.CHALLENGER: 60})
    main(["trial"])
    said = capsys.readouterr().out
    assert said.startswith("trial: people like version 2 better: ")
    sentence = said.splitlines()[0].removeprefix("trial: ")
    assert tags_of(client, "2")["trial_verdict"] == sentence
    value, low, high = read_gain(tags_of(client, "2")) or (0.0, 0.0, 0.0)
    assert 0 < low < value < high
    assert tags_of(client, "1")["trial_verdict"] == f"against version 2: {sentence}"
    page = (tmp_path / "reports" / "trial" / "trial.html").read_text()
    assert "Trial of version 2 against version 1" in page
    run = client.get_model_version(NAME, "2").run_id
    assert [entry.path for entry in client.list_artifacts(run, "trial")] == ["trial/trial.html"]
    assert (alias(client, "production"), alias(client, "challenger")) == ("1", "2")  # it only looks

    main(["trial", "--decide"])
    assert "version 2 is production, 1 was before" in capsys.readouterr().out
    assert [alias(client, name) for name in ("production", "previous", "challenger")] == ["2", "1", None]
    assert (tags_of(client, "2")["trial"], tags_of(client, "2")["trial_end"]) == ("won", sentence)
    main(["trial", "--decide"])
    assert capsys.readouterr().out == "trial: no trial is running\n"


@pytest.mark.long
def test_people_are_split_as_the_service_has_done_it_whatever_the_tag_says(
    client: mlflow.MlflowClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people(tmp_path, {Arm.PRODUCTION: 30, Arm.CHALLENGER: 60})
    client.set_model_version_tag(NAME, "2", "trial_share", "0.25")
    main(["trial"])
    assert capsys.readouterr().out.startswith("trial: people like version 2 better: ")


@pytest.mark.long
def test_a_harmful_challenger_is_dropped_though_its_days_have_not_passed(
    client: mlflow.MlflowClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client.set_model_version_tag(NAME, "2", "trial_since", str(time.time() - DAY))
    people(tmp_path, {Arm.PRODUCTION: 60, Arm.CHALLENGER: 30})
    main(["trial", "--decide"])
    assert "version 2 is dropped; version 1 stays production" in capsys.readouterr().out
    assert (alias(client, "production"), alias(client, "challenger")) == ("1", None)
    assert tags_of(client, "2")["trial"] == "lost"


@pytest.mark.long
def test_what_is_not_sure_is_left_alone(
    client: mlflow.MlflowClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people(tmp_path, {Arm.PRODUCTION: 40, Arm.CHALLENGER: 40})
    main(["trial", "--decide"])
    said = capsys.readouterr().out
    assert "no clear difference yet" in said
    assert "nothing is decided yet" in said
    assert alias(client, "challenger") == "2"


@pytest.mark.long
def test_a_trial_that_somebody_has_ended_on_mlflow_s_page_is_ended_and_said(
    client: mlflow.MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    client.set_registered_model_alias(NAME, "production", "3")
    main(["trial"])
    assert capsys.readouterr().out.splitlines() == [
        "trial: version 3 was made production by hand; 1 was live when a command last looked",
        "trial: the trial of version 2 has ended: version 3 is live instead of version 1",
        "trial: no trial is running",
    ]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("off", "EVENTS_URL is off: set it to the service's store"),
        ("sqlite:///absent.db", "absent.db doesn't exist: correct EVENTS_URL, or start the service with it"),
        ("mysql://x", "EVENTS_URL: it must be "),
    ],
)
def test_without_a_store_there_is_one_sentence(
    client: mlflow.MlflowClient, monkeypatch: pytest.MonkeyPatch, url: str, sentence: str
) -> None:
    monkeypatch.setenv("EVENTS_URL", url)
    with pytest.raises(SystemExit, match=f"^trial: .*{sentence}"):
        main(["trial"])


@pytest.mark.long
@pytest.mark.parametrize("change", ["UPDATE event SET occurred_at = ?", "UPDATE event SET received_at = ?"])
def test_an_event_without_a_possible_time_is_named(client: mlflow.MlflowClient, tmp_path: Path, change: str) -> None:
    people(tmp_path, {Arm.PRODUCTION: 30, Arm.CHALLENGER: 60}, n=300)
    with closing(sqlite3.connect(tmp_path / "events.db")) as store, store:
        store.execute(f"{change} WHERE position = 2", [math.inf])
    with pytest.raises(
        SystemExit, match=r"^trial: the event store holds the time inf, which is not a time: correct or "
    ):
        main(["trial"])


@pytest.mark.long
def test_on_a_schedule_it_looks_at_once_and_shows_metrics_until_it_is_stopped(
    client: mlflow.MlflowClient, tmp_path: Path
) -> None:
    people(tmp_path, {Arm.PRODUCTION: 40, Arm.CHALLENGER: 40})
    port = free_port()

    def metrics() -> dict[str, float]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                return samples(answer.read().decode())
        except OSError:
            return {}

    command = [sys.executable, "-m", "training", "trial", "--cron", "0 0 * * *", "--port", str(port)]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(PROJECT)}, stdout=log, stderr=log
    ) as program:  # fmt: skip
        try:
            wait_until(lambda: metrics().get("recommender_trial_running{placement=}") == 1)
            assert metrics()["recommender_trial_verdict{placement=,verdict=undecided}"] == 1
            program.terminate()
            assert program.wait(30) == 0
        finally:
            program.kill()
    assert "no clear difference yet" in (tmp_path / "log").read_text()
