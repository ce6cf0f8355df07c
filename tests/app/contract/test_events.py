"""What events mean."""

from typing import get_args

import pytest

from app.contract.events import RULES, EventType, Meaning, meaning


@pytest.mark.parametrize(
    ("event_type", "stars", "expected"),
    [
        ("rating", 4.0, Meaning.LIKED),
        ("rating", 3.5, Meaning.SEEN),
        *[(event_type, None, rule.meaning) for event_type, rule in RULES.items()],
        ("of a newer release", None, Meaning.SEEN),
    ],
)
def test_each_type_of_event_has_a_meaning(event_type: str, stars: float | None, expected: Meaning) -> None:
    assert meaning(event_type, stars, min_rating=4.0) is expected


def test_every_type_has_a_rule() -> None:
    assert list(RULES) == list(get_args(EventType))


def test_where_every_row_is_a_positive_stars_below_the_middle_are_no_like() -> None:
    assert meaning("rating", 3.0, min_rating=None) is Meaning.LIKED
    assert meaning("rating", 2.5, min_rating=None) is Meaning.SEEN
