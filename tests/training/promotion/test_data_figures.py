from pathlib import Path

import pandas as pd

from tests.training.world import make_project
from training.data.dataset import load_dataset
from training.promotion.data_figures import DataFigures
from training.promotion.event_log import EventLog


def test_a_data_set_is_counted_and_the_types_of_its_events_are_shares(tmp_path: Path) -> None:
    project, _ = make_project(tmp_path)
    dataset = load_dataset(project.prepared)
    without = DataFigures.of(dataset, None)
    splits = list(dataset.splits.values())
    assert (without.users, without.items) == (dataset.n_users, dataset.n_items)
    assert without.ratings == sum(map(len, splits))
    assert without.positives == sum(split.positive.sum() for split in splits) / without.ratings
    assert (without.event_types, without.store, without.until) == ({}, None, 0)
    assert without.films["1"] == "Film 1"
    log = EventLog(pd.DataFrame({"type": ["like", "watch", "like", "hide"]}), "a store", 9)
    found = DataFigures.of(dataset, log)
    assert found.event_types == {"hide": 0.25, "like": 0.5, "watch": 0.25}
    assert (found.store, found.until, found.ratings) == ("a store", 9, without.ratings)
