"""Runs an attempt: fits a family with suggested parameters and measures it on validation."""

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
"""Makes what is measured, with the parameters of an attempt."""


def run_attempt(
    study: optuna.Study, space: Mapping[str, BaseDistribution], make: MakeFamily, validation: Validation
) -> None:
    """Fit the next suggestion and tell the study how it went: a value, pruned, or failed.

    An attempt is pruned if its metric is below the median of the earlier attempts at the same epoch.
    """
    attempt = study.ask(dict(space))
    try:
        value = _value(attempt, make, validation)
    except optuna.TrialPruned:
        study.tell(attempt, state=TrialState.PRUNED)
    except TrainingError as error:
        attempt.set_user_attr(FAILURE, str(error))
        study.tell(attempt, state=TrialState.FAIL)
    except BaseException:
        study.tell(attempt, state=TrialState.FAIL)
        raise
    else:
        study.tell(attempt, value)


def _value(attempt: optuna.Trial, make: MakeFamily, validation: Validation) -> float:
    curve = []

    def measure(factors: Factors) -> float:
        curve.append(validation.measure(factors))
        attempt.report(curve[-1], len(curve))
        if attempt.should_prune() and GIVEN not in attempt.user_attrs:
            raise optuna.TrialPruned
        return curve[-1]

    return validation.fit_validated(make(tried(attempt)), measure).metric
