import numpy as np
import pandas as pd
import pytest

from training.data.split import cut_in_time, split_rows
from training.errors import DataError
from training.params.prepare import SplitParams


def rows(*users: str) -> pd.DataFrame:
    """One string per user: + a positive, - none, in order of time."""
    table = [
        (number, mark == "+", 10 * time + number) for number, user in enumerate(users) for time, mark in enumerate(user)
    ]
    return pd.DataFrame(table, columns=["user", "positive", "timestamp"])


def split(table: pd.DataFrame, method: str = "per_user", **changes: object) -> str:
    params = {"method": method, "validation": 0.1, "test": 0.2, "min_positives": 5, **changes}
    numbers = split_rows(table, SplitParams.model_validate(params), np.random.default_rng(0))
    return "".join(map(str, numbers))


def test_the_last_positives_are_test_and_those_before_validation() -> None:
    assert split(rows("++++++++++")) == "0000000122"


def test_half_a_positive_is_rounded_up() -> None:
    assert split(rows("+" * 15)) == "0" * 10 + "11" + "222"


def test_a_rating_that_is_no_positive_stays_on_its_side_of_the_cut() -> None:
    # Dated before the first validation positive: known then. Between the splits: part of the earlier one.
    assert split(rows("-+++-+-+-+-")) == "00000001122"


def test_nothing_is_dated_after_the_first_positive_of_the_next_split() -> None:
    rng = np.random.default_rng(1)
    table = rows(*("".join(rng.choice(["+", "-"], 40)) for _ in range(30)))
    table["split"] = [int(number) for number in split(table)]
    for _, user in table.groupby("user"):
        for earlier, later in ((0, 1), (1, 2)):
            first_positive = user.timestamp[(user.split == later) & user.positive].min()
            assert (user.timestamp[user.split == earlier] < first_positive).all()


def test_a_user_with_few_positives_is_in_training_only() -> None:
    assert split(rows("++++", "+++++")) == "0000" + "00012"


def test_a_global_split_cuts_everybody_at_the_same_time() -> None:
    table = rows("++++++++++", "+++++-----")
    table["split"] = [int(number) for number in split(table, "global")]
    latest = table.groupby("split").timestamp.max()
    earliest = table.groupby("split").timestamp.min()
    assert latest[0] < earliest[1]
    assert latest[1] < earliest[2]


def test_a_split_begins_with_its_first_moment() -> None:
    assert cut_in_time(np.array([1, 2, 3, 4]), validation=2, test=4).tolist() == [0, 1, 1, 2]


def test_a_global_split_needs_timestamps() -> None:
    with pytest.raises(DataError, match="global needs timestamps"):
        split(rows("++++++").assign(timestamp=0), "global")


def test_a_random_split_has_the_same_sizes_and_follows_the_seed() -> None:
    table = rows("+" * 100)
    first, second = split(table, "random"), split(table, "random")
    assert first == second
    assert first != split(table)
    assert [first.count(number) for number in "012"] == [70, 10, 20]


def test_a_global_split_without_a_positive_is_all_train() -> None:
    assert split(rows("------"), "global") == "000000"
