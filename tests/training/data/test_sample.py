"""The sample's truth is known, so one can say how close a model comes to the best possible ranking."""

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact import load_artifact
from tests.training.world import ROOT
from training.data.dataset import load_dataset
from training.data.sample.simulation import simulate
from training.evaluation.ranking import rank_test
from training.evaluation.targets import Targets
from training.fetch import fetch
from training.metrics.ranking import ndcg
from training.params.whole import load_params
from training.prepare import prepare
from training.project import Project
from training.train import train

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def ndcgs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Mean NDCG@10 of the default candidates, and of the ranking by the true probability."""
    project, params = Project(tmp_path_factory.mktemp("sample")), load_params(ROOT / "params.yaml")
    fetch(params.fetch, params.seed, project.raw)
    prepare(params, project.raw, project.prepared, project.stats)
    dataset, results = load_dataset(project.prepared), {}
    for candidate in params.candidates:
        train(project, params, candidate)
        artifact = load_artifact(project.model(candidate))
        results[candidate] = float(rank_test(artifact, dataset, params.evaluate).per_user("ndcg@10").mean())

    truth = simulate(pd.read_csv(project.raw / "items.csv", keep_default_na=False), params.seed)
    targets = Targets.of(artifact.user_ids, dataset, dataset.interactions("test"))
    probability = truth.probability[np.searchsorted(truth.user_ids, artifact.user_ids)].copy()
    for row, (start, end) in enumerate(zip(artifact.seen_indptr[:-1], artifact.seen_indptr[1:], strict=True)):
        probability[row, artifact.seen_indices[start:end]] = -1
    best = np.argsort(-probability[targets.user_rows], axis=1, kind="stable")[:, :10]
    hits = np.take_along_axis(targets.relevant.toarray() > 0, best, axis=1)
    results["best possible"] = float(ndcg(hits, np.diff(targets.relevant.indptr)).mean())
    return results


def test_lightfm_comes_within_seven_tenths_of_the_best_possible_ranking(ndcgs: dict[str, float]) -> None:
    assert ndcgs["lightfm"] > 0.7 * ndcgs["best possible"]
    assert ndcgs["lightfm"] < ndcgs["best possible"]


def test_popularity_is_far_from_it(ndcgs: dict[str, float]) -> None:
    assert ndcgs["popularity"] < 0.5 * ndcgs["lightfm"]
