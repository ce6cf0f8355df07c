from pathlib import Path

import numpy as np
import pytest

from tests.training.world import make_project
from training.data.dataset import load_dataset
from training.evaluation.ranking import rank
from training.fitting.validation import LEARNED_FROM, Validation
from training.models import make_family


@pytest.mark.parametrize("metric", ["auc", "ndcg@10"])
def test_any_metric_may_decide(metric: str, tmp_path: Path) -> None:
    project, params = make_project(tmp_path, select__metric=metric)
    validation = Validation.of(load_dataset(project.prepared, LEARNED_FROM), params, "popularity")
    fit = validation.fit_validated(make_family("popularity", {}))
    outcome = rank(validation.knowledge.ranking_artifact(fit.factors), validation.targets, 10, with_auc=True)
    assert fit.metric == pytest.approx(np.nanmean(outcome.per_user(metric)))
    assert 0 < fit.metric < 1


def test_so_many_users_are_measured_as_are_asked_for(tmp_path: Path) -> None:
    project, params = make_project(tmp_path)
    dataset = load_dataset(project.prepared, LEARNED_FROM)
    n_users = len(Validation.of(dataset, params, "popularity").targets.user_rows)
    assert n_users == len(np.unique(dataset.interactions("validation").positives().users))
    few = params.model_copy(update={"select": params.select.model_copy(update={"validation_users": 7})})
    assert len(Validation.of(dataset, few, "popularity").targets.user_rows) == 7
