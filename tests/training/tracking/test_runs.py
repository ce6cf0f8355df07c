"""What a candidate's run holds, in MLflow's own words."""

import time
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from tests.training.world import CANDIDATES
from training.tracking.runs import find_pipeline_run, log_candidate, log_dataset, pipeline_run


@pytest.mark.long
def test_a_candidate_is_a_run_below_the_pipeline_s_with_its_whole_curve(
    empty_registry: mlflow.MlflowClient, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "training.json").write_text("{}")
    curves = {"validation_ndcg@10": pd.Series(0.5, index=range(1, 1101))}
    before = int(time.time() * 1000)
    with pipeline_run(None, {"seed": 1}, {"pipeline_hash": "abc"}) as whole:
        log_candidate(empty_registry, CANDIDATES[0], {"dim": 4}, {"ndcg@10": 0.25}, curves, tmp_path / "files")
    after = int(time.time() * 1000)
    experiment_id = empty_registry.get_run(whole).info.experiment_id
    [run] = [each for each in empty_registry.search_runs([experiment_id]) if each.info.run_id != whole]
    assert (run.info.run_name, run.data.tags["mlflow.parentRunId"]) == (CANDIDATES[0], whole)
    assert run.data.params == {"dim": "4"}
    assert run.data.metrics == {"ndcg_at_10": 0.25, "validation_ndcg_at_10": 0.5}
    history = empty_registry.get_metric_history(run.info.run_id, "validation_ndcg_at_10")
    assert [point.step for point in history] == list(range(1, 1101))
    assert all(before <= point.timestamp <= after for point in history)
    assert [entry.path for entry in empty_registry.list_artifacts(run.info.run_id)] == ["training.json"]


def test_a_run_is_found_by_its_results_once_it_has_finished_and_names_its_data(
    empty_registry: mlflow.MlflowClient, tmp_path: Path
) -> None:
    with pipeline_run(None, {}, {"pipeline_hash": "abc"}) as whole:
        log_dataset("movielens", tmp_path, "0123456789abcdef" * 4)
        assert find_pipeline_run(empty_registry, "experiment", "abc") is None
    assert find_pipeline_run(empty_registry, "experiment", "abc") == whole
    assert find_pipeline_run(empty_registry, "experiment", "abd") is None
    [data] = empty_registry.get_run(whole).inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("movielens", "0123456789abcdef" * 2)
    assert [(tag.key, tag.value) for tag in data.tags] == [("mlflow.data.context", "training")]
