"""The estimators of what another policy would bring, on a world whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from training.pleased.off_policy import Choices, Replay, SupportError, effective_size, replay, without_robots

N_ITEMS, RUNS, USERS, EACH = 10, 500, 400, 5
TASTE = np.linspace(0.05, 0.4, N_ITEMS)
LOGGED = np.full(N_ITEMS, 0.05) + np.where(np.arange(N_ITEMS) == 2, 0.5, 0.0)  # mostly one item, and all the others
OTHER = np.linspace(1, 3, N_ITEMS) / np.linspace(1, 3, N_ITEMS).sum()
TRUTH = float(OTHER @ TASTE)
BELIEVED = TASTE * 0.7 + 0.03  # by a model of rewards that is wrong


def recorded(seed: int, users: int = USERS, each: int = EACH) -> Choices:
    """Choices of users who differ: some like everything more, some less."""
    rng = np.random.default_rng(seed)
    of_user = np.repeat(np.arange(users), each)
    keenness = np.repeat(rng.choice([0.4, 1.6], users), each)
    taken = rng.choice(N_ITEMS, size=users * each, p=LOGGED)
    reward = (rng.random(users * each) < TASTE[taken] * keenness).astype(np.float64)
    ones = np.ones(users * each)
    return Choices(of_user, reward, LOGGED[taken], OTHER[taken], BELIEVED[taken], (OTHER @ BELIEVED) * ones)


def held(found: list[Replay], name: str) -> float:
    return float(np.mean([getattr(each, name).low <= TRUTH <= getattr(each, name).high for each in found]))


@pytest.mark.long
def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    assert LOGGED.sum() == pytest.approx(1)
    found = [replay(recorded(seed), 0.95) for seed in range(RUNS)]
    for name in ("snips", "doubly_robust"):
        assert 0.93 <= held(found, name) <= 0.97, name
        mean = np.mean([getattr(each, name).mean for each in found])
        assert mean == pytest.approx(TRUTH, abs=0.003)
    widths = [
        np.mean([getattr(each, name).high - getattr(each, name).low for each in found])
        for name in ("snips", "doubly_robust")
    ]
    assert widths[1] < widths[0]  # even a model that is wrong helps


def test_the_estimates_are_those_of_the_formulas() -> None:
    # Worked out by hand: weights 2, 1/2 and 1; effective (3.5)² / 5.25.
    choices = Choices(
        np.arange(3), np.array([1.0, 0, 1]), np.array([0.25, 0.5, 0.5]), np.array([0.5, 0.25, 0.5]),
        np.array([0.5, 0.5, 0.5]), np.array([0.6, 0.6, 0.6]),
    )  # fmt: skip
    many = Choices(*(np.tile(value, 200) for value in vars(choices).values()))
    many = replace(many, users=np.arange(600))
    found = replay(many, 0.95)
    assert found.snips.mean == pytest.approx(3 / 3.5)
    assert found.doubly_robust.mean == pytest.approx(0.6 + (2 * 0.5 - 0.5 * 0.5 + 0.5) / 3.5)
    assert found.effective == pytest.approx(200 * 3.5**2 / 5.25)
    assert effective_size(np.zeros(3)) == 0


def test_nobody_decides_an_estimate_by_odds_that_they_made_up() -> None:
    honest = recorded(1)
    n, tiny = 100_000, np.array([1e-9, 1e-7, 1e-3])
    of_robots = Choices(
        USERS + np.arange(n) % 3, np.ones(n), tiny[np.arange(n) % 3], np.ones(n), np.zeros(n), np.zeros(n)
    )
    joined = Choices(*map(np.concatenate, zip(vars(honest).values(), vars(of_robots).values(), strict=True)))
    kept, left_out = without_robots(joined)
    assert left_out == 3
    assert replay(kept, 0.95) == replay(honest, 0.95)
    few = Choices(*(value[honest.users < 9] for value in vars(honest).values()))
    for people in (honest, few):  # of few people each has much
        assert without_robots(people)[0] is people


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda some: Choices(*(value[:50] for value in vars(some).values())), "record about .* choices"),
        (lambda some: replace(some, target=some.target * 0), "record any choices"),
        (lambda some: replace(some, odds=some.odds * 0), "some odds are not above 0"),
        (lambda some: replace(some, target=np.where(some.odds > 0.5, some.target, 0)), "could have been shown at all"),
        (
            lambda some: replace(some, target=np.where(np.arange(len(some.odds)) == 7, 150 * some.odds, some.target)),
            "one choice has .* of all weight",
        ),
    ],
)
def test_without_support_there_is_no_estimate_but_what_is_needed(change: object, said: str) -> None:
    assert callable(change)
    with pytest.raises(SupportError, match=said):
        replay(change(recorded(1)), 0.95)
