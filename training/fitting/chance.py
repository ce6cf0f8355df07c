"""How much of a result is luck of the fit: what the same family reaches with other random numbers."""

from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from training.fitting.validation import Validation
from training.models.base import Family, Fits


def other_seeds(validation: Validation, family: Family, seeds: int) -> list[float]:
    """Fit a family that has nothing left open with each further seed, and measure it on validation."""
    data = replace(validation.knowledge.weighed_data, fits=Fits())  # those that are kept are of the first seed
    with threadpool_limits(validation.knowledge.threads):
        fits = [family.fit(data, np.random.default_rng(validation.seed + further)) for further in range(1, seeds)]
    return [validation.measure(factors) for factors in fits]
