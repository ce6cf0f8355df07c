"""The `register` stage: log the runs, register the refit winner, and let the gate decide about its alias.

The only stage with side effects. It always runs and does nothing twice: a run is found again by the hash
of the results, a version by the hash of the artifact.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from app.artifact import Recipe, content_hash, load_artifact
from training.contest import Contest
from training.dataset import load_dataset
from training.figures import write_figures
from training.files import read_json
from training.gate import Verdict
from training.params import Params
from training.project import Project
from training.tracking import aliases, runs, versions
from training.tracking.connection import Client, connect, mlflow_errors

REPRODUCE = "run: dvc repro"


@dataclass(frozen=True)
class Registration:
    """What became of the artifact; `verdict` is None where an earlier run had decided."""

    name: str
    version: str
    recipe: Recipe
    metric: str
    decision: str
    verdict: Verdict | None


def register(project: Project, params: Params) -> Registration:
    """Log, register and decide, each unless it has been done.

    Raises TrackingError where MLflow can't be reached or refuses.
    """
    client = connect(project.root, params.registration.experiment)
    name = params.registration.name
    dataset = load_dataset(project.prepared)
    recipe = load_artifact(project.served).recipe
    contest = Contest(project, params, dataset, recipe.family)
    version = _registered(client, project, params, contest, recipe)
    decision = client.get_model_version(name, version).tags.get(versions.DECISION)
    if decision is not None:
        return Registration(name, version, recipe, params.select.metric, decision, None)
    live = aliases.version_of(client, name, aliases.PRODUCTION)
    verdict = contest.verdict(live, versions.load_evidence(client, name, live) if live else None)
    decision = _carry_out(client, name, version, verdict, params)
    return Registration(name, version, recipe, params.select.metric, decision, verdict)


def _registered(client: Client, project: Project, params: Params, contest: Contest, recipe: Recipe) -> str:
    """The version of the served artifact: the one found, or a new one; its runs are logged if they are not."""
    artifact_hash, pipeline_hash = content_hash(project.served), _pipeline_hash(project, params)
    found = versions.find_version(client, params.registration.name, artifact_hash)
    run_id = runs.find_pipeline_run(client, params.registration.experiment, pipeline_hash)
    if found is not None and run_id is not None:
        return str(found.version)
    origin = _origin(project) | {"data_hash": recipe.data_hash}
    with mlflow_errors(), runs.pipeline_run(run_id, _flat(params), origin | {runs.PIPELINE_HASH: pipeline_hash}):
        if run_id is None:
            runs.log_dataset(params.fetch.source, project.prepared, recipe.data_hash)
            for candidate in params.candidates:
                _log_candidate(client, project, params, candidate)
        if found is not None:
            return str(found.version)
        tags = origin | {versions.ARTIFACT_HASH: artifact_hash, "family": recipe.family}
        return versions.register_version(params.registration.name, project.served, contest.evidence(), tags)


def _carry_out(client: Client, name: str, version: str, verdict: Verdict, params: Params) -> str:
    promote = {"gate": verdict.promote, "never": False, "always": True}[params.registration.promote]
    with mlflow_errors():
        if promote:
            aliases.promote(client, name, version)
        elif aliases.version_of(client, name, aliases.PRODUCTION) != version:
            aliases.move(client, name, aliases.CHALLENGER, version)
        decision = aliases.PRODUCTION if promote else aliases.CHALLENGER
        tags = {
            "promote": params.registration.promote,
            "gate_reason": verdict.reason,
            "gate_metric": params.select.metric,
        }
        tags |= {f"gate_{figure}": f"{value:.6f}" for figure, value in verdict.figures.items()}
        for key, value in (tags | {versions.DECISION: decision}).items():
            client.set_model_version_tag(name, version, key, value)
    return decision


def _log_candidate(client: Client, project: Project, params: Params, candidate: str) -> None:
    report = read_json(project.evaluation(candidate), REPRODUCE)
    record = read_json(project.training(candidate), REPRODUCE)
    with tempfile.TemporaryDirectory() as folder:
        write_figures(project, candidate, params.select.metric, Path(folder))
        for path in (project.evaluation(candidate), project.users(candidate), project.training(candidate)):
            (Path(folder) / f"{path.parent.name}{path.suffix}").write_bytes(path.read_bytes())
        runs.log_candidate(
            client,
            runs.CandidateRun(
                name=candidate,
                params={"family": record["family"], "seed": record["seed"], **record["params"]},
                metrics=report["metrics"] | report["catalogue"],
                learning_curve=pd.read_csv(project.plot("learning", candidate)),
                curve_metric=params.select.metric,
                folder=Path(folder),
            ),
        )


def _pipeline_hash(project: Project, params: Params) -> str:
    """SHA-256 of the served artifact's manifest and of every candidate's recipe and report."""
    digest = hashlib.sha256(content_hash(project.served).encode())
    for candidate in params.candidates:
        digest.update(candidate.encode())
        digest.update(project.training(candidate).read_bytes() + project.evaluation(candidate).read_bytes())
    return digest.hexdigest()


def _origin(project: Project) -> dict[str, str]:
    """Which code and which locked pipeline it came from, as far as there is any."""
    commit, lock = _git_commit(project.root), project.root / "dvc.lock"
    origin = {"git_commit": commit} if commit else {}
    return origin | ({"dvc_lock_hash": hashlib.sha256(lock.read_bytes()).hexdigest()} if lock.exists() else {})


def _git_commit(root: Path) -> str:
    """The commit of the project's folder; where there is no Git, as in an image, the one that GIT_COMMIT names."""
    git = shutil.which("git")
    if git is None:
        return os.environ.get("GIT_COMMIT", "")
    command = [git, "describe", "--always", "--dirty", "--abbrev=40", "--match="]
    described = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return described.stdout.strip() if described.returncode == 0 else os.environ.get("GIT_COMMIT", "")


def _flat(params: Params) -> dict[str, Any]:
    """The parameters that all candidates share, by dotted name."""
    shared = params.model_dump(mode="json", by_alias=True, exclude={"models"})
    return dict(_leaves("", shared))


def _leaves(prefix: str, value: Any) -> list[tuple[str, Any]]:  # noqa: ANN401
    if not isinstance(value, Mapping):
        return [(prefix, value)]
    return [leaf for key, part in value.items() for leaf in _leaves(f"{prefix}.{key}".lstrip("."), part)]
