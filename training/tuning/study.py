"""Keeps the attempts of a search on disk, so that the search can go on another day."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from training.errors import DataError
from training.models.search import Between, Range

STARTUP_ATTEMPTS = 5  # before any is pruned
WARMUP_EPOCHS = 5  # of each attempt, before it may be pruned
DIGITS = 3  # of a suggested number: an attempt uses the number that params.yaml would show
GIVEN = "given"  # marks an attempt of parameters that were not suggested
FAILURE = "failure"  # marks one that ended with an error: the sentence


@contextmanager
def study_errors(database: Path) -> Iterator[None]:
    """Turn an error of the database of attempts into a DataError of one sentence."""
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        reason = " ".join(str(error).split())[:300]
        raise DataError(f"{database} can't be used ({reason}); move it away, and the search begins again") from error


def open_study(database: Path, name: str, recipe: Mapping[str, Any], seed: int) -> optuna.Study:
    """Open the study of a family with this recipe, or begin one."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    database.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps(recipe, sort_keys=True, default=repr)
    study = optuna.create_study(
        study_name=f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}",
        # Without a pool, connections are closed as soon as they are not needed.
        storage=optuna.storages.RDBStorage(f"sqlite:///{database}", engine_kwargs={"poolclass": NullPool}),
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(STARTUP_ATTEMPTS, WARMUP_EPOCHS),
        load_if_exists=True,
    )
    # The same seed again would suggest the first values again when a search goes on.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    return study


def distributions(space: Mapping[str, Range]) -> dict[str, BaseDistribution]:
    """Convert the ranges to Optuna's distributions."""
    return {name: _distribution(values) for name, values in space.items()}


def _distribution(values: Range) -> BaseDistribution:
    if not isinstance(values, Between):
        return CategoricalDistribution(values.values)
    if isinstance(values.low, int) and isinstance(values.high, int):
        return IntDistribution(values.low, values.high, log=values.log)
    return FloatDistribution(values.low, values.high, log=values.log)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """List the attempts that ended, with success or failure, but not the interrupted ones."""
    ended = (TrialState.COMPLETE, TrialState.PRUNED)
    return [attempt for attempt in study.trials if attempt.state in ended or FAILURE in attempt.user_attrs]


def tried(attempt: FrozenTrial | optuna.Trial) -> dict[str, Any]:
    """Return the parameters that an attempt used: suggested ones are rounded."""
    return {name: value if GIVEN in attempt.user_attrs else _rounded(value) for name, value in attempt.params.items()}


def _rounded(value: Any) -> Any:  # noqa: ANN401
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def attempt_of(study: optuna.Study, params: Mapping[str, Any]) -> FrozenTrial | None:
    """Find the attempt of exactly these parameters that ran to its end."""
    ended = (attempt for attempt in finished(study) if attempt.state is not TrialState.PRUNED)
    return next((attempt for attempt in ended if tried(attempt) == params), None)


def give(study: optuna.Study, params: Mapping[str, Any]) -> None:
    """Queue these parameters as the next attempt, unless an attempt had them or one is queued already."""
    waits = any(attempt.state is TrialState.WAITING for attempt in study.trials)
    if attempt_of(study, params) is None and not waits:
        study.enqueue_trial(dict(params), {GIVEN: True})


def best_of(study: optuna.Study) -> FrozenTrial | None:
    """Find the complete attempt with the highest value, the first of equals."""
    complete = (attempt for attempt in study.trials if attempt.state is TrialState.COMPLETE)
    return max(complete, key=lambda attempt: attempt.value or 0.0, default=None)
