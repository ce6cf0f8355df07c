"""Shown items on their way into both kinds of store."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from app.events import impressions as module
from app.events.impressions import ImpressionMetrics, Impressions
from app.events.rows import Exposure, Impression, Row
from app.events.showings import Showings
from app.events.store import EventStoreError
from tests.app.events.test_store import NOW, Open, event
from tests.app.events.test_store import opened as opened
from tests.metrics import collected

DAY = "2026-11-28"


def shown(item: str = "10", name: str = "list", user: str = "ann", rank: int = 1, day: str = DAY) -> Impression:
    return Impression(day, name, item, user, rank, "home", "personalised")


def test_an_item_of_a_list_is_kept_once_and_a_person_is_told_of_it(opened: Open) -> None:
    store = opened()
    store.add([shown("20", rank=2), shown(), shown(rank=7), shown("10", "other", "日本")])
    store.add([shown(rank=9), shown("30", rank=3, day="2026-11-29")])
    store.add([])
    store.append([event("ann"), event("bob"), event("ann", None, type="forget")], NOW)
    store.add([Exposure(DAY, "ann", "films:7@0.5", 1, "7", 3, 30)])
    held = opened().personal_data("ann")
    assert held.impressions == [shown(), shown("20", rank=2), shown("30", rank=3, day="2026-11-29")]
    assert [each.type for each in held.events] == ["like", "forget"]
    assert held.exposures == [Exposure(DAY, "ann", "films:7@0.5", 1, "7", 3, 30)]
    drawn = [replace(shown(user="ann", name=name), odds=0.5, among="[]") for name in ("one", "two")]
    store.add([*drawn, replace(drawn[0], day="2026-11-27")])
    assert opened().explored_showings(DAY) == [(DAY, "10", 2)]
    assert opened().personal_data("日本").impressions == [shown("10", "other", "日本")]
    assert opened().personal_data("nobody").events == []


def test_an_item_rests_that_was_shown_often_without_a_word_about_it(opened: Open) -> None:
    store = opened()
    days = [*["2026-11-27"] * 2, DAY, *["2026-11-29"] * 2]
    store.add([shown(item, f"{user} {n}", user, day=day)
                              for user in ("ann", "bob", "gone") for item in ("10", "20", "30")
                              for n, day in enumerate(days)])  # fmt: skip
    store.add([shown("40", "list 0")])
    noon = datetime(2026, 11, 28, 12, tzinfo=timezone.utc).timestamp()
    early, late = event("ann", "10", occurred_at=noon - 86400), event("ann", "20", occurred_at=noon)
    store.append([early, late, event("gone", None, type="forget", occurred_at=noon), event("bob", "40")], noon)
    users = ["ann", "gone", "nobody", "日本"]
    assert {user: sorted(items) for user, items in store.resting(users, DAY, 3).items()} == {"ann": ["10", "30"]}
    many = {user: sorted(items) for user, items in store.resting(users, "2026-11-27", 2).items()}
    assert many == {"ann": ["10", "20", "30"], "gone": ["10", "20", "30"]}
    assert store.resting(["ann"], "2026-11-27", 6) == {}


def test_one_bad_row_stores_none(opened: Open) -> None:
    store = opened()
    with pytest.raises(EventStoreError, match=r"(?i)check"):
        store.add([shown(), shown("x" * 201)])
    assert store.personal_data("ann").impressions == []


class Store:
    """Keeps rows in a list, or is down."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.room = 1_000_000

    def add(self, rows: Sequence[Row]) -> None:
        if len(self.rows) + len(rows) > self.room:
            raise EventStoreError("the store is down")
        self.rows += rows

    def explored_showings(self, since: str) -> list[tuple[str, str, int]]:
        return []


def test_what_a_store_that_is_down_does_not_take_waits_within_a_limit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 5)
    monkeypatch.setattr(module, "AT_ONCE", 2)
    store, collectors = Store(), CollectorRegistry()
    impressions = Impressions(store, ImpressionMetrics(collectors), Showings())  # type: ignore[arg-type]
    rows = [shown(str(number)) for number in range(8)]
    assert impressions.add([*rows[:5], *rows[:5]]) == 0
    store.room = 2
    with caplog.at_level(logging.WARNING):
        impressions.flush()  # the first two are stored, and three wait
        assert impressions.add(rows[5:]) == 1
        impressions.flush()
    assert caplog.text.count("Impressions wait for the store: the store is down") == 1
    assert collected(collectors)["recommender_impression_failures_total"] == 2
    store.room = 10
    impressions.flush()
    assert store.rows == rows[:7]
