"""What replays of a data set need: a part of its ratings, and events as the store gives them."""

from dataclasses import replace

import numpy as np

from app.events.rows import StoredEvent
from training.data.dataset import Dataset
from training.data.interactions import Interactions


def of_films(dataset: Dataset, train: list[Interactions], validation: list[Interactions] | None = None) -> Dataset:
    """The data set with these ratings and the films that they are about."""
    nothing = [dataset.splits["test"].where(np.zeros(len(dataset.splits["test"]), dtype=bool))]
    parts = {"train": train, "validation": validation or nothing, "test": nothing}
    splits = {name: Interactions.concatenate(each) for name, each in parts.items()}
    rows = np.unique(np.concatenate([each.items for each in splits.values()]))
    numbers = np.zeros(dataset.n_items, dtype=np.int32)
    numbers[rows] = np.arange(len(rows))
    return replace(
        dataset,
        catalogue=dataset.catalogue.iloc[rows].reset_index(drop=True),
        item_features=dataset.item_features[rows],
        splits={name: replace(each, items=numbers[each.items]) for name, each in splits.items()},
    )


def event(
    user_id: str, item_id: str, kind: str, position: int, value: float | None = None, body: str | None = None
) -> StoredEvent:
    """An event as the store gives it."""
    return StoredEvent("", user_id, item_id, kind, value, 0, body=body, position=position, received_at=0)
