"""Figures of the data that a version has learned from; they are kept beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from training.data.dataset import Dataset
from training.data.events.files import TYPE
from training.promotion.event_log import EventLog
from training.promotion.films import Titles, some_titles


@dataclass(frozen=True)
class DataFigures:
    """Sizes, the share of positives among the ratings, and the share of each type among the events, if there are any.

    `store` and `until` tell the events that are among the data: those of a store up to a position. `films` are the
    titles of some ids; a version of an earlier release has kept none.
    """

    users: int
    items: int
    ratings: int
    positives: float
    event_types: Mapping[str, float]
    store: str | None
    until: int
    films: Titles = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: Dataset, events: EventLog | None) -> "DataFigures":
        """Count a data set and the events in it."""
        everything = dataset.interactions(*dataset.splits)
        types = () if events is None else events.rows[TYPE].value_counts(normalize=True).sort_index().items()
        return cls(
            users=dataset.n_users,
            items=dataset.n_items,
            ratings=len(everything),
            positives=float(everything.positive.mean()),
            event_types={str(kind): float(share) for kind, share in types},
            store=None if events is None else events.store,
            until=0 if events is None else events.until,
            films=some_titles(dataset.catalogue),
        )
