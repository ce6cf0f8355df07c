"""The program that trains again and again: a failed run is counted and logged, and the schedule goes on."""

import logging
import time
from functools import partial
from pathlib import Path

from apscheduler.triggers.cron import CronTrigger

from training.retrain.metrics import RetrainMetrics
from training.retrain.pipeline import Pipeline
from training.retrain.program import run_on_schedule
from training.retrain.schedule import longest_pause

NOT_STARTED = 127  # as a shell says it

logger = logging.getLogger(__name__)


def serve(root: Path, trigger: CronTrigger, host: str, port: int, lock: Path | None = None) -> None:
    """Run the pipeline in `root` whenever `trigger` says so, and show metrics on a port, until SIGTERM or Ctrl-C.

    Raises ParamsError where the port can't be used.
    """
    pipeline, metrics = Pipeline(root, lock), RetrainMetrics(longest_pause(trigger))
    run_on_schedule(partial(_run, pipeline, metrics), trigger, host, port, metrics.collectors, stop=pipeline.stop)


def _run(pipeline: Pipeline, metrics: RetrainMetrics) -> None:
    started = time.monotonic()
    metrics.begin()
    try:
        code = pipeline.run()
    except OSError:
        logger.exception("dvc repro can't be started")
        code = NOT_STARTED
    seconds = time.monotonic() - started
    if pipeline.stopped:
        logger.info("the run was stopped after %.0f s; what it finished is kept", seconds)
        return
    metrics.end(code, seconds)
    if code:
        logger.error("dvc repro failed with exit code %d after %.0f s; the next run is as scheduled", code, seconds)
    else:
        logger.info("dvc repro succeeded in %.0f s", seconds)
