import numpy as np
import pandas as pd

from tests.training.world import ROOT
from training.params.whole import load_params
from training.report.activity import by_activity

PARAMS = load_params(ROOT / "params.yaml")  # few < 20 <= medium < 60 <= many


def users(history: list[int], values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"user_id": range(len(history)), "history": history, "ndcg@10": values})


def test_a_segment_begins_with_its_first_number_of_ratings() -> None:
    history, values = [19, 20, 59, 60], [0.1, 0.2, 0.4, 0.8]
    found = by_activity({"ease": users(history, values), "popularity": users(history, [0.0] * 4)}, PARAMS)
    assert [(part.name, part.users) for part in found] == [
        ("few (below 20)", 1),
        ("medium (20 to 59)", 2),
        ("many (60 or more)", 1),
    ]
    assert [round(part.metric["ease"].mean, 6) for part in found] == [0.1, 0.3, 0.8]
    assert [part.metric["popularity"].mean for part in found] == [0, 0, 0]


def test_a_segment_in_which_a_candidate_has_no_figure_is_left_out() -> None:
    history = [1, 2, 30]
    ours, theirs = users(history, [0.1, 0.2, 0.3]), users(history, [np.nan, np.nan, 0.5])
    assert [part.name for part in by_activity({"a": ours, "b": theirs}, PARAMS)] == ["medium (20 to 59)"]
    partly = users(history, [np.nan, 0.2, 0.5])
    assert [part.users for part in by_activity({"a": ours, "b": partly}, PARAMS)] == [2, 1]
