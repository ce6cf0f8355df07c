"""A run whose candidates are trained, measured and refit, without MLflow."""

from pathlib import Path

import pandas as pd
import pytest

from tests.training import families
from tests.training.world import grouped_ratings, make_project
from training.data.dataset import load_dataset
from training.evaluate import evaluate
from training.params.whole import Params
from training.project import Project
from training.promotion.contest import Contest
from training.refit import refit
from training.train import train

CANDIDATES = ("test_svd", "popularity")


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The family of the candidates is known during each test here, and no longer."""
    families.add_to(monkeypatch)


@pytest.fixture(scope="package")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Params]:
    """Film 81 is cold, and liked by user 1 in the test."""
    cold = pd.DataFrame([(1, 81, 5.0, 2_000_000)], columns=["user_id", "item_id", "rating", "timestamp"])
    with pytest.MonkeyPatch.context() as monkeypatch:
        families.add_to(monkeypatch)
        ratings = pd.concat([grouped_ratings(), cold])
        project, params = make_project(tmp_path_factory.mktemp("run"), ratings, candidates=list(CANDIDATES))
        for candidate in CANDIDATES:
            train(project, params, candidate)
            evaluate(project, params, candidate)
        refit(project, params)
    return project, params


@pytest.fixture
def contest(run: tuple[Project, Params]) -> Contest:
    """Nothing is live."""
    project, params = run
    return Contest(project, params, load_dataset(project.prepared), None)


@pytest.fixture
def cold_free(tmp_path: Path, run: tuple[Project, Params]) -> Contest:
    """One candidate, popularity isn't one, one k, and no cold film that anybody liked."""
    project, params = make_project(tmp_path, candidates=["test_svd"], evaluate__at=[10])
    train(project, params, "test_svd")
    evaluate(project, params, "test_svd")
    refit(project, params)
    return Contest(project, params, load_dataset(project.prepared), None)
