"""What becomes of a verdict, whose result the test gives."""

import logging

import pytest

from app.contract.trial import Trial
from training.errors import DataError
from training.trials.metrics import TrialMetrics
from training.trials.service import Judge, _judge
from training.trials.verdict import Verdict

TRIAL = Trial("2", "1", "films:2", 0.5, 0)


def value(metrics: TrialMetrics, name: str) -> float | None:
    labels = {"placement": ""} if name == "running" else {}
    return metrics.collectors.get_sample_value(f"recommender_trial_{name}", labels)


def failing(error: Exception) -> Judge:
    def judge() -> tuple[list[Verdict], list[str]]:
        raise error

    return judge


def test_a_verdict_is_shown_and_its_sentences_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    metrics = TrialMetrics()
    verdict = Verdict(TRIAL, "undecided", "no difference", [], None, 1.0, {}, 1.0, 9.0)
    with caplog.at_level(logging.INFO):
        _judge(lambda: ([verdict], ["no difference", "nine days more"]), metrics, lambda: None)
    assert caplog.messages == ["no difference", "nine days more"]
    assert value(metrics, "running") == 1
    assert value(metrics, "failures_total") == 0
    assert (value(metrics, "last_look_timestamp_seconds") or 0) > 0
    _judge(lambda: ([], []), metrics, lambda: None)
    assert value(metrics, "running") == 0


@pytest.mark.parametrize(
    ("error", "sentence", "has_traceback"),
    [(DataError("the store is gone"), "the store is gone", False), (KeyError("a bug"), "The look failed", True)],
)
def test_a_failed_look_is_counted_and_says_why(
    error: Exception, sentence: str, has_traceback: bool, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = TrialMetrics()
    _judge(failing(error), metrics, lambda: None)
    assert value(metrics, "failures_total") == 1
    [record] = caplog.records
    assert (record.getMessage(), record.levelname, record.exc_info is not None) == (sentence, "ERROR", has_traceback)
