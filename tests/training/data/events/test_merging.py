import numpy as np
import pandas as pd
import pytest

from app.contract.events import DEFAULT_TYPES, Described, EventTypes
from tests.training.event_store import NOW
from training.data.events.merging import merge
from training.data.events.sifting import Sifted, sift

DAY = 86_400
ITEMS = np.array([10, 11, 12])
RATINGS = pd.DataFrame(
    [(1, 10, 5.0, 100, True), (1, 11, 2.0, 200, False), (2, 10, 4.0, 300, True)],
    columns=["user_id", "item_id", "rating", "timestamp", "positive"],
).astype({"rating": "float32"})

Row = tuple[object, ...]


def table(*rows: Row) -> pd.DataFrame:
    """Events of (user_id, item_id, type) or with stars, one second after the other."""
    whole = [(*row, None)[:4] for row in rows]
    frame = pd.DataFrame(whole, columns=["user_id", "item_id", "type", "value"]).astype({"value": "float32"})
    times = np.int64(NOW) + np.arange(len(rows))
    return frame.assign(position=np.arange(1, len(rows) + 1), occurred_at=times, received_at=times)


def sifted(*rows: Row, numeric: bool = True) -> Sifted:
    return sift(table(*rows), numeric, ITEMS)


def merged(*rows: Row, min_rating: float | None = 4.0, types: Described = DEFAULT_TYPES) -> list[Row]:
    """User, item, stars and positive of what is left, sorted."""
    found = merge(RATINGS, sifted(*rows), EventTypes(types, min_rating))
    assert found.dtypes.equals(RATINGS.dtypes)
    assert found.index.is_unique
    found = found.sort_values(["user_id", "item_id"]).replace({np.nan: None})
    return list(found[["user_id", "item_id", "rating", "positive"]].itertuples(index=False, name=None))


BASE = [(1, 10, 5.0, True), (1, 11, 2.0, False), (2, 10, 4.0, True)]


def test_without_events_the_ratings_stay_as_they_are() -> None:
    assert merged() == BASE


@pytest.mark.parametrize(
    ("event", "stars", "positive"),
    [
        (("like",), 5.0, True),
        (("dislike",), 1.0, False),
        (("watch",), None, False),
        (("click",), None, False),
        (("hide",), None, False),
        (("rating", 4.0), 4.0, True),
        (("rating", 3.5), 3.5, False),
        (("purchase",), 5.0, True),
        (("play", 0.7), 5.0, True),
        (("play", 0.6), None, False),
    ],
)
@pytest.mark.parametrize(("user", "item"), [(3, 12), (1, 10)])
def test_an_event_is_a_rating_that_goes_before_an_earlier_one(
    user: int, item: int, event: Row, stars: float | None, positive: bool
) -> None:
    others = [row for row in BASE if row[:2] != (user, item)]
    expected = sorted([*others, (user, item, stars, positive)], key=lambda row: row[:2])
    assert merged((str(user), str(item), *event)) == expected


def test_where_every_rating_is_a_positive_only_a_like_among_events_is_one() -> None:
    events = [("3", "10", "rating", 3.0), ("3", "11", "rating", 2.5), ("3", "12", "dislike"), ("4", "12", "hide")]
    found = merged(*events, min_rating=None)[3:]
    assert [row[3] for row in found] == [True, False, False, False]


def test_the_last_event_about_a_pair_counts_whatever_it_says() -> None:
    assert merged(("1", "10", "hide"), ("1", "10", "like"), ("1", "10", "dislike"))[0] == (1, 10, 1.0, False)


def test_a_retracted_pair_is_as_if_nothing_had_been_said() -> None:
    assert merged(("3", "12", "like"), ("3", "12", "retract"), ("1", "11", "retract")) == [BASE[0], BASE[2]]


def test_a_forgotten_user_has_no_rating_left_but_what_was_said_since() -> None:
    assert merged(("1", None, "forget"), ("1", "12", "like")) == [(1, 12, 5.0, True), BASE[2]]


def test_events_about_unknown_items_and_of_impossible_users_are_left_out_and_counted() -> None:
    found = sifted(
        ("3", "13", "like"), ("3", "010", "like"), ("ann", "10", "like"), ("007", "10", "like"), ("3", "10", "like")
    )
    assert found.left_out == {"impossible_user_ids": 2, "unknown_items": 2, "more_than_500_a_day": 0}
    assert found.rows[["user_id", "item_id"]].to_numpy().tolist() == [[3, 10]]
    assert found.rows["user_id"].dtype == RATINGS["user_id"].dtype


def test_where_users_are_texts_any_id_is_possible_that_an_artifact_can_hold() -> None:
    users = ("ann", "007", "7", "", "a\0", "x" * 201)
    found = sift(table(*((user, "10", "like") for user in users)), False, ITEMS.astype(str))
    assert found.rows["user_id"].tolist() == ["ann", "007", "7"]
    assert found.rows["item_id"].tolist() == ["10"] * 3
    assert found.left_out["impossible_user_ids"] == 3


def test_of_a_user_and_day_the_first_500_events_count() -> None:
    flood = table(*[("3", "10", "watch")] * 600, *[("4", "10", "watch")] * 500)
    day = np.int64(NOW) // DAY * DAY
    flood = flood.assign(received_at=day + np.arange(len(flood)), occurred_at=day)
    found = sift(flood, True, ITEMS)
    assert found.left_out["more_than_500_a_day"] == 100
    assert found.rows["position"].tolist() == [*range(1, 501), *range(601, 1101)]
    next_day = flood.assign(received_at=flood["received_at"] + DAY * (flood["position"] > 550))
    assert sift(next_day, True, ITEMS).left_out["more_than_500_a_day"] == 50


def test_a_clock_that_is_wrong_is_set_to_what_can_be() -> None:
    events = table(("3", "10", "like"), ("3", "11", "like"), ("3", "12", "like"))
    arrival = events["received_at"]
    wrong = events.assign(occurred_at=[4_000_000_000, 0, int(NOW) - DAY])
    assert sift(wrong, True, ITEMS).rows["occurred_at"].tolist() == [arrival[0], arrival[1] - 30 * DAY, int(NOW) - DAY]
