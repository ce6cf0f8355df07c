"""Model versions: an artifact with its recipe and its results per user."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import DataType, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import Array, ColSpec

from app import contract
from app.contract.alias import PRODUCTION
from app.contract.artifact_directory import load_artifact
from training.data.dataset import USER_ID
from training.tracking.aliases import version_of
from training.tracking.connection import Client, mlflow_errors

ARTIFACT_HASH = "artifact_hash"
DECISION = "decision"
REFUSED, WAITING = "refused", "waiting"  # decisions that give no alias: the gate said no; another version is on trial
RECIPE_FILE = "recipe.json"
USERS_FILE = "users.parquet"
LISTS_FILE = "lists.parquet"
DEFAULT_K = 10
LONGEST_DESCRIPTION = 5000  # characters that MLflow's table holds


@dataclass(frozen=True)
class Evidence:
    """What is kept beside a version for later comparisons.

    `recipe` holds family, params as given, seed, split_hash, the mean of the metric and figures of the data; `users`
    the metric of each test user; `lists` the first items of some users, None for a version of an earlier release.
    """

    recipe: Mapping[str, Any]
    users: pd.DataFrame
    lists: pd.DataFrame | None = None


@dataclass(frozen=True)
class LiveVersion:
    """The live version and the evidence beside it: None for a version that this pipeline did not register."""

    version: str
    evidence: Evidence | None


def live_version(client: Client, name: str) -> LiveVersion | None:
    """The version that is live, if there is one."""
    with mlflow_errors():
        version = version_of(client, name, PRODUCTION)
    return None if version is None else LiveVersion(version, load_evidence(client, name, version))


def find_version(client: Client, name: str, artifact_hash: str) -> Any:  # noqa: ANN401
    """The first version that holds the artifact with this content hash, or None."""
    with mlflow_errors():
        found = client.search_model_versions(f"name='{name}' and tags.{ARTIFACT_HASH}='{artifact_hash}'")
    return min(found, key=lambda version: int(version.version), default=None)


def claim_version(client: Client, name: str, artifact_hash: str, version: str) -> str:
    """Return the version that counts for this artifact, which was just registered as `version`.

    Programs that register one artifact at once each make a version, and cannot know of each other before. MLflow
    numbers versions one after the other, so all find the same first one; the others delete their own.
    """
    first = str(find_version(client, name, artifact_hash).version)
    if first != version:
        with mlflow_errors():
            client.delete_model_version(name, version)
    return first


def register_version(name: str, served: Path, evidence: Evidence, tags: Mapping[str, str]) -> str:
    """Log the artifact as a pyfunc model in the active run and register it; returns the new version."""
    with mlflow_errors(), tempfile.TemporaryDirectory() as folder:
        files = Path(folder)
        _write_evidence(files / "evaluation", evidence)
        example, signature = _example(served)
        model = mlflow.pyfunc.log_model(
            **{"name" if int(mlflow.__version__.split(".")[0]) >= 3 else "artifact_path": "model"},
            python_model=str(Path(__file__).with_name("pyfunc_model.py")),
            artifacts={"served": str(served.resolve()), "evaluation": str(files / "evaluation")},
            code_paths=[str(_contract_code(files / "code"))],
            pip_requirements=[f"{package.__name__}=={package.__version__}" for package in (mlflow, np, pd)],
            input_example=example,
            signature=signature,
        )
        return str(mlflow.register_model(model.model_uri, name, tags=dict(tags)).version)


def load_evidence(client: Client, name: str, version: str) -> Evidence | None:
    """What was kept beside a version; None for a version that was not registered by this pipeline."""
    with mlflow_errors(), tempfile.TemporaryDirectory() as folder:
        beside = f"{client.get_model_version_download_uri(name, version)}/artifacts"
        listed = mlflow.artifacts.list_artifacts(artifact_uri=beside)
        if not any(entry.path.endswith("evaluation") for entry in listed):
            return None
        found = Path(mlflow.artifacts.download_artifacts(f"{beside}/evaluation", dst_path=folder))
        recipe = json.loads((found / RECIPE_FILE).read_text(encoding="utf-8"))
        lists = pd.read_parquet(found / LISTS_FILE) if (found / LISTS_FILE).is_file() else None
        return Evidence(recipe, pd.read_parquet(found / USERS_FILE), lists)


def download_served(client: Client, name: str, version: str, into: Path) -> Path:
    """Download a version's artifact and return its folder below `into`."""
    with mlflow_errors():
        beside = f"{client.get_model_version_download_uri(name, version)}/artifacts"
        return Path(mlflow.artifacts.download_artifacts(f"{beside}/served", dst_path=str(into)))


def run_address(client: Client, name: str, version: str) -> str:
    """Return the address, on MLflow's page, of the run that a version is from."""
    with mlflow_errors():
        run = client.get_run(client.get_model_version(name, version).run_id).info
    return f"#/experiments/{run.experiment_id}/runs/{run.run_id}"


def _write_evidence(folder: Path, evidence: Evidence) -> None:
    folder.mkdir()
    (folder / RECIPE_FILE).write_text(json.dumps(evidence.recipe, indent=2, sort_keys=True), encoding="utf-8")
    evidence.users.to_parquet(folder / USERS_FILE, index=False)
    if evidence.lists is not None:
        evidence.lists.to_parquet(folder / LISTS_FILE, index=False)


def _contract_code(folder: Path) -> Path:
    """What the model needs to read the artifact, as a package `app`."""
    package, source = folder / "app", Path(contract.__file__).parent
    shutil.copytree(source, package / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(source.with_name("__init__.py"), package)
    return package


def _example(served: Path) -> tuple[pd.DataFrame, ModelSignature]:
    """Two users as input, and the signature: ids are numbers or text, as the artifact has them."""
    artifact = load_artifact(served)
    user, item = (_data_type(ids) for ids in (artifact.user_ids, artifact.item_ids))
    signature = ModelSignature(
        inputs=Schema([ColSpec(user, USER_ID)]),
        outputs=Schema([ColSpec(Array(item), "item_ids"), ColSpec(Array(DataType.double), "scores")]),
        params=ParamSchema([ParamSpec("k", DataType.long, DEFAULT_K)]),
    )
    return pd.DataFrame({USER_ID: artifact.user_ids[:2].tolist()}), signature


def _data_type(ids: npt.NDArray[Any]) -> DataType:
    return DataType.long if ids.dtype.kind == "i" else DataType.string
