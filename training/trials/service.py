"""The program that looks at trials on a schedule: a failed look is counted and logged, and the schedule goes on."""

import logging
from collections.abc import Callable
from functools import partial

from apscheduler.triggers.cron import CronTrigger

from training.errors import PipelineError
from training.retrain.program import run_on_schedule
from training.trials.state import State
from training.trials.verdict import Verdict

Look = Callable[[], tuple[Verdict | None, list[str]]]

logger = logging.getLogger(__name__)


def serve(look: Look, trigger: CronTrigger, host: str, port: int) -> None:
    """Look at once and whenever `trigger` says so, and show metrics on a port, until SIGTERM or Ctrl-C.

    Raises ParamsError where the port can't be used.
    """
    state = State()
    run_on_schedule(partial(_look, look, state), trigger, host, port, state.collectors, at_once=True)


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
