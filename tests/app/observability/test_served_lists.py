import numpy as np
import pytest

from app.observability import served_lists
from app.observability.served_lists import NotedList, ReadyList, ServedLists
from tests.artifacts import make_artifact
from tests.metrics import Samples, collected_from


def read(lists: ServedLists) -> Samples:
    return {name.removeprefix("recommender_"): value for name, value in collected_from(lists).items()}


def test_before_the_first_list_there_is_nothing_to_share() -> None:
    lists = ServedLists()
    lists.restart(make_artifact(item_ids=range(50)))
    assert read(lists) == {"catalogue_items": 50, "recent_lists": 0, "recent_distinct_items": 0}


def test_shares_are_those_worked_out_by_hand() -> None:
    lists = ServedLists()
    lists.restart(artifact := make_artifact(item_ids=range(50)))
    for _ in range(3):
        lists.add(artifact, NotedList.of([0, 1], is_fallback=True))
    lists.add(artifact, NotedList.of(np.arange(20, 34), is_short=True))
    # 20 places, of which rows 0 and 1 take 3 each and fourteen others 1 each: the first ten take 3 + 3 + 8.
    assert read(lists) == {
        "catalogue_items": 50,
        "recent_lists": 4,
        "recent_distinct_items": 16,
        "recent_fallback_share": 0.75,
        "recent_short_share": 0.25,
        "recent_catalogue_share": 16 / 50,
        "recent_top10_share": 14 / 20,
    }


def test_a_list_without_a_film_counts_as_a_list() -> None:
    lists = ServedLists()
    lists.restart(artifact := make_artifact(item_ids=range(50)))
    lists.add(artifact, NotedList.of([], is_short=True))
    assert read(lists)["recent_lists"] == 1
    assert "recent_top10_share" not in read(lists)


def test_another_model_begins_again() -> None:
    lists = ServedLists()
    lists.restart(artifact := make_artifact(item_ids=range(50)))
    lists.add(artifact, NotedList.of([0]))
    lists.restart(make_artifact(item_ids=range(7)))
    assert read(lists) == {"catalogue_items": 7, "recent_lists": 0, "recent_distinct_items": 0}


def test_a_ready_list_counts_as_the_items_that_it_begins_with() -> None:
    lists, artifact = ServedLists(), make_artifact(item_ids=range(50), ready_items=np.arange(20).reshape(4, 5))
    lists.restart(artifact)
    lists.add(artifact, ReadyList(user_row=1, k=3))
    lists.add(artifact, NotedList.of([5, 6, 30], is_fallback=True))
    assert read(lists)["recent_distinct_items"] == 4  # 5, 6, 7, 30
    assert read(lists)["recent_fallback_share"] == 0.5


def test_a_list_of_another_model_is_left_out() -> None:
    lists = ServedLists()
    lists.restart(make_artifact(item_ids=range(3)))
    for one in (ReadyList(user_row=1, k=3), NotedList.of([2, 999])):
        lists.add(make_artifact(), one)
    assert read(lists)["recent_lists"] == 0


def test_a_list_that_is_no_longer_recent_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_lists, "LISTS", 3)
    monkeypatch.setattr(served_lists, "PLACES", 6)
    lists = ServedLists()
    lists.restart(artifact := make_artifact(item_ids=range(50)))
    for first in range(10, 20):
        lists.add(artifact, NotedList.of([first, first + 10], is_fallback=first < 18))
    assert read(lists)["recent_lists"] == 3
    assert read(lists)["recent_distinct_items"] == 6  # 17, 18, 19, 27, 28, 29
    assert read(lists)["recent_fallback_share"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("length", [1, 4, 5, 6, 7, 20])
def test_a_list_longer_than_the_memory_s_rest_goes_on_at_its_beginning(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(served_lists, "PLACES", 6)
    lists = ServedLists()
    lists.restart(artifact := make_artifact(item_ids=range(50)))
    lists.add(artifact, NotedList.of([40, 41]))
    lists.add(artifact, NotedList.of(list(range(length))))
    assert read(lists)["recent_distinct_items"] == min(6, 2 + length)
