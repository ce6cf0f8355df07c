"""The program that trains again and again: a failed run is counted and logged, and the schedule goes on."""

import logging
import signal
import threading
import time
from pathlib import Path
from wsgiref.simple_server import WSGIServer

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from prometheus_client import CollectorRegistry, start_http_server

from training.errors import ParamsError
from training.retrain.pipeline import Pipeline
from training.retrain.schedule import longest_pause
from training.retrain.state import State

NOT_STARTED = 127  # as a shell says it

logger = logging.getLogger(__name__)


def serve(root: Path, trigger: CronTrigger, host: str, port: int, lock: Path | None = None) -> None:
    """Run the pipeline in `root` whenever `trigger` says so, and show metrics on a port, until SIGTERM or Ctrl-C.

    One run at a time: what falls into a run is left out. Raises ParamsError where the port can't be used.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    pipeline, state = Pipeline(root, lock), State(longest_pause(trigger))
    server = show_metrics(host, port, state.collectors)
    scheduler = BackgroundScheduler()
    scheduler.add_job(
        _run, trigger, (pipeline, state), max_instances=1, coalesce=True, misfire_grace_time=None, name="dvc repro"
    )
    scheduler.start()
    logger.info("the next run is at %s", scheduler.get_jobs()[0].next_run_time)
    stopping.wait()
    scheduler.pause()
    pipeline.stop()
    scheduler.shutdown()
    server.shutdown()


def show_metrics(host: str, port: int, collectors: CollectorRegistry) -> WSGIServer:
    """Show metrics on a port; raises ParamsError where it can't be used."""
    try:
        server, _ = start_http_server(port, host, collectors)
    except OSError as error:
        raise ParamsError(f"--host {host} --port {port} can't show metrics ({error}): choose others") from error
    return server


def _run(pipeline: Pipeline, state: State) -> None:
    started = time.monotonic()
    state.begin()
    try:
        code = pipeline.run()
    except OSError:
        logger.exception("dvc repro can't be started")
        code = NOT_STARTED
    seconds = time.monotonic() - started
    if pipeline.stopped:
        logger.info("the run was stopped after %.0f s; what it finished is kept", seconds)
        return
    state.end(code, seconds)
    if code:
        logger.error("dvc repro failed with exit code %d after %.0f s; the next run is as scheduled", code, seconds)
    else:
        logger.info("dvc repro succeeded in %.0f s", seconds)
