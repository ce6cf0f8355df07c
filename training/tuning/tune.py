"""The `tune` command: runs a search, logs it to MLflow, and says how it goes."""

import math
import time
from collections.abc import Callable

from optuna.trial import FrozenTrial, TrialState

from training.params.whole import Params
from training.project import Project
from training.tracking.connection import connect
from training.tracking.trials import TrialRun, end_search, log_trials, search_run
from training.tuning.search import Search
from training.tuning.study import FAILURE, study_errors, tried


def tune(
    project: Project,
    params: Params,
    family: str,
    candidate: str,
    n_trials: float,
    timeout: float | None,
    say: Callable[[str], None],
) -> Search:
    """Run trials of a family, for a candidate, until there are `n_trials`, or one ends after `timeout` seconds.

    Log every trial as a run in MLflow, earlier ones that are missing there included.
    """
    with study_errors(project.studies):
        search = Search.open(project, params, family, candidate)
        say(f"tune {search.title}: {len(search.trials())}{_of(n_trials)} trials so far, in {project.studies}")
        _run(search, project, params, n_trials, timeout, say)
    return search


def _run(
    search: Search,
    project: Project,
    params: Params,
    n_trials: float,
    timeout: float | None,
    say: Callable[[str], None],
) -> None:
    experiment, tags = params.registration.experiment, {"family": search.name, "candidate": search.candidate}
    client = connect(project.root, experiment)
    run_id = search_run(client, experiment, search.study.study_name, tags)
    log_trials(client, run_id, search.metric, map(_as_run, search.trials()))
    end = time.monotonic() + (float("inf") if timeout is None else timeout)
    for trial in search.run(n_trials):
        log_trials(client, run_id, search.metric, [_as_run(trial)])
        say(_progress(trial, search, n_trials))
        if time.monotonic() >= end:
            break
    best = search.best()
    end_search(client, run_id, search.metric, best.value if best else None)


def _as_run(trial: FrozenTrial) -> TrialRun:
    assert trial.datetime_start is not None  # noqa: S101 - it ended
    assert trial.datetime_complete is not None  # noqa: S101 - it ended
    return TrialRun(
        number=trial.number + 1,
        params=tried(trial),
        curve=trial.intermediate_values,
        value=trial.value,
        outcome=trial.state.name.lower(),
        began=trial.datetime_start,
        ended=trial.datetime_complete,
    )


def _progress(trial: FrozenTrial, search: Search, n_trials: float) -> str:
    seconds = trial.duration.total_seconds() if trial.duration else 0.0
    best = search.best()
    so_far = f"best {best.value:.4f}, trial {best.number + 1}" if best else "none complete yet"
    params = ", ".join(f"{name} {value}" for name, value in tried(trial).items())
    return f"trial {len(search.trials())}{_of(n_trials)}: {_outcome(trial)} in {seconds:.0f} s ({so_far}); {params}"


def _outcome(trial: FrozenTrial) -> str:
    if trial.state is TrialState.COMPLETE:
        return f"{trial.value:.4f}"
    if trial.state is TrialState.PRUNED:
        return f"pruned at epoch {trial.last_step}"
    return f"failed: {trial.user_attrs[FAILURE]}"


def _of(n_trials: float) -> str:
    return "" if math.isinf(n_trials) else f" of {n_trials}"
