"""The figures of the prepared data, and the errors where nothing is left to learn from."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.data.dataset import SPLITS
from training.errors import DataError
from training.params.prepare import PrepareParams

NO_STARS = "the ratings file has no rating column: set prepare.min_rating to null, every row is a positive"


def figures_of(
    users: int, items: int, rated_items: int, ratings: int, positives: dict[str, int], events: dict[str, int] | None
) -> dict[str, Any]:
    """The figures of reports/stats.json."""
    figures: dict[str, Any] = {
        "users": users,
        "items": items,
        "items_without_ratings": items - rated_items,
        "ratings": ratings,
        "density": round(ratings / (users * items), 6),
        "positives": positives,
    }
    return figures if events is None else {**figures, "events": events}


def summary(figures: dict[str, Any]) -> str:
    """Say what was made, and why events were left out."""
    made = f"{figures['ratings']:,} ratings of {figures['items']:,} items by {figures['users']:,} users"
    events = dict(figures.get("events", {}))
    if not events:
        return made
    used = f"{made}; {events.pop('used'):,} events used"
    reasons = [f"{count:,} {reason.replace('_', ' ')}" for reason, count in events.items() if count]
    return f"{used} ({', '.join(reasons)})" if reasons else used


def none_left(before: int, params: PrepareParams) -> DataError:
    """The error where all users or items are too rare."""
    return DataError(
        f"none of the {before} ratings is left with prepare.min_user_ratings {params.min_user_ratings} "
        f"and prepare.min_item_ratings {params.min_item_ratings}; lower them in params.yaml"
    )


def refuse_empty(positives: Mapping[str, int], highest: float, params: PrepareParams) -> None:
    """Refuse a split without a positive; `highest` is the highest rating there is, NaN without one."""
    for name in SPLITS:
        if not positives[name]:
            known = "no ratings" if np.isnan(highest) else f"the highest rating is {highest:g}"
            raise DataError(
                f"the {name} split has no positive interaction with prepare.min_rating {params.min_rating} "
                f"({known}) and prepare.split {params.split.model_dump()}; "
                "lower min_rating or split.min_positives in params.yaml"
            )
