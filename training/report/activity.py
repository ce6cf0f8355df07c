"""The metric by activity: for users who have rated few, a medium number of, or many films."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.data.dataset import USER_ID
from training.evaluation.results import CONFIDENCE, HISTORY, SEGMENTS
from training.metrics.bootstrap import Interval, confidence_interval
from training.params.whole import Params


@dataclass(frozen=True)
class Activity:
    """One segment of users: how many, and the metric of each candidate."""

    name: str
    users: int
    metric: dict[str, Interval]


def by_activity(users: Mapping[str, pd.DataFrame], params: Params) -> list[Activity]:
    """Compute `select.metric` with its interval for each segment of `evaluate.segments` in which a user has it."""
    tables = [table.set_index(USER_ID) for table in users.values()]
    values = pd.concat([table[params.select.metric] for table in tables], axis=1).to_numpy(dtype=np.float64)
    segments = np.digitize(tables[0][HISTORY], params.evaluate.segments)
    activities = []
    for number, name in enumerate(_names(params)):
        part = values[segments == number]
        if np.isfinite(part).any(axis=0).all():
            rng = np.random.default_rng(params.seed)
            intervals = confidence_interval(part, params.evaluate.bootstrap, CONFIDENCE, rng)
            activities.append(Activity(name, len(part), dict(zip(users, intervals, strict=True))))
    return activities


def _names(params: Params) -> list[str]:
    low, high = params.evaluate.segments
    bounds = (f"below {low}", f"{low} to {high - 1}", f"{high} or more")
    return [f"{name} ({bound})" for name, bound in zip(SEGMENTS, bounds, strict=True)]
