"""What is liked of late: every replica counts the same, whatever it has heard in which order."""

import random
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from app.contract.artifact import Aging, LearnedEvents, Trends
from app.contract.events import Event
from app.contract.trends import DAY
from app.errors import InvalidParameterError
from app.events.overlay import Overlay
from app.events.rows import StoredEvent
from app.events.trending import Trending
from app.model.registered_version import RegisteredVersion
from app.model.selection import by_counts
from app.model.store import ServedModel, load_model
from app.schemas.queries import ListQuery
from tests.app.events.stories import NOW, said, stored
from tests.artifacts import make_artifact, write

STORE = "0f8fad5b-d9cb-469f-a165-70867728950e"
N_ITEMS = 6  # 10 to 60, of which training knows that 10 was liked three times lately, and 20 twice
OF_A_WEEK = [[3, 2, 0, 0, 0, 0], [1, 2, 0, 0, 0, 0]]


@pytest.fixture
def model(tmp_path: Path) -> ServedModel:
    return served(tmp_path, until=0)


def served(folder: Path, until: int) -> ServedModel:
    artifact = make_artifact(
        aged_popularity=np.array([8, 7, 0.25, 0, 0, 0], dtype=np.float32),
        aging=Aging(100 * DAY, NOW - 200 * DAY),
        trending=np.array(OF_A_WEEK, dtype=np.float32),
        trends=Trends([7 * DAY, DAY], NOW - 7 * DAY),
        events=LearnedEvents(STORE, until),
    )
    return load_model(write(folder / f"{until}", artifact), RegisteredVersion(f"{until + 1}", 0, ""))


def replica() -> tuple[Overlay, Trending]:
    overlay = Overlay()
    overlay.restart(STORE)
    return overlay, Trending(overlay)


def at(seconds_ago: float, event: Event) -> Event:
    return replace(event, occurred_at=NOW - seconds_ago)


def listed(trending: Trending, model: ServedModel, half_life: float | None = None) -> list[tuple[int, float]]:
    found = by_counts(model, trending.counts(model, half_life), ListQuery(k=3), None)
    return list(zip(model.artifact.item_ids[found.rows].tolist(), found.scores.tolist(), strict=True))


def test_a_like_counts_half_for_each_half_life_that_it_is_older_than_the_latest_event(model: ServedModel) -> None:
    overlay, trending = replica()
    assert listed(trending, model) == [(10, 8.0), (20, 7.0), (30, 0.25)]
    assert listed(trending, model, 7) == [(10, 3.0), (20, 2.0), (30, 0.0)]
    overlay.add(stored(said("a", "like", 40), at(7 * DAY, said("b", "like", 40)), at(14 * DAY, said("c", "like", 50))))
    assert listed(trending, model) == [(10, 2.0), (40, pytest.approx(1 + 0.5**0.07, abs=1e-6)), (20, 1.75)]
    assert listed(trending, model, 7) == [(10, 1.5), (40, 1.5), (20, 1.0)]
    assert listed(trending, model, 1) == [(40, 1.007812), (20, 0.015625), (10, 0.007812)]


def test_somebody_likes_a_film_once_until_they_say_something_else(model: ServedModel) -> None:
    overlay, trending = replica()
    overlay.add(stored(said("a", "like", 40), said("a", "like", 40), said("b", "rating", 40, 5), said("c", "hide", 40)))
    assert trending.counts(model, 7)[3] == 2
    overlay.add(stored(said("a", "rating", 40, 1), said("b", "forget"), said("d", "watch", 40), first=5))
    assert trending.counts(model, 7)[3] == 0


def test_what_a_version_has_learned_counts_once(tmp_path: Path, model: ServedModel) -> None:
    overlay, trending = replica()
    next_model = served(tmp_path, until=1)
    for each in (model, next_model):
        trending.follow(each)
    overlay.add(stored(said("a", "like", 40), said("b", "like", 40)))
    assert (trending.counts(model, 7)[3], trending.counts(next_model, 7)[3]) == (2, 1)
    overlay.drop_until(1)
    assert trending.counts(next_model, 7)[3] == 1
    overlay.add(islice(stored(said("a", "like", 40)), 1))  # read again, as the version before is back
    assert (trending.counts(model, 7)[3], trending.counts(next_model, 7)[3]) == (2, 1)


def any_events(n: int) -> list[StoredEvent]:
    rng = random.Random(2)  # noqa: S311 - no secret
    kinds = ["like", "like", "watch", "retract", "hide"]
    events = [at(rng.random() * 30 * DAY, said(rng.randrange(9), rng.choice(kinds), rng.randrange(1, 8) * 10))
              for _ in range(n)]  # fmt: skip
    events[n // 2] = said(3, "forget")
    return list(stored(*events))


def batches(events: list[StoredEvent], size: int) -> Iterable[list[StoredEvent]]:
    return (events[start : start + size] for start in range(0, len(events), size))


def test_a_replica_that_comes_late_counts_the_same(model: ServedModel) -> None:
    events = any_events(600)
    (early, by_and_by), (late, at_once) = replica(), replica()
    by_and_by.follow(model)
    for batch in batches(events, 7):
        early.add(batch)
    late.add(events)
    for half_life in (None, 7, 1):
        assert listed(by_and_by, model, half_life) == listed(at_once, model, half_life)
        np.testing.assert_allclose(by_and_by.counts(model, half_life), expected(model, events, half_life), atol=1e-9)


def expected(model: ServedModel, events: list[StoredEvent], half_life: float | None) -> list[float]:
    """The counts by their definition."""
    last, newest = dict[tuple[str, str | None], StoredEvent](), NOW
    for event in events:
        if event.type == "forget":
            last = {key: each for key, each in last.items() if key[0] != event.user_id}
        else:
            last[event.user_id, event.item_id] = event
    artifact = model.artifact
    base, (life, since) = artifact.aged_popularity, artifact.aging or (0, 0)
    if half_life is not None:
        life, since, base = half_life * DAY, NOW - 7 * DAY, np.array(OF_A_WEEK[half_life == 1])
    assert base is not None
    return [
        count * 0.5 ** ((newest - since) / life)
        + sum(
            0.5 ** ((newest - each.occurred_at) / life)
            for each in last.values()
            if each.type == "like" and each.item_id == str(item_id)
        )
        for item_id, count in zip(artifact.item_ids.tolist(), base.tolist(), strict=True)
    ]


def test_a_half_life_that_the_version_does_not_keep_is_named(model: ServedModel) -> None:
    with pytest.raises(InvalidParameterError, match=r"half_life is 5 days, and this version counts with 100, 7, 1:"):
        replica()[1].counts(model, 5)


def test_without_times_the_first_likes_make_a_trend_and_popular_films_come_after(tmp_path: Path) -> None:
    model = load_model(write(tmp_path / "plain", make_artifact()), RegisteredVersion("1", 0, ""))
    overlay, trending = replica()
    overlay.add(stored(said("a", "like", 40)))
    assert listed(trending, model) == [(40, 1.0), (10, 0.0), (20, 0.0)]
