"""What events mean."""

import pytest

from app.contract.events import EventType, Meaning, meaning


@pytest.mark.parametrize(
    ("event_type", "stars", "expected"),
    [
        ("rating", 4.0, Meaning.LIKED),
        ("rating", 3.5, Meaning.SEEN),
        ("like", None, Meaning.LIKED),
        ("dislike", None, Meaning.SEEN),
        ("watch", None, Meaning.SEEN),
        ("click", None, Meaning.SEEN),
        ("hide", None, Meaning.HIDDEN),
        ("retract", None, Meaning.NOTHING),
        ("forget", None, Meaning.NOTHING),
    ],
)
def test_each_type_of_event_has_a_meaning(event_type: EventType, stars: float | None, expected: Meaning) -> None:
    assert meaning(event_type, stars, min_rating=4.0) is expected


def test_where_every_row_is_a_positive_stars_below_the_middle_are_no_like() -> None:
    assert meaning("rating", 3.0, min_rating=None) is Meaning.LIKED
    assert meaning("rating", 2.5, min_rating=None) is Meaning.SEEN
