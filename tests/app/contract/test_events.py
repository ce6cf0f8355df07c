"""What events mean."""

import re
from typing import Any

import pytest

from app.contract.events import DEFAULT_TYPES, EventTypes, Meaning, types_problem

TYPES = EventTypes({**DEFAULT_TYPES, "skip": {"means": "negative"}, "mute": {"means": "hidden"}}, min_rating=4.0)


@pytest.mark.parametrize(
    ("event_type", "value", "meaning", "stars"),
    [
        ("rating", 4.0, Meaning.LIKED, 4.0),
        ("rating", 3.5, Meaning.SEEN, 3.5),
        ("like", None, Meaning.LIKED, 5.0),
        ("dislike", None, Meaning.SEEN, 1.0),
        ("hide", None, Meaning.HIDDEN, None),
        ("retract", None, Meaning.NOTHING, None),
        ("watch", None, Meaning.SEEN, None),
        ("purchase", None, Meaning.LIKED, 5.0),
        ("play", 0.7, Meaning.LIKED, 5.0),
        ("play", 0.699999988079071, Meaning.LIKED, 5.0),  # .7 as a store keeps it, in float32
        ("play", 0.69, Meaning.SEEN, None),
        ("skip", None, Meaning.SEEN, 1.0),
        ("mute", None, Meaning.HIDDEN, None),
        ("of a newer release", 3.0, Meaning.SEEN, None),
    ],
)
def test_each_type_of_event_has_a_meaning(
    event_type: str, value: float | None, meaning: Meaning, stars: float | None
) -> None:
    assert (TYPES.meaning(event_type, value), TYPES.stars(event_type, value)) == (meaning, stars)


def test_where_every_row_is_a_positive_stars_below_the_middle_are_no_like() -> None:
    types = EventTypes({}, min_rating=None)
    assert types.meaning("rating", 3.0) is Meaning.LIKED
    assert types.meaning("rating", 2.5) is Meaning.SEEN


@pytest.mark.parametrize(
    ("described", "problem"),
    [
        ([], "no mapping"),
        ({f"t{n}": {"means": "seen"} for n in range(51)}, "at most 50"),
        ({"Play": {"means": "seen"}}, "'Play' is not the name of a type"),
        ({"like": {"means": "seen"}}, "'like' has a meaning that can't be changed"),
        ({"play": {}}, "expected means, and perhaps value, from and weight"),
        ({"play": {"means": "seen", "weigth": 1}}, "expected means, and perhaps value, from and weight"),
        ({"play": {"means": "seen", "weight": 0.5}}, "has the weight 0.5; expected a number above 0 and up to 1"),
        ({"play": {"means": "positive", "weight": 2}}, "has the weight 2; expected a number above 0 and up to 1"),
        ({"play": {"means": "positive", "weight": True}}, "has the weight True; expected a number above 0 and up to 1"),
        ({"play": {"means": "good"}}, "choose from positive, negative, seen, hidden"),
        ({"play": {"means": ["seen"]}}, "choose from"),
        ({"play": {"means": "positive", "value": [1, 1]}}, "two rising numbers"),
        ({"play": {"means": "positive", "value": [0, float("inf")]}}, "two rising numbers"),
        ({"play": {"means": "positive", "value": {"least": 0}}}, "two rising numbers"),
        ({"play": {"means": "positive", "from": 0.5}}, "for a positive with a value"),
        ({"play": {"means": "seen", "value": [0, 1], "from": 0.5}}, "for a positive with a value"),
        ({"play": {"means": "positive", "value": [0, 1], "from": 2}}, "not one of its values"),
    ],
)
def test_a_type_that_cannot_be_is_named(described: Any, problem: str) -> None:
    assert re.search(re.escape(problem), types_problem(described) or "")


def test_the_default_types_can_be() -> None:
    assert types_problem(DEFAULT_TYPES) is None
