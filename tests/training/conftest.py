"""Projects that are trained and registered once and copied for each test; MLflow is SQLite and files, the default."""

import shutil
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from tests.shared import made_once
from tests.training import families
from tests.training.models.battery import World
from tests.training.registered import REGISTERED, FirstVersion, copy_of, register_first
from tests.training.world import CANDIDATES, Trained, grouped_ratings, make_project, run_stages
from training.data.dataset import load_dataset
from training.fitting.assembly import Knowledge
from training.models.base import TrainingData
from training.project import Project
from training.promotion.contest import Contest
from training.tracking.connection import connect


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may use a server; no test does by default."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The family test_svd is known during the test, and no longer."""
    families.add_to(monkeypatch)


@pytest.fixture(scope="session")
def empty_store(run_folder: Path) -> Path:
    """A database that MLflow has made, to be copied: making one takes seconds."""

    def make(folder: Path) -> Path:
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
            connect(folder, "unused")
        return folder / "mlflow.db"

    return made_once(run_folder / "store", make)


@pytest.fixture
def empty_registry(tmp_path: Path, empty_store: Path) -> mlflow.MlflowClient:
    """A registry whose model has no version."""
    shutil.copy(empty_store, tmp_path)
    client = connect(tmp_path, "experiment")
    client.create_registered_model(REGISTERED)
    return client


@pytest.fixture(scope="session")
def trained_once(run_folder: Path, empty_store: Path) -> Project:
    """To be copied."""

    def make(folder: Path) -> Project:
        with pytest.MonkeyPatch.context() as monkeypatch:
            families.add_to(monkeypatch)
            project, params = make_project(folder / "a project", candidates=CANDIDATES)
            shutil.copy(empty_store, project.root)
            run_stages(project, params)
        return project

    return made_once(run_folder / "trained", make)


@pytest.fixture
def trained(trained_once: Project, tmp_path: Path, known: None) -> Trained:
    """A project whose candidates are trained, measured and refit; MLflow knows nothing of it."""
    return copy_of(trained_once, tmp_path)


@pytest.fixture(scope="session")
def first_version(trained_once: Project, run_folder: Path) -> FirstVersion:
    """To be copied, and what registering it returned."""
    return made_once(run_folder / "registered", lambda folder: register_first(trained_once, folder))


@pytest.fixture(scope="session")
def weak_first_version(trained_once: Project, tmp_path_factory: pytest.TempPathFactory) -> FirstVersion:
    """To be copied: its recipe has one dimension, and the default has four."""
    return register_first(
        trained_once, tmp_path_factory.mktemp("weak"), candidates=CANDIDATES, models__test_svd={"dim": 1}
    )


@pytest.fixture
def registered(first_version: FirstVersion, tmp_path: Path, known: None) -> Trained:
    """A project whose first version is live."""
    return copy_of(first_version.project, tmp_path)


@pytest.fixture
def weak(weak_first_version: FirstVersion, tmp_path: Path, known: None) -> Trained:
    """A project whose first version is live, and has a recipe that the default beats."""
    return copy_of(weak_first_version.project, tmp_path)


@pytest.fixture(scope="session")
def with_cold_film(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A trained project; film 81 is cold, and liked by user 1 in the test."""
    cold = pd.DataFrame([(1, 81, 5.0, 2_000_000)], columns=["user_id", "item_id", "rating", "timestamp"])
    with pytest.MonkeyPatch.context() as monkeypatch:
        families.add_to(monkeypatch)
        ratings = pd.concat([grouped_ratings(), cold])
        project, params = make_project(tmp_path_factory.mktemp("run"), ratings, candidates=CANDIDATES)
        run_stages(project, params)
    return project, params


@pytest.fixture
def contest(with_cold_film: Trained, known: None) -> Contest:
    """Nothing is live."""
    project, params = with_cold_film
    return Contest(project, params, load_dataset(project.prepared), None)


@pytest.fixture
def cold_free(tmp_path: Path, known: None) -> Contest:
    """One candidate, popularity isn't one, one k, and no cold film that anybody liked."""
    project, params = make_project(tmp_path, candidates=["test_svd"], evaluate__at=[10])
    run_stages(project, params)
    return Contest(project, params, load_dataset(project.prepared), None)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Data of known structure that every family learns from; user 1 likes nothing."""
    ratings = grouped_ratings()
    ratings.loc[ratings.user_id == 1, "rating"] = 1.0
    project, params = make_project(tmp_path_factory.mktemp("families"), ratings)
    return project, params, load_dataset(project.prepared)


@pytest.fixture(scope="session")
def data(world: World) -> TrainingData:
    return Knowledge(world[2], ("train", "validation"), 1).training_data
