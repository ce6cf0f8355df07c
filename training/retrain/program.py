"""A program that does one thing on a schedule, and shows metrics, until it is told to end."""

import logging
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timezone

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from prometheus_client import CollectorRegistry, start_http_server

from training.errors import ParamsError

logger = logging.getLogger(__name__)


def run_on_schedule(
    job: Callable[[], None],
    trigger: CronTrigger,
    host: str,
    port: int,
    collectors: CollectorRegistry,
    *,
    at_once: bool = False,
    stop: Callable[[], None] = lambda: None,
) -> None:
    """Call `job` whenever `trigger` says so, and show metrics on a port, until SIGTERM or Ctrl-C.

    One call at a time: what falls into a call is left out. `at_once` makes a call at the start as well; `stop` ends a
    call that goes on at the end. Raises ParamsError where the port can't be used.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        start_http_server(port, host, collectors)
    except (OSError, OverflowError) as error:
        raise ParamsError(f"--host {host} --port {port} can't show metrics ({error}): choose others") from error
    scheduler = BackgroundScheduler()
    first = {"next_run_time": datetime.now(timezone.utc)} if at_once else {}
    scheduler.add_job(job, trigger, max_instances=1, coalesce=True, misfire_grace_time=None, **first)
    scheduler.start()
    logger.info("the next run is at %s", scheduler.get_jobs()[0].next_run_time)
    stopping.wait()
    stop()
    scheduler.shutdown()
