"""Fits a model of the library implicit epoch by epoch, with a progress bar and an early end."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from implicit.recommender_base import ModelFitError

from training.errors import TrainingError
from training.models.base import Factors, TrainingData, Watch
from training.progress import counter


class _WatchedEnoughError(Exception):
    """Ends a fit early; the library offers no other way."""


def fit_epochs(
    name: str,
    model: Any,  # noqa: ANN401
    data: TrainingData,
    factors: Callable[[], Factors],
    watch: Watch | None,
) -> Factors:
    """Fit `model` for its number of iterations, or until `watch` returns True; return its factors.

    Raises TrainingError where the numbers don't stay finite.
    """
    with counter(name, "epoch", model.iterations) as epochs, suppress(_WatchedEnoughError):

        def after_epoch(iteration: int, *_: object) -> None:
            epochs.update()
            if watch is not None and watch(iteration + 1, factors):
                raise _WatchedEnoughError

        try:
            model.fit(data.positives, show_progress=False, callback=after_epoch)
        except ModelFitError as error:
            remedy = f"raise models.{name}.regularization, now {model.regularization:g}"
            raise TrainingError(f"{name} learned NaN or infinite numbers; {remedy}") from error
    return factors()
