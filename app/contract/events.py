"""What people can say about an item, and what each type of event means: the service, training and trials go by this."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

RATING = "rating"
FORGET = "forget"  # the service's own: a person wants to be forgotten
CHANGE = "change"  # the service's own, too: an item of the catalogue has become another
PLACEMENT = "placement"  # and a placement has; the event's item is its name
EDITS = (CHANGE, PLACEMENT)  # what editors say, and no user
MIN_STARS, MAX_STARS = 0.5, 5.0
MAX_ID_LENGTH = 200
MAX_TYPES = 50
MAX_VALUE = 1e6
TYPE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Where training counts every row as a like (min_rating: null), stars below the middle of the scale are not one.
MIDDLE_STARS = 3.0


def is_storable(an_id: str) -> bool:
    """Whether an event can be of a user or an item with this id."""
    return 1 <= len(an_id) <= MAX_ID_LENGTH and "\0" not in an_id


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a user said about an item, at a time in seconds since 1970, UTC.

    `event_id` is a UUID in lower case with hyphens. `value` is the stars of a rating, or the number that the type comes
    with. Only `forget` has no item.

    A change of an item, or of a placement, has a `body`, JSON of what it is now, and `user_id` is who made it. It is
    stored only if the last change of the same is not beyond the position `after`; None: whatever it is.
    """

    event_id: str
    user_id: str
    item_id: str | None
    type: str
    value: float | None
    occurred_at: float
    recommendation_id: str | None = None
    body: str | None = None
    after: int | None = None


class Meaning(IntEnum):
    """What the last event about a pair of user and item says; earlier ones no longer count."""

    NOTHING = 0  # as if nothing had been said
    SEEN = 1  # not recommended again, and no sign of taste
    LIKED = 2  # not recommended again, and a positive
    HIDDEN = 3  # never recommended, and not to be learned from


@dataclass(frozen=True, slots=True)
class Rule:
    """What a type of event stands for.

    `stars` count in training, where a positive may count less than a like, by its `weight`. In a trial a type may make
    a list good (`success`), and some take back what was good of it (`is_against`); `register.trial.success` chooses
    among the former. An event has a value from `least` to `most` where `values` has both; one with a value below
    `threshold` is only seen, and against the list.
    """

    meaning: Meaning
    stars: float | None = None
    success: bool = False
    is_against: bool = False
    values: tuple[float, float] | None = None
    threshold: float | None = None
    weight: float = 1.0


KEYS = {"means", "value", "from", "weight"}  # of a described type
MEANS: dict[str, Rule] = {
    "positive": Rule(Meaning.LIKED, stars=5.0, success=True),
    "negative": Rule(Meaning.SEEN, stars=1.0, is_against=True),
    "seen": Rule(Meaning.SEEN, success=True),
    "hidden": Rule(Meaning.HIDDEN, is_against=True),
}
# The types that the service's page and the data itself need; their meaning is not to be changed.
RULES: dict[str, Rule] = {
    RATING: replace(MEANS["positive"], stars=None, values=(MIN_STARS, MAX_STARS)),
    "like": MEANS["positive"],
    "dislike": MEANS["negative"],
    "hide": MEANS["hidden"],
    "retract": Rule(Meaning.NOTHING, is_against=True),
    FORGET: Rule(Meaning.NOTHING),
    CHANGE: Rule(Meaning.NOTHING),
    PLACEMENT: Rule(Meaning.NOTHING),
}
OF_ANOTHER_RELEASE = Rule(Meaning.SEEN)  # the tables take any type: a newer release may have written it

# Further types as params.yaml and the manifest describe them.
Described = Mapping[str, Mapping[str, Any]]
DEFAULT_TYPES: Described = {
    "watch": {"means": "seen"},
    "click": {"means": "seen"},
    "purchase": {"means": "positive"},
    "share": {"means": "positive"},
    "play": {"means": "positive", "value": [0.0, 1.0], "from": 0.7},
}


class EventTypes:
    """All types of events; ratings from `min_rating` stars on are positives, with None every rating is."""

    def __init__(self, described: Described, min_rating: float | None) -> None:
        self.described, self.min_rating = described, min_rating
        self.rules = RULES | {name: _rule(each) for name, each in described.items()}
        least = MIDDLE_STARS if min_rating is None else min_rating
        self.rules[RATING] = replace(RULES[RATING], threshold=least)

    @property
    def sendable(self) -> list[str]:
        """The types that clients may send."""
        return [name for name in self.rules if name not in (FORGET, *EDITS)]

    def meaning(self, event_type: str, value: float | None) -> Meaning:
        """The meaning of an event."""
        rule = self.rules.get(event_type, OF_ANOTHER_RELEASE)
        is_low = rule.threshold is not None and value is not None and value < rule.threshold
        return Meaning.SEEN if is_low else rule.meaning

    def are_liked(self, event_type: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Which events of a type are likes, by their values; NaN stands for none."""
        rule = self.rules.get(event_type, OF_ANOTHER_RELEASE)
        if rule.meaning is not Meaning.LIKED:
            return np.zeros(len(values), dtype=bool)
        return ~(values < (-np.inf if rule.threshold is None else rule.threshold))

    @property
    def weighs(self) -> bool:
        """Whether some positives count less than others."""
        return any(rule.weight < 1 for rule in self.rules.values())

    def weight(self, event_type: str, _: float | None) -> float:
        """How much a positive of this type counts in training, where a like is 1."""
        return self.rules.get(event_type, OF_ANOTHER_RELEASE).weight

    def stars(self, event_type: str, value: float | None) -> float | None:
        """The rating that an event counts as in training."""
        if event_type == RATING:
            return value
        rule = self.rules.get(event_type, OF_ANOTHER_RELEASE)
        return rule.stars if self.meaning(event_type, value) is rule.meaning else None


def types_problem(described: object) -> str | None:
    """What is wrong with further types of events; None if nothing is."""
    if not isinstance(described, dict) or len(described) > MAX_TYPES:
        return f"the types are no mapping of at most {MAX_TYPES} names to what they mean"
    problems = ((name, _problem(name, each)) for name, each in described.items())
    return next((f"{name!r:.80} {problem}" for name, problem in problems if problem), None)


def _problem(name: object, described: object) -> str | None:
    if not isinstance(name, str) or not TYPE_NAME.fullmatch(name):
        return "is not the name of a type: write 1 to 40 small letters, digits and underscores, a letter first"
    if name in RULES:
        return "has a meaning that can't be changed"
    if not isinstance(described, dict) or not {"means"} <= described.keys() <= KEYS:
        return f"is {described!r:.80}; expected means, and perhaps value, from and weight"
    if not isinstance(described["means"], str) or described["means"] not in MEANS:
        return f"means {described['means']!r:.80}; choose from {', '.join(MEANS)}"
    values: Any = described.get("value")
    is_range = isinstance(values, list) and len(values) == 2 and all(map(_is_number, values)) and values[0] < values[1]
    if "value" in described and not is_range:
        return f"has the value {values!r:.80}; expected [least, most], two rising numbers within ±{MAX_VALUE:g}"
    if "from" in described and (described["means"] != "positive" or values is None):
        return "has a from, which is for a positive with a value"
    first = described.get("from")
    if "from" in described and not (_is_number(first) and values[0] <= first <= values[1]):
        return f"is a positive from {first!r:.80}, which is not one of its values"
    weight = described.get("weight", 1)
    is_share = _is_number(weight) and 0 < weight <= 1
    if "weight" in described and (described["means"] != "positive" or not is_share):
        return f"has the weight {weight!r:.80}; expected a number above 0 and up to 1, and a positive"
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_VALUE


def _rule(described: Mapping[str, Any]) -> Rule:
    rule = replace(MEANS[described["means"]], weight=float(described.get("weight", 1)))
    if "value" in described:
        rule = replace(rule, values=tuple(described["value"]))
    if "from" in described:
        # A store keeps a value as float32, which may be a little less than what was sent.
        rule = replace(rule, threshold=min(float(described["from"]), float(np.float32(described["from"]))))
    return rule
