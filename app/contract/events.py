"""What people can say about an item, and what each type of event means: the service, training and trials go by this."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

SaidType = Literal["rating", "like", "dislike", "watch", "click", "hide", "retract"]
EventType = Literal[SaidType, "forget"]

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


@dataclass(frozen=True, slots=True)
class Rule:
    """What a type of event stands for.

    `stars` count in training where the event has none. In a trial a type may make a list good (`success`), and some
    take back what was good of it (`is_against`); `register.trial.success` chooses among the former.
    """

    meaning: Meaning
    stars: float | None = None
    success: bool = False
    is_against: bool = False


RULES: dict[str, Rule] = {
    "rating": Rule(Meaning.LIKED, success=True),  # of few stars: only seen, and against the list
    "like": Rule(Meaning.LIKED, stars=5.0, success=True),
    "dislike": Rule(Meaning.SEEN, stars=1.0, is_against=True),
    "watch": Rule(Meaning.SEEN, success=True),
    "click": Rule(Meaning.SEEN, success=True),
    "hide": Rule(Meaning.HIDDEN, is_against=True),
    "retract": Rule(Meaning.NOTHING, is_against=True),
    FORGET: Rule(Meaning.NOTHING),
}
OF_ANOTHER_RELEASE = Rule(Meaning.SEEN)  # the tables take any type: a newer release may have written it


def meaning(event_type: str, stars: float | None, min_rating: float | None) -> Meaning:
    """The meaning of an event where ratings of at least `min_rating` stars are positives."""
    if stars is not None and stars < (MIDDLE_STARS if min_rating is None else min_rating):
        return Meaning.SEEN
    return RULES.get(event_type, OF_ANOTHER_RELEASE).meaning
