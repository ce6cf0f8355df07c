"""The trials of one search, kept on disk so that it can go on another day."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.pool import NullPool

from training.models.search import Between, Range

STARTUP_TRIALS = 5  # before any is pruned
WARMUP_EPOCHS = 5  # of each trial, before it may be pruned
DIGITS = 3  # of a suggested number, so that what is tried is what params.yaml will say
GIVEN = "given"  # marks a trial of parameters that were not suggested
FAILURE = "failure"  # marks one that ended with an error: the sentence


def open_study(database: Path, name: str, recipe: Mapping[str, Any], seed: int) -> optuna.Study:
    """The study of a family; a new one where the rest of its recipe is another than before."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    database.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps(recipe, sort_keys=True, default=repr)
    study = optuna.create_study(
        study_name=f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}",
        # Without a pool, connections are closed as soon as they are not needed.
        storage=optuna.storages.RDBStorage(f"sqlite:///{database}", engine_kwargs={"poolclass": NullPool}),
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, WARMUP_EPOCHS),
        load_if_exists=True,
    )
    # The same seed again would suggest the first values again when a search goes on.
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    return study


def distributions(space: Mapping[str, Range]) -> dict[str, BaseDistribution]:
    """The ranges as Optuna has them."""
    return {name: _distribution(found) for name, found in space.items()}


def _distribution(found: Range) -> BaseDistribution:
    if not isinstance(found, Between):
        return CategoricalDistribution(found.values)
    if isinstance(found.low, int) and isinstance(found.high, int):
        return IntDistribution(found.low, found.high, log=found.log)
    return FloatDistribution(found.low, found.high, log=found.log)


def finished(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that ended, well or not; not those that were interrupted."""
    ended = (TrialState.COMPLETE, TrialState.PRUNED)
    return [trial for trial in study.trials if trial.state in ended or FAILURE in trial.user_attrs]


def tried(trial: FrozenTrial | optuna.Trial) -> dict[str, Any]:
    """The parameters that a trial really had: suggested ones are rounded."""
    return {name: value if GIVEN in trial.user_attrs else _rounded(value) for name, value in trial.params.items()}


def _rounded(value: Any) -> Any:  # noqa: ANN401
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def trial_of(study: optuna.Study, params: Mapping[str, Any]) -> FrozenTrial | None:
    """The trial of exactly these parameters that was not broken off, if there is one."""
    ended = (trial for trial in finished(study) if trial.state is not TrialState.PRUNED)
    return next((trial for trial in ended if tried(trial) == params), None)


def give(study: optuna.Study, params: Mapping[str, Any]) -> None:
    """Make these parameters the next trial, unless they have been tried or wait already."""
    waits = any(trial.state is TrialState.WAITING for trial in study.trials)
    if trial_of(study, params) is None and not waits:
        study.enqueue_trial(dict(params), {GIVEN: True})


def best_of(study: optuna.Study) -> FrozenTrial | None:
    """The complete trial with the highest value, the first of equals."""
    complete = (trial for trial in study.trials if trial.state is TrialState.COMPLETE)
    return max(complete, key=lambda trial: trial.value or 0.0, default=None)
