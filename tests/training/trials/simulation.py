"""Simulated trials: users who come now and then, each with a taste of their own for what they are shown."""

import numpy as np
import pandas as pd

FIRST_DAY = 20_000  # days since 1970


def simulate(
    rng: np.random.Generator,
    n_users: int = 6000,
    days: int = 28,
    share: float = 0.5,
    lift: float = 0.0,
    lost: float = 0.0,
) -> pd.DataFrame:
    """What `Observations` has for each user and day.

    A list is a success with a chance that differs between users, 7 % on average, and is higher by the factor
    1 + `lift` in the challenger's arm, from which `lost`, a share of its users, never reach the counts.
    """
    arm = (rng.random(n_users) < share).astype(np.int64)
    comes = rng.random((n_users, days)) < rng.beta(1, 6, (n_users, 1))
    lists = comes * (1 + rng.poisson(1.5, (n_users, days)))
    chance = rng.beta(0.5, 7, (n_users, 1)) * (1 + lift * arm[:, None])
    successes = rng.binomial(lists, np.minimum(chance, 1))
    users, on = np.nonzero(comes & ~((arm == 1) & (rng.random(n_users) < lost))[:, None])
    return pd.DataFrame(
        {
            "user_id": users,
            "arm": arm[users],
            "day": FIRST_DAY + on,
            "lists": lists[users, on],
            "successes": successes[users, on],
        }
    )
