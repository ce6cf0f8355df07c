"""Positives that may count less than a like."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from tests.training.world import GROUPS, make_project
from training.data.dataset import SPLITS, WEIGHTS_FILE, Dataset, load_dataset
from training.data.interactions import Interactions
from training.files import read_json
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_candidate
from training.fitting.weighing import Weighing
from training.models import make_family
from training.params.whole import Params
from training.train import train


@pytest.fixture(scope="module")
def misled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Params]:
    """Everybody has shared eight films of the next group, too, which say nothing of what they like."""
    project, params = make_project(tmp_path_factory.mktemp("misled"))
    dataset, rng = load_dataset(project.prepared), np.random.default_rng(0)
    users = np.repeat(np.arange(dataset.n_users, dtype=np.int32), 8)
    items = (rng.integers(0, 20, len(users)) * GROUPS + (users + 1) % GROUPS).astype(np.int32)
    users, items = np.unique(np.stack([users, items]), axis=1)
    shares = Interactions(
        users, items, np.ones(len(users), dtype=bool), np.full(len(users), 5, np.float32),
        np.full(len(users), 1_000_000),
    )  # fmt: skip
    splits = {**dataset.splits, "train": Interactions.concatenate([dataset.splits["train"], shares])}
    weights = np.full(len(users), 0.1, np.float32)
    lighter = sparse.csr_matrix((weights, (users, items)), shape=(dataset.n_users, dataset.n_items))
    return replace(dataset, splits=splits, weights=lighter), params


@pytest.mark.parametrize("name", ["ease", "implicit_als", "lightfm", "sklearn_svd", "sklearn_nmf", "popularity"])
def test_a_family_that_weighs_learns_less_from_what_counts_less(name: str, misled: tuple[Dataset, Params]) -> None:
    dataset, params = misled
    assert dataset.weights is not None
    fitted = []
    for weighed in (False, True):
        knowledge = Knowledge(dataset, ("train",), 1, weighed=weighed)
        factors = make_family(name, params.models[name]).fit(knowledge.weighed_data, np.random.default_rng(0))
        scores = factors.user_embeddings @ factors.item_embeddings.T + factors.item_biases
        shared = dataset.weights[knowledge.known_users].toarray() > 0
        fitted.append(scores[shared].mean() - scores[~shared].mean())
        assert knowledge.popularity.sum() == dataset.interactions("train").positive.sum()
    assert fitted[1] < fitted[0]


@pytest.mark.long
def test_validation_decides_whether_positives_are_weighed(
    misled: tuple[Dataset, Params], capsys: pytest.CaptureFixture[str]
) -> None:
    trained = fit_candidate(*misled, "ease")
    assert trained.weighing is not None
    assert trained.weighing.weighed is not None
    assert trained.weighing.is_better == (trained.weighing.weighed > trained.weighing.alike)
    assert trained.metric == max(trained.weighing.weighed, trained.weighing.alike)
    assert trained.weighing.is_better
    assert "validation: all positives alike" in capsys.readouterr().err
    unable = fit_candidate(*misled, "implicit_bpr")
    assert unable.weighing == Weighing(unable.metric, None)
    assert "implicit_bpr can't weigh positives: all count alike" in capsys.readouterr().err
    without = fit_candidate(replace(misled[0], weights=None), misled[1], "ease")
    assert without.weighing is None


def test_what_validation_decided_is_recorded(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, candidates=["popularity"])
    dataset = load_dataset(project.prepared)
    train(project, params, "popularity")
    assert "event_weights" not in read_json(project.training("popularity"), "")
    part = dataset.interactions(*SPLITS).positives()
    lighter = pd.DataFrame({"user": part.users[:100], "item": part.items[:100], "weight": np.float32(0.5)})
    lighter.to_parquet(project.prepared / WEIGHTS_FILE)
    train(project, params, "popularity")
    recorded = read_json(project.training("popularity"), "")["event_weights"]
    assert recorded["used"] == (recorded["weighed"] > recorded["alike"])
