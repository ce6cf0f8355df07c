"""A project with its first version: registered once, and copied with its registry wherever a test needs one."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.training import families
from tests.training.world import Trained, change_params, run_stages
from training.params.whole import load_params
from training.project import Project
from training.promotion.summary import Registration
from training.register import register

REGISTERED = "movie-recommender"


class FirstVersion(NamedTuple):
    """The project, and what the stage said of its version."""

    project: Project
    registration: Registration


def register_first(trained: Project, folder: Path, **changes: Any) -> FirstVersion:
    """Register a copy of a trained project; with changes of its parameters, train it before."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
        families.add_to(monkeypatch)
        project, params = copy_of(trained, folder)
        if changes:
            params = change_params(project, **changes)
            run_stages(project, params)
        return FirstVersion(project, register(project, params))


def copy_of(project: Project, folder: Path) -> Trained:
    """A copy below the folder; its registry names the files of the copy."""
    copy = Project(folder / project.root.name)
    shutil.copytree(project.root, copy.root, ignore=shutil.ignore_patterns("mlflow.db*"))
    with closing(sqlite3.connect(project.root / "mlflow.db")) as before:
        statements = "\n".join(before.iterdump()).replace(str(project.root.parent), str(folder))
    with closing(sqlite3.connect(copy.root / "mlflow.db")) as after:
        after.executescript(statements)
    return copy, load_params(copy.params)
