import socket
from pathlib import Path

import mlflow
import pytest

from app.contract.artifact_directory import content_hash, load_artifact
from app.model.errors import (
    ArtifactMissingError,
    DownloadFailedError,
    ModelMissingError,
    RegistryUnavailableError,
    VersionMissingError,
)
from app.model.registered_version import RegisteredVersion
from app.registry.mlflow_registry import Registry
from tests.app.conftest import offline_settings
from tests.artifacts import make_artifact, write
from tests.client import Client
from tests.conftest import MakeSettings
from tests.processes import free_port
from tests.registry import TestRegistry


def test_a_version_is_identified_by_more_than_its_number(registry: TestRegistry, make_settings: MakeSettings) -> None:
    registry.register(alias="production")
    registered = Registry(make_settings(registry)).resolve().registered
    found = registry.client.get_model_version(registry.name, "1")
    assert registered == RegisteredVersion("1", found.creation_timestamp, found.run_id)


def test_exactly_the_artifact_directory_is_downloaded(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path
) -> None:
    written = write(tmp_path / "written", make_artifact(seed=7))
    registry.register(written, alias="production")
    followed = Registry(make_settings(registry))
    fetched = followed.fetch(followed.resolve().registered, tmp_path / "with space")
    assert {path.name for path in fetched.iterdir()} == {path.name for path in written.iterdir()}
    assert load_artifact(fetched).item_biases.tolist() == make_artifact(seed=7).item_biases.tolist()


@pytest.mark.long
@pytest.mark.skipif(int(mlflow.__version__.partition(".")[0]) < 3, reason="MLflow 2 has no logged models")
def test_a_logged_pyfunc_model_is_downloaded(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As training registers: the version's source is models:/m-<id>, not a run.
    registry.register()
    code = tmp_path / "model code.py"
    code.write_text(
        "import mlflow\n"
        "class Model(mlflow.pyfunc.PythonModel):\n"
        "    def predict(self, context, model_input: list[str]) -> list[str]:\n"
        "        return model_input\n"
        "mlflow.models.set_model(Model())\n"
    )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.uri)
    with mlflow.start_run(experiment_id=registry.client.get_experiment_by_name(registry.name).experiment_id):
        mlflow.pyfunc.log_model(
            name="model",
            python_model=str(code),
            artifacts={"served": str(write(tmp_path / "served", make_artifact(seed=8)))},
            registered_model_name=registry.name,
            pip_requirements=[],
        )
    registry.move("production", "2")
    followed = Registry(make_settings(registry))
    fetched = followed.fetch(followed.resolve().registered, tmp_path / "fetched")
    assert load_artifact(fetched).item_biases.tolist() == make_artifact(seed=8).item_biases.tolist()


@pytest.mark.long
def test_a_store_on_the_local_disk_is_downloaded(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path
) -> None:
    # A server whose clients reach the files themselves.
    location = (tmp_path / "files with space").as_uri()
    client = registry.client
    client.create_registered_model(registry.name)
    run = client.create_run(client.create_experiment(f"{registry.name}-local", artifact_location=location))
    written = write(tmp_path / "written", make_artifact(seed=9))
    client.log_artifacts(run.info.run_id, str(written), "model/artifacts/served")
    client.create_model_version(registry.name, f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
    fetched = Registry(make_settings(registry)).fetch(RegisteredVersion("1", 0, ""), tmp_path / "fetched")
    assert content_hash(fetched) == content_hash(written)
    assert load_artifact(fetched).item_biases.tolist() == make_artifact(seed=9).item_biases.tolist()


def test_a_model_that_is_not_registered_is_named(registry: TestRegistry, make_settings: MakeSettings) -> None:
    with pytest.raises(ModelMissingError, match=f"The registry has no model named '{registry.name}'"):
        Registry(make_settings(registry)).resolve()


def test_a_version_that_is_gone_is_named(registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path) -> None:
    registry.register()
    with pytest.raises(VersionMissingError, match=r"Version 99 of .* is gone"):
        Registry(make_settings(registry)).fetch(RegisteredVersion("99", 0, ""), tmp_path)


def test_a_version_without_an_artifact_is_named(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    registry.register(tmp_path / "empty")
    with pytest.raises(ArtifactMissingError, match="Version 1 holds no artifacts/served/"):
        Registry(make_settings(registry)).fetch(RegisteredVersion("1", 0, ""), tmp_path)


def test_a_destination_that_can_not_be_written_is_a_failed_download(
    registry: TestRegistry, make_settings: MakeSettings, tmp_path: Path
) -> None:
    registry.register()
    (tmp_path / "file").touch()
    with pytest.raises(
        DownloadFailedError, match=r"Version 1 could not be downloaded: .*(File exists|Not a directory)"
    ):
        Registry(make_settings(registry)).fetch(RegisteredVersion("1", 0, ""), tmp_path / "file")


def test_a_closed_port_is_reported(make_settings: MakeSettings) -> None:
    with pytest.raises(RegistryUnavailableError, match=r"MLflow at http://127.0.0.1:.* Connection refused"):
        Registry(make_settings()).resolve()


def test_a_silent_server_is_given_up_and_reported(make_settings: MakeSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(RegistryUnavailableError, match="timed out"):
            Registry(make_settings(mlflow_tracking_uri=uri, registry_timeout_seconds=1)).resolve()


def test_a_server_that_is_not_mlflow_is_reported(client: Client, make_settings: MakeSettings) -> None:
    with pytest.raises(RegistryUnavailableError, match="answered with the status 404"):
        Registry(make_settings(mlflow_tracking_uri=f"http://127.0.0.1:{client.port}")).resolve()


def test_a_password_in_the_address_is_not_shown(tmp_path: Path) -> None:
    address = f"http://user:secret@127.0.0.1:{free_port()}"
    settings = offline_settings(tmp_path).model_copy(update={"mlflow_tracking_uri": address})
    with pytest.raises(RegistryUnavailableError) as caught:
        Registry(settings).resolve()
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
