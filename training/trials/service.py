"""The program that looks at trials on a schedule: a failed look is counted and logged, and the schedule goes on."""

import logging
from collections.abc import Callable, Sequence
from functools import partial

from apscheduler.triggers.cron import CronTrigger

from training.errors import PipelineError
from training.retrain.program import run_on_schedule
from training.trials.metrics import TrialMetrics
from training.trials.verdict import Verdict

Judge = Callable[[], tuple[Sequence[Verdict], list[str]]]

logger = logging.getLogger(__name__)


def serve(
    judge: Judge, also: Callable[[], None], metrics: TrialMetrics, trigger: CronTrigger, host: str, port: int
) -> None:
    """Judge at once and whenever `trigger` says so, and show metrics on a port, until SIGTERM or Ctrl-C.

    `also` is what else each look sees to, whether a trial runs or not. Raises ParamsError where the port can't be used.
    """
    run_on_schedule(partial(_judge, judge, metrics, also), trigger, host, port, metrics.collectors, at_once=True)


def _judge(judge: Judge, metrics: TrialMetrics, also: Callable[[], None]) -> None:
    try:
        verdicts, sentences = judge()
        also()
    except PipelineError as error:
        metrics.failures.inc()
        logger.error("%s", error)
        return
    except Exception:
        # A bug must not end the program: the next look may succeed.
        metrics.failures.inc()
        logger.exception("The look failed")
        return
    metrics.show(verdicts)
    for sentence in sentences:
        logger.info("%s", sentence)
