"""A real MLflow server with versions that were not trained."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.artifacts import write


@dataclass(frozen=True)
class TestRegistry:
    """One registered model of a server; every test has its own name. `files` is where the server keeps its files."""

    __test__ = False

    uri: str
    name: str
    scratch: Path
    files: Path | None = None

    @property
    def client(self) -> MlflowClient:
        """MLflow's own."""
        if mlflow.__version__.startswith("2."):
            mlflow.set_tracking_uri(self.uri)  # the client of MLflow 2 ignores its own when it logs files
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    def register(self, artifact: Path | None = None, alias: str | None = None) -> str:
        """A new version that holds the directory (or any artifact, or nothing if it is empty), and its number."""
        client = self.client
        run = client.create_run(self._experiment())
        self._keep(artifact or write(self.scratch / "any"), run)
        source = f"{run.info.artifact_uri}/model"
        version = client.create_model_version(self.name, source, run_id=run.info.run_id)
        if alias is not None:
            self.move(alias, version.version)
        return str(version.version)

    def _keep(self, artifact: Path, run: Run) -> None:
        """Have the server keep a run's artifact; where its files are here, without a request for each."""
        place = "model/artifacts/served"
        if self.files is None:
            self.client.log_artifacts(run.info.run_id, str(artifact), place)
        else:
            below = run.info.artifact_uri.removeprefix("mlflow-artifacts:/")
            shutil.copytree(artifact, self.files / below / place)

    def move(self, alias: str, version: str) -> None:
        """Give the alias to the version."""
        self.client.set_registered_model_alias(self.name, alias, version)

    def _experiment(self) -> str:
        client = self.client
        found = client.get_experiment_by_name(self.name)
        if found is not None:
            return str(found.experiment_id)
        client.create_registered_model(self.name)
        return str(client.create_experiment(self.name))
