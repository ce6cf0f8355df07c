"""What a person has said about an item, and what it means: the service and training have these rules in common."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

EventType = Literal["rating", "like", "dislike", "watch", "click", "hide", "retract", "forget"]

EMBEDDED_STORE = "sqlite:///events.db"  # where events are unless EVENTS_URL says otherwise: in the project's folder
NO_STORE = "off"  # of EVENTS_URL: no events
FORGET: EventType = "forget"  # the service's own: a person wants to be forgotten
MIN_STARS, MAX_STARS = 0.5, 5.0
MAX_ID_LENGTH = 200
# Where training counts every row as a like (min_rating: null), stars below the middle of the scale are not one.
MIDDLE_STARS = 3.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a user said about an item, at a time in seconds since 1970, UTC.

    `event_id` is a UUID in lower case with hyphens. Only a rating has `stars`; only `forget` has no item.
    """

    event_id: str
    user_id: str
    item_id: str | None
    type: EventType
    stars: float | None
    occurred_at: float
    recommendation_id: str | None = None


class Meaning(IntEnum):
    """What the last event about a pair of user and item says; earlier ones no longer count."""

    NOTHING = 0  # as if nothing had been said
    SEEN = 1  # not recommended again, and no sign of taste
    LIKED = 2  # not recommended again, and a positive
    HIDDEN = 3  # never recommended, and not to be learned from


def meaning(event_type: EventType, stars: float | None, min_rating: float | None) -> Meaning:
    """The meaning of an event where ratings of at least `min_rating` stars are positives."""
    if event_type == "rating":
        least = MIDDLE_STARS if min_rating is None else min_rating
        return Meaning.LIKED if stars is not None and stars >= least else Meaning.SEEN
    if event_type == "like":
        return Meaning.LIKED
    if event_type == "hide":
        return Meaning.HIDDEN
    return Meaning.NOTHING if event_type in ("retract", FORGET) else Meaning.SEEN
