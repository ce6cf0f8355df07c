import numpy as np
import pytest

from app.observability import served_lists
from app.observability.served_lists import Recent
from tests.metrics import Samples, collected_from


def read(window: Recent) -> Samples:
    return {name.removeprefix("recommender_"): value for name, value in collected_from(window).items()}


def test_before_the_first_list_there_is_nothing_to_share() -> None:
    window = Recent()
    window.forget(50)
    assert read(window) == {"catalogue_items": 50, "recent_lists": 0, "recent_distinct_items": 0}


def test_shares_are_those_worked_out_by_hand() -> None:
    window = Recent()
    window.forget(50)
    for _ in range(3):
        window.add([0, 1], is_fallback=True, is_short=False)
    window.add(np.arange(20, 34), is_fallback=False, is_short=True)
    # 20 places, of which rows 0 and 1 take 3 each and fourteen others 1 each: the first ten take 3 + 3 + 8.
    assert read(window) == {
        "catalogue_items": 50,
        "recent_lists": 4,
        "recent_distinct_items": 16,
        "recent_fallback_share": 0.75,
        "recent_short_share": 0.25,
        "recent_catalogue_share": 16 / 50,
        "recent_top10_share": 14 / 20,
    }


def test_a_list_without_a_film_counts_as_a_list() -> None:
    window = Recent()
    window.forget(50)
    window.add([], is_fallback=False, is_short=True)
    assert read(window)["recent_lists"] == 1
    assert "recent_top10_share" not in read(window)


def test_another_model_begins_again() -> None:
    window = Recent()
    window.forget(50)
    window.add([0], is_fallback=False, is_short=False)
    window.forget(7)
    assert read(window) == {"catalogue_items": 7, "recent_lists": 0, "recent_distinct_items": 0}


def test_a_row_of_the_former_and_larger_model_is_left_out() -> None:
    window = Recent()
    window.forget(3)
    window.add([2, 3, 999], is_fallback=False, is_short=False)
    assert read(window)["recent_distinct_items"] == 1


def test_what_left_the_window_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_lists, "LISTS", 3)
    monkeypatch.setattr(served_lists, "PLACES", 6)
    window = Recent()
    window.forget(50)
    for first in range(10, 20):
        window.add([first, first + 10], is_fallback=first < 18, is_short=False)
    assert read(window)["recent_lists"] == 3
    assert read(window)["recent_distinct_items"] == 6  # 17, 18, 19, 27, 28, 29
    assert read(window)["recent_fallback_share"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("length", [1, 4, 5, 6, 7, 20])
def test_a_list_that_reaches_the_window_s_end_goes_on_at_its_beginning(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(served_lists, "PLACES", 6)
    window = Recent()
    window.forget(50)
    window.add([40, 41], is_fallback=False, is_short=False)
    window.add(list(range(length)), is_fallback=False, is_short=False)
    assert read(window)["recent_distinct_items"] == min(6, 2 + length)
