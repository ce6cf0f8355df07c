"""The program that looks at trials on a schedule: a failed look is counted and logged, and the schedule goes on."""

import logging
import signal
import threading
from collections.abc import Callable

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from training.errors import PipelineError
from training.retrain.service import show_metrics
from training.trials.state import State
from training.trials.verdict import Verdict

Look = Callable[[], tuple[Verdict | None, list[str]]]

logger = logging.getLogger(__name__)


def serve(look: Look, trigger: CronTrigger, host: str, port: int) -> None:
    """Look at once and whenever `trigger` says so, and show metrics on a port, until SIGTERM or Ctrl-C.

    Raises ParamsError where the port can't be used.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    state = State()
    server = show_metrics(host, port, state.collectors)
    scheduler = BackgroundScheduler()
    scheduler.add_job(_look, trigger, (look, state), max_instances=1, coalesce=True, misfire_grace_time=None)
    _look(look, state)
    scheduler.start()
    stopping.wait()
    scheduler.shutdown()
    server.shutdown()


def _look(look: Look, state: State) -> None:
    try:
        verdict, sentences = look()
    except PipelineError as error:
        state.failures.inc()
        logger.error("%s", error)
        return
    except Exception:
        # A bug must not end the program: the next look may succeed.
        state.failures.inc()
        logger.exception("The look failed")
        return
    state.show(verdict)
    for sentence in sentences:
        logger.info("%s", sentence)
