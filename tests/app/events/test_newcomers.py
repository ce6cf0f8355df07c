"""Which new items are shown: fairly at first, then those that are liked, within a limit a day."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from app.contract.placement_rules import Exploration
from app.events.newcomers import Newcomers, won
from app.events.overlay import Overlay
from app.events.rows import Impression
from app.events.showings import Counts, Showings
from app.events.sqlite_store import SqliteStore
from app.events.trending import Trending
from app.model.registered_version import RegisteredVersion
from app.model.store import load_model
from tests.artifacts import make_artifact, write
from tests.processes import wait_until

EXPLORE = Exploration(rank=3, among=10, share=0.1, new_below=5, most_a_day=150)
Shown = Callable[..., None]


def counts(*all_: float) -> Counts:
    return Counts(np.array(all_), np.array(all_), np.zeros(len(all_)))


def test_the_first_hundred_showings_are_fair_and_then_likes_count() -> None:
    rng = np.random.default_rng(1)
    fair = won(np.array([0.0, 9, 50]), counts(0, 40, 99), 10, rng)
    assert fair.sum() == pytest.approx(1)
    assert fair == pytest.approx(1 / 3, abs=0.08)
    known = won(np.array([0.0, 20, 60]), counts(200, 200, 200), 10, rng)
    assert known.tolist() == [0, 0, 1]
    both = won(np.array([0.0, 20]), counts(0, 200), 10, rng)
    assert both[0] > 0.8  # whom nobody knows yet comes before whom one in ten likes
    assert won(np.array([500.0]), counts(100), 10, rng).tolist() == [1]  # likes of other lists, too
    assert won(np.array([0.0, 60, 20]), counts(200, 200, 200), 1, rng).tolist() == [0, 1, 0]  # the best is drawn


def test_of_many_new_items_each_has_a_turn() -> None:
    rng, turns = np.random.default_rng(2), np.zeros(200)
    for _ in range(300):
        weights = won(np.zeros(200), counts(*np.zeros(200)), 20, rng)
        assert np.count_nonzero(weights) <= 20
        turns += weights
    assert turns.min() > 0.4  # of 1.5


def test_all_replicas_showings_are_counted_by_day_and_limit_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, showings, today = SqliteStore(tmp_path / "events.db"), Showings(), datetime.now(timezone.utc).date()
    popularity = np.array([9, 0, 4, 4, 5, 1])
    registered = RegisteredVersion("1", 0, "")
    model = load_model(write(tmp_path / "model", make_artifact(item_popularity=popularity)), registered)
    newcomers = Newcomers(Trending(Overlay()), showings)

    def show(item: int, days_ago: int, times: int) -> None:
        day = (today - timedelta(days=days_ago)).isoformat()
        rows = [Impression(day, f"{item}-{days_ago}-{each}", str(item), "ann", 3, odds=0.1) for each in range(times)]
        store.add([*rows, Impression(day, f"{day}-{item}", "30", "ann", 4)])  # which nobody drew

    show(20, 0, 150)
    show(30, 1, 149)
    show(40, 0, 20)
    show(40, 29, 100)
    show(60, 31, 500)
    showings.read(store)
    ids = ["10", "20", "30", "40", "50", "60"]
    found = showings.counts(ids, 29 * 86_400.0)
    assert found.all.tolist() == [0, 150, 149, 120, 0, 0]
    assert found.faded[3] == pytest.approx(20 + 100 / 2)
    assert found.today.tolist() == [0, 150, 0, 20, 0, 0]
    # It would take 10 µs for each of the thousands of items that are shown.
    monkeypatch.setattr(model.recommender, "item_row", pytest.fail)
    weights = newcomers.weights(model, EXPLORE)
    assert sorted(weights) == [5] or set(weights) <= {2, 3, 5}  # not 20, whose day is over, nor those that are known
    assert weights[5] > 0.9  # of which nothing is known; the others were shown in vain
    assert newcomers.weights(model, EXPLORE) is weights
    show(30, 0, 200)
    show(60, 1, 300)
    showings.read(store)
    assert showings.counts(ids, 1.0).today[2] == 0  # not yet: it is read once a minute
    monkeypatch.setattr("app.events.showings.time.monotonic", lambda: 1e12)
    showings.read(store)
    assert showings.counts(ids, 1.0).all.tolist() == [0, 150, 349, 120, 0, 300]
    assert newcomers.weights(model, EXPLORE) is weights  # no list waits for the next draws
    wait_until(lambda: newcomers.weights(model, EXPLORE) is not weights)
    assert [*newcomers.weights(model, EXPLORE)] == [3]  # 60 had its chance, however few others there are
    assert not newcomers.weights(model, Exploration(3, 10, 0.1))
    store.close()
