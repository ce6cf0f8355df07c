import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.training.world import ROOT
from training.params.whole import load_params
from training.promotion.checks import CHECKS, Check, Facts, ListPair, check
from training.promotion.data_figures import DataFigures
from training.promotion.event_log import EventLog

PARAMS = load_params(ROOT / "params.yaml").registration.checks
NOW, HOUR, DAY = 1_800_000_000.0, 3600, 86_400
STORE = "0f8fad5b-d9cb-469f-a165-70867728950e"
FIGURES = DataFigures(100, 50, 1000, 0.6, {"like": 0.5, "watch": 0.5}, STORE, 1000)
FACTS = Facts(PARAMS, "csv", NOW, FIGURES)


def made(name: str, **facts: Any) -> Check:
    return check(name, replace(FACTS, **facts))


def log(rows: pd.DataFrame, store: str = STORE) -> EventLog:
    rows = rows.assign(position=np.arange(1, len(rows) + 1))
    return EventLog(rows, store, len(rows))


NO_EVENTS = pd.DataFrame({"received_at": [], "user_id": [], "item_id": [], "positive": np.array([], dtype=bool)})


def received(*hours_ago: float) -> EventLog:
    return log(pd.DataFrame({"received_at": [NOW - hours * HOUR for hours in hours_ago]}))


def liked(*pairs: tuple[int, int], store: str = STORE) -> EventLog:
    return log(pd.DataFrame(pairs, columns=["user_id", "item_id"]).assign(positive=True), store)


@pytest.mark.parametrize(
    ("events", "live", "others", "passed", "sentence"),
    [
        (liked((1, 1)), None, False, True, "films are not compared: there is no live version"),
        (liked((1, 1)), "6", False, True, "ids mean the films that they mean in live version 6"),
        (None, "6", True, True, "live version 6 recommends other films, so nothing is compared with it"),
        (liked(), "6", True, True, "live version 6 recommends other films, so nothing is compared with it"),
        (liked((1, 1), (2, 1)), "6", True, False, "live version 6 recommends other films, so nothing is compared with "
         "it; what people have said is about those: set it aside by python -m training source csv"),
    ],
)  # fmt: skip
def test_events_about_other_films_are_not_taken_for_events_about_these(
    events: EventLog | None, live: str | None, others: bool, passed: bool, sentence: str
) -> None:
    found = made("films", events=events, live_version=live, has_other_items=others)
    assert (found.passed, found.sentence) == (passed, sentence)


def test_sizes_may_grow_and_shrink_a_little() -> None:
    found = made("size", now=replace(FIGURES, users=95, ratings=2000), live=FIGURES)
    assert (found.passed, found.sentence) == (
        True, "nothing shrank: 95 users after 100, 50 items after 50, 2,000 ratings after 1,000"
    )  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [("users", 94), ("items", 40), ("ratings", 949)])
def test_what_shrank_is_named(name: str, value: int) -> None:
    found = made("size", now=replace(FIGURES, **{name: value}), live=FIGURES)  # type: ignore[arg-type]
    assert not found.passed
    assert found.sentence == f"the data shrank: {value} {name} after {getattr(FIGURES, name):,}, less than 95%"


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("facts", [FACTS, replace(FACTS, events=log(NO_EVENTS), live_version="6")])
def test_what_cannot_be_compared_passes_and_says_so(name: str, facts: Facts) -> None:
    found = check(name, facts)
    assert (found.name, found.passed) == (name, True)
    assert re.search("no live version|there are no |live version 6$", found.sentence)


def test_the_page_describes_each_check_in_their_order() -> None:
    page = (ROOT / "docs/params.md").read_text(encoding="utf-8")
    table = page.partition("| check | passes if |\n|---|---|\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| (\w+) \|", table, re.MULTILINE) == list(CHECKS)


def test_an_event_of_today_is_fresh_though_the_usual_volume_is_unknown() -> None:
    found = made("freshness", events=received(1, 300))
    assert found.passed
    assert found.sentence.startswith("the newest event is 1.0 hours old; 14 days of events")


def test_events_that_no_longer_come_in_are_noticed_unless_any_age_will_do() -> None:
    found = made("freshness", events=received(49, 300))
    assert not found.passed
    assert found.sentence == "the newest event is 49.0 hours old, more than 48: do events still come in?"
    assert made("freshness", events=received(49, 300), params=PARAMS.model_copy(update={"max_age_hours": None})).passed


@pytest.mark.parametrize(("hours", "passed"), [(48, True), (48.005, False)])
def test_an_event_may_be_as_old_as_is_allowed(hours: float, passed: bool) -> None:
    assert made("freshness", events=received(hours, 300)).passed is passed


def test_an_event_of_the_next_minute_by_another_clock_counts_for_today() -> None:
    before = [24 * day + hour for day in range(1, 16) for hour in range(10)]
    found = made("freshness", events=received(-0.01, 0.5, *before))
    assert "2 events in the last 24 hours, after 10 a day" in found.sentence


@pytest.mark.parametrize(("today", "passed"), [(1, False), (2, True), (10, True), (50, True), (51, False)])
def test_a_volume_is_compared_with_the_median_of_two_weeks(today: int, passed: bool) -> None:
    before = [24 * day + hour for day in range(1, 16) for hour in range(10)]
    found = made("freshness", events=received(*[0.5] * today, *before))
    assert found.passed is passed
    assert f"{today} events in the last 24 hours, after 10 a day in the 14 days before" in found.sentence


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([(1, item) for item in range(100)], "a user has 100 of the 2,100 new positives, more than 1%"),
        ([(user, 1) for user in range(300)], "an item has 301 of the 2,300 new positives, more than 10%"),
        ([(1, item) for item in range(99)], None),  # too few to be a flood
    ],
)
def test_one_user_or_item_with_too_many_of_the_new_positives_is_a_flood(
    pairs: list[tuple[int, int]], sentence: str | None
) -> None:
    others = [(1000 + number, number) for number in range(2000)]
    found = made("floods", events=liked(*pairs, *others))
    assert found.passed is (sentence is None)
    assert (sentence or "no user and no item dominates the 2,099 new positives") in found.sentence


def test_a_share_as_large_as_is_allowed_is_no_flood() -> None:
    params = PARAMS.model_copy(update={"flood_from": 10})
    others = [(1000 + number, number) for number in range(990)]
    assert made("floods", events=liked(*[(1, 2000 + item) for item in range(10)], *others), params=params).passed
    assert not made("floods", events=liked(*[(1, 2000 + item) for item in range(11)], *others), params=params).passed


def test_the_last_event_that_the_live_version_has_read_is_not_new() -> None:
    before, after = ([(first + n, n) for n in range(500)] for first in (2000, 4000))
    flood = [(1, 1000 + item) for item in range(100)]
    live = replace(FIGURES, until=501)
    assert made("floods", events=liked(*before, *flood, *after), live=live).passed  # 99 of them are new
    assert not made("floods", events=liked(*before[1:], *flood, *after), live=replace(live, until=499)).passed


def test_what_the_live_version_knows_already_is_no_new_flood() -> None:
    old = [(1, item) for item in range(1000)]
    new = [(1000 + number, number) for number in range(500)]
    assert made("floods", events=liked(*old, *new), live=FIGURES).passed
    assert not made("floods", events=liked(*old, *new, store="another"), live=FIGURES).passed


def test_shares_of_positives_and_of_types_move_a_little() -> None:
    now = replace(FIGURES, positives=0.65, event_types={"like": 0.55, "watch": 0.4, "click": 0.05})
    found = made("shares", now=now, live=FIGURES)
    assert found.passed
    assert found.sentence == (
        "shares are as they were: positives 65% after 60%, click 5% after 0%, like 55% after 50%, watch 40% after 50%"
    )


def test_a_type_may_be_gone_and_a_share_may_move_as_far_as_is_allowed() -> None:
    now, live = (replace(FIGURES, event_types=types) for types in ({"like": 1.0}, {"like": 0.95, "hide": 0.05}))
    assert made("shares", now=now, live=live).sentence.endswith("hide 0% after 5%, like 100% after 95%")
    params = PARAMS.model_copy(update={"max_share_change": 0.25})
    assert made(
        "shares", now=replace(FIGURES, positives=0.75), live=replace(FIGURES, positives=0.5), params=params
    ).passed


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"positives": 0.45}, "positives 45% after 60%"),
        ({"event_types": {"like": 0.9, "watch": 0.1}}, "like 90% after 50%, watch 10% after 50%"),
    ],
)
def test_a_share_that_moved_far_is_named(changes: dict[str, object], sentence: str) -> None:
    found = made("shares", now=replace(FIGURES, **changes), live=FIGURES)  # type: ignore[arg-type]
    assert not found.passed
    assert found.sentence == f"shares moved by more than 10 points: {sentence}"


def test_types_are_compared_only_where_both_versions_have_events() -> None:
    assert made("shares", live=replace(FIGURES, event_types={})).passed


def lists(*items: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"user_id": [str(user) for user in range(len(items))], "items": list(items)})


THEIRS = lists(["a", "b"], ["c", "d"])


@pytest.mark.parametrize(
    ("ours", "same_recipe", "passed", "sentence"),
    [
        (
            lists(["a", "b"], ["c", "e"]),
            True,
            True,
            "share 75% of their films .* and show 40% of the catalogue after 40%",
        ),
        (lists(["a", "x"], ["y", "z"]), True, False, "share 25% .*: less than 50% in common, of one recipe"),
        (lists(["a", "x"], ["y", "z"]), False, True, "share 25% .*; the recipe is another one"),
        (lists(["a"], ["a"]), False, False, "show 10% of the catalogue after 40%: less than 50% of that"),
        (lists(["a", "b"], []), True, True, "share 50%"),  # a user is gone
    ],
)
def test_lists_of_one_recipe_resemble_each_other_and_those_of_any_show_much_of_the_catalogue(
    ours: pd.DataFrame, same_recipe: bool, passed: bool, sentence: str
) -> None:
    found = made("lists", lists=ListPair(ours, THEIRS, 10, 10, same_recipe))
    assert found.passed is passed
    assert re.search(sentence, found.sentence)


def test_lists_may_have_as_little_in_common_as_is_allowed() -> None:
    pair = ListPair(lists(["a", "x"], ["y", "z"]), THEIRS, 10, 10, same_recipe=True)
    assert made("lists", lists=pair, params=PARAMS.model_copy(update={"least_overlap": 0.25})).passed
