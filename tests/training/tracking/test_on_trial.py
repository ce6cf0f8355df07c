"""How a trial begins, and what ends it: commands, and aliases that somebody moves on MLflow's page."""

import time

import mlflow
import pytest

from app.contract.trial import Trial, read_trial
from tests.training.registered import REGISTERED as NAME
from tests.training.test_register import again, alias, client_of
from tests.training.tracking.test_aliases import client as client
from tests.training.world import Trained
from training.__main__ import main
from training.errors import TrackingError
from training.register import register
from training.tracking import aliases, on_trial
from training.tracking.versions import DECISION


@pytest.fixture
def on(client: mlflow.MlflowClient) -> mlflow.MlflowClient:
    """Version 1 is live, and 2 is on trial."""
    aliases.promote(client, NAME, "1")
    on_trial.begin(client, NAME, "2", 0.3)
    return client


def tags_of(client: mlflow.MlflowClient, version: str) -> dict[str, str]:
    tags: dict[str, str] = client.get_model_version(NAME, version).tags
    return tags


def test_a_trial_is_in_the_tags_of_the_challenger(on: mlflow.MlflowClient) -> None:
    trial = on_trial.running(on, NAME)
    assert trial == read_trial("2", tags_of(on, "2"))
    assert isinstance(trial, Trial)
    assert (trial.version, trial.against, trial.share) == ("2", "1", 0.3)
    assert abs(time.time() - trial.since) < 60
    assert aliases.version_of(on, NAME, "challenger") == "2"


@pytest.mark.long
def test_each_trial_has_a_salt_that_nobody_can_guess(on: mlflow.MlflowClient) -> None:
    salts = {tags_of(on, "2")["trial_salt"], on_trial.begin(on, NAME, "2", 0.3).salt}
    assert len(salts) == 2
    assert all(len(salt) == 32 for salt in salts)


@pytest.mark.parametrize("live", [None, "2"])
def test_without_another_live_version_there_is_nothing_to_try_against(
    client: mlflow.MlflowClient, live: str | None
) -> None:
    if live:
        aliases.promote(client, NAME, live)
    with pytest.raises(TrackingError, match="can't go on trial: no other version is production"):
        on_trial.begin(client, NAME, "2", 0.5)


@pytest.mark.parametrize(
    ("moved", "to", "reason"),
    [
        ("production", "2", "version 2 was promoted by hand"),
        pytest.param(
            "Production", "2", None, marks=pytest.mark.long
        ),  # the lower-case spelling stays on version 1, and counts
        pytest.param("production", "3", "version 3 is live instead of version 1", marks=pytest.mark.long),
        pytest.param(
            "challenger", "3", "version 3 has the alias challenger instead of version 2", marks=pytest.mark.long
        ),
        pytest.param(
            "challenger", None, "nobody has the alias challenger instead of version 2", marks=pytest.mark.long
        ),
        pytest.param("production", None, "no version is live instead of version 1", marks=pytest.mark.long),
    ],
)
def test_an_alias_moved_on_mlflow_s_page_ends_the_trial(
    on: mlflow.MlflowClient, moved: str, to: str | None, reason: str | None
) -> None:
    if to is None:
        on.delete_registered_model_alias(NAME, moved)
    else:
        on.set_registered_model_alias(NAME, moved, to)
    if reason is None:
        assert on_trial.end_overtaken(on, NAME) == []
        assert on_trial.running(on, NAME) is not None
        return
    assert on_trial.end_overtaken(on, NAME) == [f"the trial of version 2 has ended: {reason}"]
    assert on_trial.running(on, NAME) is None
    assert (tags_of(on, "2")["trial"], tags_of(on, "2")["trial_end"]) == ("ended", reason)
    assert aliases.version_of(on, NAME, "challenger") == (to if moved == "challenger" else None)
    assert on_trial.end_overtaken(on, NAME) == []


@pytest.mark.parametrize(
    ("tag", "value", "problem"),
    [
        ("trial_share", "half", "trial_share or trial_since is not a number"),
        pytest.param("trial_share", "1.5", "the share must be above 0 and below 1", marks=pytest.mark.long),
        ("trial_salt", "", "the share must be above 0 and below 1, and the salt a text"),
    ],
)
def test_a_spoilt_tag_is_named_with_the_remedy(on: mlflow.MlflowClient, tag: str, value: str, problem: str) -> None:
    on.set_model_version_tag(NAME, "2", tag, value)
    with pytest.raises(TrackingError, match=f"{problem}.*, or take the alias challenger away to end the trial"):
        on_trial.running(on, NAME)


def test_a_missing_tag_is_named(on: mlflow.MlflowClient) -> None:
    on.delete_model_version_tag(NAME, "2", "trial_salt")
    with pytest.raises(TrackingError, match="Version 2 is on trial, but lacks the tag 'trial_salt'"):
        on_trial.running(on, NAME)


@pytest.mark.long
def test_a_version_that_passes_the_gate_goes_on_trial_and_the_next_one_waits(
    trained: Trained, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project, _ = trained
    ways = {"register__promote": "trial", "register__trial__share": 0.25}
    assert register(project, again(project, models__test_svd={"dim": 1}, **ways)).decision == "production"
    assert register(project, again(project, models__test_svd={"dim": 3}, **ways)).decision == "challenger"
    client = client_of(project)
    trial = on_trial.running(client, NAME)
    assert trial is not None
    assert (trial.version, trial.against, trial.share) == ("2", "1", 0.25)
    client.delete_model_version_tag(NAME, "2", DECISION)  # as if the stage had failed before it was written
    assert register(project, again(project, models__test_svd={"dim": 3}, **ways)).decision == "challenger"
    assert on_trial.running(client, NAME) == trial
    assert register(project, again(project, models__test_svd={"dim": 4}, **ways)).decision == "waiting"
    assert (alias(project, "production"), alias(project, "challenger")) == ("1", "2")
    monkeypatch.chdir(project.root)
    main(["promote", "3"])
    assert "the trial of version 2 has ended: version 3 is live instead of version 1" in capsys.readouterr().out
    assert alias(project, "challenger") is None


@pytest.mark.long
def test_a_version_that_the_gate_refuses_does_not_go_on_trial(registered: Trained) -> None:
    project, _ = registered
    refused = register(project, again(project, models__test_svd={"dim": 5}, register__promote="trial"))
    assert (refused.decision, alias(project, "challenger")) == ("refused", None)
    assert "trial" not in client_of(project).get_model_version(NAME, "2").tags
