"""Runs a trial: fits a family with suggested parameters and measures it on validation."""

from collections.abc import Callable, Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import TrialState

from training.errors import TrainingError
from training.fitting.validation import Validation
from training.models.base import Factors, Family
from training.tuning.study import FAILURE, GIVEN, tried

MakeFamily = Callable[[Mapping[str, Any]], Family]
"""Makes what is measured, with the parameters of a trial."""


def run_trial(
    study: optuna.Study, space: Mapping[str, BaseDistribution], make: MakeFamily, validation: Validation
) -> None:
    """Fit the next suggestion and tell the study how it went: a value, pruned, or failed.

    A trial is pruned if its metric is below the median of the earlier trials at the same epoch.
    """
    trial = study.ask(dict(space))
    try:
        value = _value(trial, make, validation)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except TrainingError as error:
        trial.set_user_attr(FAILURE, str(error))
        study.tell(trial, state=TrialState.FAIL)
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    else:
        study.tell(trial, value)


def _value(trial: optuna.Trial, make: MakeFamily, validation: Validation) -> float:
    curve = []

    def measure(factors: Factors) -> float:
        curve.append(validation.measure(factors))
        trial.report(curve[-1], len(curve))
        if trial.should_prune() and GIVEN not in trial.user_attrs:
            raise optuna.TrialPruned
        return curve[-1]

    return validation.fit_validated(make(tried(trial)), measure).metric
