"""The `tune` command: runs a search, logs it to MLflow, and says how it goes."""

import math
import time
from collections.abc import Callable

from optuna.trial import FrozenTrial, TrialState

from training.params.whole import Params
from training.project import Project
from training.tracking.attempts import AttemptRun, end_search, log_attempts, search_run
from training.tracking.connection import connect
from training.tuning.search import Search
from training.tuning.study import FAILURE, study_errors, tried


def tune(
    project: Project,
    params: Params,
    family: str,
    candidate: str,
    n_attempts: float,
    timeout: float | None,
    say: Callable[[str], None],
) -> Search:
    """Run attempts of a family, for a candidate, until there are `n_attempts`, or one ends after `timeout` seconds.

    Log every attempt as a run in MLflow, earlier ones that are missing there included.
    """
    with study_errors(project.studies):
        search = Search.open(project, params, family, candidate)
        say(f"tune {search.title}: {len(search.attempts())}{_of(n_attempts)} attempts so far, in {project.studies}")
        experiment, tags = params.registration.experiment, {"family": search.name, "candidate": search.candidate}
        client = connect(project.root, experiment)
        run_id = search_run(client, experiment, search.study.study_name, tags)
        log_attempts(client, run_id, search.metric, map(_as_run, search.attempts()))
        end = time.monotonic() + (math.inf if timeout is None else timeout)
        for attempt in search.run(n_attempts):
            log_attempts(client, run_id, search.metric, [_as_run(attempt)])
            say(_progress(attempt, search, n_attempts))
            if time.monotonic() >= end:
                break
        best = search.best()
        end_search(client, run_id, search.metric, best.value if best else None)
    return search


def _as_run(attempt: FrozenTrial) -> AttemptRun:
    assert attempt.datetime_start is not None  # noqa: S101 - it ended
    assert attempt.datetime_complete is not None  # noqa: S101 - it ended
    return AttemptRun(
        number=attempt.number + 1,
        params=tried(attempt),
        curve=attempt.intermediate_values,
        value=attempt.value,
        outcome=attempt.state.name.lower(),
        began=attempt.datetime_start,
        ended=attempt.datetime_complete,
    )


def _progress(attempt: FrozenTrial, search: Search, n_attempts: float) -> str:
    seconds = attempt.duration.total_seconds() if attempt.duration else 0.0
    best = search.best()
    so_far = f"best {best.value:.4f}, attempt {best.number + 1}" if best else "none complete yet"
    params = ", ".join(f"{name} {value}" for name, value in tried(attempt).items())
    number = f"{len(search.attempts())}{_of(n_attempts)}"
    return f"attempt {number}: {_outcome(attempt)} in {seconds:.0f} s ({so_far}); {params}"


def _outcome(attempt: FrozenTrial) -> str:
    if attempt.state is TrialState.COMPLETE:
        return f"{attempt.value:.4f}"
    if attempt.state is TrialState.PRUNED:
        return f"pruned at epoch {attempt.last_step}"
    return f"failed: {attempt.user_attrs[FAILURE]}"


def _of(n_attempts: float) -> str:
    return "" if math.isinf(n_attempts) else f" of {n_attempts}"
