import time

from training.retrain.metrics import RetrainMetrics


def values(metrics: RetrainMetrics) -> dict[str, float]:
    samples = (sample for metric in metrics.collectors.collect() for sample in metric.samples)
    return {sample.name.removeprefix("recommender_retrain_"): sample.value for sample in samples}


def test_until_the_first_success_the_start_stands_for_it() -> None:
    before = time.time()
    found = values(RetrainMetrics(60))
    assert before <= found["last_success_timestamp_seconds"] <= time.time()
    assert (found["period_seconds"], found["running"], found["failures_total"]) == (60, 0, 0)


def test_a_failed_run_leaves_the_time_of_the_last_success_and_a_good_one_sets_it() -> None:
    metrics = RetrainMetrics(60)
    began = values(metrics)["last_success_timestamp_seconds"]
    metrics.begin()
    assert values(metrics)["running"] == 1
    metrics.end(3, 5.0)
    found = values(metrics)
    assert (found["running"], found["last_exit_code"], found["last_duration_seconds"]) == (0, 3, 5)
    assert (found["failures_total"], found["last_success_timestamp_seconds"]) == (1, began)
    metrics.end(0, 4.0)
    found = values(metrics)
    assert (found["last_exit_code"], found["last_duration_seconds"], found["failures_total"]) == (0, 4, 1)
    assert found["last_success_timestamp_seconds"] > began
