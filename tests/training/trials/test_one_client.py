"""What one client without a key can do to a trial of N people with fewer than N / 100 requests: next to nothing."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import count, islice
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from app.contract.events import DEFAULT_TYPES, Event, EventTypes
from app.contract.recommendation_id import id_maker
from app.contract.trial import ARMS, Arm, Trial
from tests.marks import long
from tests.training.trials.simulation import FIRST_DAY, simulate
from training.params.register import TrialParams
from training.trials.attribution import observe
from training.trials.records import DAY, Records
from training.trials.sequence import VOICES
from training.trials.verdict import Verdict, judge

PEOPLE, DAYS, ITEMS = 3000, 20, 1000
TRIAL = Trial("7", "5", "nobody knows it", 0.5, FIRST_DAY * DAY)
PARAMS = TrialParams(share=0.5, days=14, success=("like",), max_loss=0.05)
NUMBERS = count()


def makers_of(trial: Trial) -> dict[Arm, Callable[[bytes], bytes]]:
    versions = zip(ARMS, (trial.against, trial.version), strict=True)
    return {arm: id_maker(version, arm, trial.secret) for arm, version in versions}


MAKERS = makers_of(TRIAL)


class Clock:
    """What the ids of lists take for the time."""

    now = 0.0

    def time(self) -> float:
        return self.now


CLOCK = Clock()


@pytest.fixture(autouse=True, scope="module")
def _clock() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.contract.recommendation_id.time", CLOCK)
        yield


@cache
def honest(lift: float) -> tuple[list[tuple[str, int, int, int]], list[Event]]:
    """The lists that people got, by user, arm and day, and what they said."""
    rng = np.random.default_rng(5)
    daily = simulate(rng, PEOPLE, DAYS, TRIAL.share)[["user_id", "day", "lists", "successes"]]
    shown, said = list[tuple[str, int, int, int]](), list[Event]()
    for number, day, lists, good in daily.astype(int).to_numpy().tolist():
        user = str(number)
        arm = TRIAL.arm(user)
        better = int(rng.binomial(lists, 0.067 * lift)) if arm else 0
        shown.append((user, int(arm), day, lists))
        items = rng.integers(ITEMS, size=min(good + better, lists)).tolist()
        said += [event(user, day, "like", item, sealed(user, day)) for item in items]
    return shown, said


class People:
    """The lists that people got, and what was said about them."""

    def __init__(self, lift: float) -> None:
        shown, said = honest(lift)
        self.shown, self.said = [*shown], [*said]
        self.ids = list(dict.fromkeys(user for user, *_ in shown))

    def of(self, arm: Arm) -> list[str]:
        return [user for user in self.ids if TRIAL.arm(user) is arm]

    def get(self, user: str, day: int) -> str:
        """One request for a list; returns its id."""
        self.shown.append((user, int(TRIAL.arm(user)), day, 1))
        return sealed(user, day)

    def judged(self) -> Verdict:
        shown = pd.DataFrame(self.shown, columns=["user_id", "arm", "day", "lists"])
        shown = shown.groupby(["user_id", "arm", "day"], as_index=False).sum()
        rows = [
            (e.user_id, e.item_id, e.type, math.nan, e.occurred_at, e.occurred_at, e.recommendation_id)
            for e in self.said
        ]
        names = ["user_id", "item_id", "type", "value", "occurred_at", "received_at", "recommendation_id"]
        records = Records(TRIAL.experiment, shown, pd.DataFrame(rows, columns=names), mixed=False)
        observed = observe(records, TRIAL, PARAMS.success, EventTypes(DEFAULT_TYPES, None))
        return judge(TRIAL, records, observed, PARAMS, 0.95, (FIRST_DAY + DAYS) * DAY)


def event(user: str, day: int, kind: str, item: int, name: str | None) -> Event:
    return Event(str(UUID(int=next(NUMBERS))), user, str(item), kind, None, day * DAY + DAY / 2, name)


def sealed(user: str, day: int, makers: dict[Arm, Callable[[bytes], bytes]] = MAKERS) -> str:
    CLOCK.now = day * DAY + DAY / 2
    return makers[TRIAL.arm(user)](user.encode()).decode()


def get_lists_and_like_films(people: People, arm: Arm, requests: int, day: int) -> None:
    """A list for each of as many people, and for each list a hundred likes."""
    for user in islice(people.of(arm), requests):
        name = people.get(user, day)
        people.said += [event(user, day, "like", item, name) for item in range(100)]


def get_lists_for_one_and_like_a_film_of_each(people: People, arm: Arm, requests: int, day: int) -> None:
    user = people.of(arm)[0]
    for item in range(requests):
        people.said.append(event(user, day - item % DAYS, "like", item, people.get(user, day - item % DAYS)))


def like_films_in_everybody_s_name(people: People, arm: Arm, requests: int, day: int) -> None:
    for number in range(requests):
        guess = makers_of(replace(TRIAL, salt=f"films:{number}"))
        users = islice(people.of(arm), 500)
        people.said += [
            event(user, day, "like", number, name) for user in users for name in (None, sealed(user, day, guess))
        ]


def take_back_what_people_like(people: People, arm: Arm, requests: int, day: int) -> None:
    likes = [each for each in people.said if TRIAL.arm(each.user_id) is arm]
    people.said += [event(each.user_id, day, "retract", int(each.item_id or 0), None) for each in likes]


ATTACKS = (
    get_lists_and_like_films,
    get_lists_for_one_and_like_a_film_of_each,
    like_films_in_everybody_s_name,
    take_back_what_people_like,
)


@pytest.mark.parametrize("attack", [ATTACKS[0], *long(ATTACKS[1:])])
@pytest.mark.parametrize("arm", [ARMS[0], pytest.param(ARMS[1], marks=pytest.mark.long)])
@pytest.mark.parametrize(("lift", "word"), [(0.0, "undecided"), pytest.param(0.7, "better", marks=pytest.mark.long)])
def test_fewer_requests_than_a_hundredth_of_the_people_change_no_verdict(
    attack: Callable[[People, Arm, int, int], None], arm: Arm, lift: float, word: str
) -> None:
    people = People(lift)
    assert people.judged().word == word
    attack(people, arm, (len(people.ids) - 1) // VOICES, FIRST_DAY + DAYS - 1)
    assert people.judged().word == word
