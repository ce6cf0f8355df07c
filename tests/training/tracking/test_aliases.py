import shutil
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from tests.processes import PROJECT
from tests.training.registered import REGISTERED as NAME
from training.__main__ import main
from training.errors import TrackingError
from training.tracking import aliases


@pytest.fixture
def client(empty_registry: mlflow.MlflowClient) -> mlflow.MlflowClient:
    """A registry with three versions."""
    with mlflow.start_run() as run:
        mlflow.log_text("", "model/empty.txt")
    for _ in range(3):
        empty_registry.create_model_version(NAME, f"{run.info.artifact_uri}/model", run.info.run_id)
    return empty_registry


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


@pytest.mark.long
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


def test_a_number_in_another_spelling_is_refused_and_moves_nothing(client: mlflow.MlflowClient) -> None:
    aliases.promote(client, NAME, "1")
    aliases.promote(client, NAME, "2")
    for spelled in ["02", " 2", "2 ", "2\n", "+2", "２", "2.0", "-2", "0", "", "latest"]:
        with pytest.raises(TrackingError, match="is not the number of a version; movie-recommender has them as 1, 2"):
            aliases.promote(client, NAME, spelled)
    assert [aliases.version_of(client, NAME, alias) for alias in ("production", "previous")] == ["2", "1"]


@pytest.mark.long
def test_rolling_back_swaps_live_and_previous(client: mlflow.MlflowClient) -> None:
    aliases.promote(client, NAME, "1")
    aliases.promote(client, NAME, "3")
    assert aliases.rollback(client, NAME) == ("3", "1")
    assert aliases.version_of(client, NAME, "production") == "1"
    assert aliases.version_of(client, NAME, "previous") == "3"


@pytest.mark.long
@pytest.mark.parametrize("looked", [aliases.rollback, aliases.follow])
@pytest.mark.parametrize(
    ("clicked", "spelled"),
    [("3", "Production"), *(pytest.param(each, "production", marks=pytest.mark.long) for each in ("1", "3"))],
)
def test_after_a_click_going_back_goes_to_the_version_that_was_live_before_it(
    client: mlflow.MlflowClient, clicked: str, spelled: str, looked: Callable[[mlflow.MlflowClient, str], object]
) -> None:
    aliases.promote(client, NAME, "1")
    aliases.promote(client, NAME, "2")
    client.delete_registered_model_alias(NAME, "production")
    client.set_registered_model_alias(NAME, spelled, clicked)  # as MLflow's page and other programs do
    looked(client, NAME)
    if looked is aliases.follow:
        assert aliases.version_of(client, NAME, "previous") == "2"
        aliases.rollback(client, NAME)
    assert [aliases.version_of(client, NAME, alias) for alias in ("production", "previous")] == ["2", clicked]


@pytest.mark.long
def test_taking_the_alias_away_can_be_taken_back(client: mlflow.MlflowClient) -> None:
    aliases.promote(client, NAME, "1")
    aliases.promote(client, NAME, "2")
    client.delete_registered_model_alias(NAME, "production")
    assert aliases.rollback(client, NAME) == (None, "2")


@pytest.mark.long
def test_the_command_says_that_somebody_has_clicked(
    client: mlflow.MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    aliases.promote(client, NAME, "2")
    client.set_registered_model_alias(NAME, "production", "3")
    main(["rollback"])
    assert capsys.readouterr().out.splitlines() == [
        f"{NAME}: version 3 was made production by hand; 2 was live when a command last looked",
        f"{NAME}: version 2 is production, 3 was before",
    ]


def test_where_nobody_knows_what_was_live_rolling_back_asks(client: mlflow.MlflowClient) -> None:
    client.set_registered_model_alias(NAME, "previous", "1")  # by hand, or before commands noted what they see
    client.set_registered_model_alias(NAME, "production", "3")
    with pytest.raises(TrackingError, match=r"nobody has noted .* before: name one with promote VERSION"):
        aliases.rollback(client, NAME)
    assert aliases.version_of(client, NAME, "production") == "3"


def test_a_deleted_version_is_not_gone_back_to(client: mlflow.MlflowClient) -> None:
    aliases.promote(client, NAME, "2")
    client.set_registered_model_alias(NAME, "production", "3")
    client.delete_model_version(NAME, "2")
    with pytest.raises(TrackingError, match="nobody has noted"):
        aliases.rollback(client, NAME)


def test_rolling_back_without_a_previous_version_says_so(client: mlflow.MlflowClient) -> None:
    with pytest.raises(TrackingError, match="nobody has noted which version"):
        aliases.rollback(client, NAME)


def test_promoting_a_version_that_does_not_exist_says_so(client: mlflow.MlflowClient) -> None:
    with pytest.raises(TrackingError, match="99"):
        aliases.promote(client, NAME, "99")
