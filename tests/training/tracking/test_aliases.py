import shutil
from pathlib import Path

import mlflow
import pytest

from tests.processes import PROJECT
from tests.training.registered import REGISTERED as NAME
from training.__main__ import main
from training.errors import TrackingError
from training.tracking import aliases


@pytest.fixture
def client(registry: mlflow.MlflowClient) -> mlflow.MlflowClient:
    """A registry with three versions."""
    with mlflow.start_run() as run:
        mlflow.log_text("", "model/empty.txt")
    for _ in range(3):
        registry.create_model_version(NAME, f"{run.info.artifact_uri}/model", run.info.run_id)
    return registry


def test_an_alias_is_found_in_any_spelling(client: mlflow.MlflowClient) -> None:
    client.set_registered_model_alias(NAME, "Production", "2")
    assert aliases.version_of(client, NAME, "production") == "2"


def test_of_spellings_that_disagree_training_picks_the_version_that_the_service_follows(
    client: mlflow.MlflowClient,
) -> None:
    client.set_registered_model_alias(NAME, "Production", "2")
    client.set_registered_model_alias(NAME, "PRODUCTION", "1")
    assert aliases.version_of(client, NAME, "production") == "1"


def test_no_alias_and_no_model_are_both_none(client: mlflow.MlflowClient) -> None:
    assert aliases.version_of(client, NAME, "production") is None
    assert aliases.version_of(client, "another", "production") is None


def test_promoting_writes_lower_case_and_removes_other_spellings(client: mlflow.MlflowClient) -> None:
    client.set_registered_model_alias(NAME, "Production", "1")
    assert aliases.promote(client, NAME, "2") == "1"
    held = {alias: str(version) for alias, version in client.get_registered_model(NAME).aliases.items()}
    assert held == {"production": "2", "previous": "1"}


def test_promoting_the_live_version_keeps_previous(client: mlflow.MlflowClient) -> None:
    aliases.promote(client, NAME, "1")
    aliases.promote(client, NAME, "2")
    aliases.promote(client, NAME, "2")
    assert aliases.version_of(client, NAME, "previous") == "1"


def test_the_command_says_what_is_live_and_what_was(
    client: mlflow.MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    for command in (["promote", "1"], ["promote", "1"], ["promote", "2"], ["rollback"]):
        main(command)
    said = [line.removeprefix(f"{NAME}: ") for line in capsys.readouterr().out.splitlines()]
    assert said == [
        "version 1 is production, none was before",
        "version 1 is production, as before",
        "version 2 is production, 1 was before",
        "version 1 is production, 2 was before",
    ]


@pytest.mark.parametrize("spelled", ["02", " 2", "2 ", "2\n", "+2", "２", "2.0", "-2", "0", "", "latest"])
def test_a_number_in_another_spelling_is_refused_and_moves_nothing(client: mlflow.MlflowClient, spelled: str) -> None:
    aliases.promote(client, NAME, "1")
    aliases.promote(client, NAME, "2")
    with pytest.raises(TrackingError, match="is not the number of a version; movie-recommender has them as 1, 2"):
        aliases.promote(client, NAME, spelled)
    assert [aliases.version_of(client, NAME, alias) for alias in ("production", "previous")] == ["2", "1"]


def test_rolling_back_swaps_live_and_previous(client: mlflow.MlflowClient) -> None:
    aliases.promote(client, NAME, "1")
    aliases.promote(client, NAME, "3")
    assert aliases.rollback(client, NAME) == ("3", "1")
    assert aliases.version_of(client, NAME, "production") == "1"
    assert aliases.version_of(client, NAME, "previous") == "3"


def test_rolling_back_without_a_previous_version_says_so(client: mlflow.MlflowClient) -> None:
    with pytest.raises(TrackingError, match="has no version with the alias previous"):
        aliases.rollback(client, NAME)


def test_promoting_a_version_that_does_not_exist_says_so(client: mlflow.MlflowClient) -> None:
    with pytest.raises(TrackingError, match="99"):
        aliases.promote(client, NAME, "99")
