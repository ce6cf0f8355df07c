"""The difference between the arms, day by day, with a band that holds however often somebody looks."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.trial import Arm

TUNED_FOR = 5000  # users at which the band is narrowest
# Below these the method's approximation is no good.
LEAST_USERS = 100  # of each arm
LEAST_SUCCESSES = 20  # of each arm
VOICES = 100

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def bought_users(users: int) -> int:
    """How many of these users may have been one client in disguise."""
    return users // VOICES


class Standing(NamedTuple):
    """What is known after one day: users and successes a list of each arm, the difference and its band.

    The difference is challenger less production. `half` is half the width of the band, NaN where an arm has too few
    users or successes. The band holds for all days at once. `bought` is the part of `half` for the good lists that one
    client could have got with a request for every hundredth user.
    """

    day: int
    users: tuple[int, int]
    rates: tuple[float, float]
    standard_error: float
    half: float
    bought: float = 0.0

    @property
    def difference(self) -> float:
        """Successes a list of the challenger's arm, less those of the other."""
        return self.rates[1] - self.rates[0]

    @property
    def low(self) -> float:
        """The lower end of the band."""
        return self.difference - self.half

    @property
    def high(self) -> float:
        """The upper end of the band."""
        return self.difference + self.half


def standings(daily: pd.DataFrame, alpha: float) -> list[Standing]:
    """What is known after each day; `daily` is that of `Observations`.

    With probability 1 - alpha the bands of all days hold the true difference.
    """
    if daily.empty:
        return []
    first = int(daily["day"].min())
    n_days = int(daily["day"].max()) - first + 1
    arms = [_ArmSums.of(daily[daily["arm"] == arm], first, n_days) for arm in (Arm.PRODUCTION, Arm.CHALLENGER)]
    return [_standing(first + day, [arm.until(day) for arm in arms], alpha) for day in range(n_days)]


def half_width(n: float, standard_error: float, alpha: float) -> float:
    """Half the width of an asymptotic confidence sequence of a mean difference after `n` users.

    Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic
    confidence sequences (2021), as GrowthBook's documentation of sequential testing gives it.
    """
    rho2 = (-2 * math.log(alpha) + math.log(1 - 2 * math.log(alpha))) / TUNED_FOR
    spread = standard_error * math.sqrt(n)
    return spread * math.sqrt(2 * (n * rho2 + 1) / (n**2 * rho2) * math.log(math.sqrt(n * rho2 + 1) / alpha))


def users_needed(standing: Standing, alpha: float, most: float) -> float | None:
    """How many users the band needs to leave out 0, if the difference stays as it is; None if more than `most`."""
    n = float(sum(standing.users))
    spread = standing.standard_error * math.sqrt(n)
    while half_width(n, spread / math.sqrt(n), alpha) + standing.bought > abs(standing.difference):
        n *= 1.01
        if n > most:
            return None
    return n


class _Ratio(NamedTuple):
    """Successes a list: users, successes, the ratio of the means and its variance by the delta method."""

    users: int
    successes: float
    rate: float
    variance: float
    lists: float


class _ArmSums(NamedTuple):
    """Sums over the users of one arm after each day: float64 (n_days,)."""

    users: Floats
    lists: Floats
    successes: Floats
    lists_squared: Floats
    successes_squared: Floats
    products: Floats

    @classmethod
    def of(cls, daily: pd.DataFrame, first: int, n_days: int) -> "_ArmSums":
        """Add up; what a day adds to a sum of squares follows from the user's own sums before and after it."""
        ordered = daily.sort_values(["user_id", "day"])
        new = ordered[["lists", "successes"]]
        lists, successes = new.groupby(ordered["user_id"]).cumsum().to_numpy(dtype=np.float64).T
        added_lists, added_successes = new.to_numpy(dtype=np.float64).T
        lists_before, successes_before = lists - added_lists, successes - added_successes
        parts = (
            ~ordered["user_id"].duplicated().to_numpy(),
            added_lists,
            added_successes,
            lists**2 - lists_before**2,
            successes**2 - successes_before**2,
            lists * successes - lists_before * successes_before,
        )
        days = ordered["day"].to_numpy(dtype=np.int64) - first
        return cls(*(np.bincount(days, weights=part, minlength=n_days).cumsum() for part in parts))

    def until(self, day: int) -> _Ratio:
        """The ratio after a day.

        Source: Deng, Knoblich and Lu, Applying the delta method in metric analytics (2018).
        """
        n, lists, successes, lists2, successes2, products = (float(part[day]) for part in self)
        if not lists:
            return _Ratio(int(n), 0.0, 0.0, 0.0, 0.0)
        rate = successes / lists
        squares = successes2 - 2 * rate * products + rate**2 * lists2
        return _Ratio(int(n), successes, rate, squares / lists**2, lists)


def _standing(day: int, arms: list[_Ratio], alpha: float) -> Standing:
    production, challenger = arms
    users = production.users, challenger.users
    standard_error = math.sqrt(max(production.variance, 0) + max(challenger.variance, 0))
    few = min(users) < LEAST_USERS or min(production.successes, challenger.successes) < LEAST_SUCCESSES
    if few:
        return Standing(day, users, (production.rate, challenger.rate), standard_error, math.nan)
    bought = bought_users(sum(users)) / min(production.lists, challenger.lists)
    half = half_width(sum(users), standard_error, alpha) + bought
    return Standing(day, users, (production.rate, challenger.rate), standard_error, half, bought)
