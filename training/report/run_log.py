"""Logs a run of the pipeline to MLflow: its report, its parameters, and a run below it for each candidate.

It finds a run by the hash of the results, so it logs nothing twice.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from app.contract.artifact_directory import content_hash
from training.files import REPRODUCE, read_json
from training.params.whole import Params
from training.project import Project
from training.promotion.contest import Contest
from training.report.comparison import gather
from training.report.folder import shows, write_report
from training.tracking import runs
from training.tracking.connection import Client, mlflow_errors


def log_run(client: Client, contest: Contest, tags: Mapping[str, str]) -> str:
    """Log these results unless a run holds them; return the run's id. Write the report unless it shows them."""
    project, params = contest.project, contest.params
    digest = pipeline_hash(project, params)
    run_id = runs.find_pipeline_run(client, params.registration.experiment, digest)
    if run_id is None or not shows(project.comparison, digest):
        write_report(project.comparison, gather(contest, digest))
    if run_id is not None:
        return run_id
    tags = {**tags, runs.PIPELINE_HASH: digest}
    with mlflow_errors(), runs.pipeline_run(None, _flat(params), tags) as run_id:
        runs.log_dataset(params.fetch.source, project.prepared, tags["data_hash"])
        for candidate in params.candidates:
            _log_candidate(client, project, params, candidate)
        runs.log_folder(project.comparison)
    return run_id


def _log_candidate(client: Client, project: Project, params: Params, candidate: str) -> None:
    report = read_json(project.evaluation(candidate), REPRODUCE)
    trained = read_json(project.training(candidate), REPRODUCE)
    with tempfile.TemporaryDirectory() as folder:
        for path in (project.evaluation(candidate), project.users(candidate), project.training(candidate)):
            (Path(folder) / f"{path.parent.name}{path.suffix}").write_bytes(path.read_bytes())
        runs.log_candidate(
            client,
            candidate,
            {"family": trained["family"], "seed": trained["seed"], **trained["params"]},
            report["metrics"] | report["catalogue"] | _cold_metrics(report),
            _curves(project, candidate, params.select.metric),
            Path(folder),
        )


def _curves(project: Project, candidate: str, metric: str) -> "dict[str, pd.Series[float]]":
    """The points that `dvc plots` draws, by names that say what a step is."""
    learning, by_k, by_tenth = (
        pd.read_csv(project.plot(name, candidate), index_col=0) for name in ("learning", "by_k", "popularity")
    )
    curves = {f"validation_{metric}": learning["value"]}
    curves |= {f"{name}_by_k": by_k[name] for name in by_k}
    return curves | {f"{name}_by_tenth": by_tenth[name] for name in by_tenth}


def _cold_metrics(report: Mapping[str, Any]) -> dict[str, float]:
    return {f"cold_{name}": value for name, value in report["cold"].get("metrics", {}).items()}


def pipeline_hash(project: Project, params: Params) -> str:
    """Compute the SHA-256 of the served artifact's manifest and of every candidate's recipe and report."""
    digest = hashlib.sha256(content_hash(project.served).encode())
    for candidate in params.candidates:
        digest.update(candidate.encode())
        digest.update(project.training(candidate).read_bytes() + project.evaluation(candidate).read_bytes())
    return digest.hexdigest()


def origin(project: Project) -> dict[str, str]:
    """Name the commit and the hash of dvc.lock, each if there is one."""
    commit, lock = _git_commit(project.root), project.root / "dvc.lock"
    tags = {"git_commit": commit} if commit else {}
    return tags | ({"dvc_lock_hash": hashlib.sha256(lock.read_bytes()).hexdigest()} if lock.exists() else {})


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
