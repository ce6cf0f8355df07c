from pathlib import Path

import pandas as pd
import pytest

from tests.training.world import change_params, make_project
from training.data.dataset import ITEM_ID, USER_ID
from training.errors import DataError
from training.files import read_json
from training.params.whole import Params
from training.prepare import _frequent, prepare

# Users 1 to 3 rate films 1 to 3; user 4 only film 1 and film 4, which nobody else knows.
PAIRS = [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3), (4, 1), (4, 4)]


def frequent(params: Params, users: int, items: int) -> list[tuple[int, int]]:
    """The pairs that are left."""
    wanted = params.prepare.model_copy(update={"min_user_ratings": users, "min_item_ratings": items})
    left = _frequent(pd.DataFrame(PAIRS, columns=[USER_ID, ITEM_ID]), wanted)
    return list(zip(left[USER_ID], left[ITEM_ID], strict=True))


@pytest.fixture
def params(tmp_path: Path) -> Params:
    return make_project(tmp_path)[1]


@pytest.mark.parametrize(
    ("users", "items", "kept"),
    [
        (1, 1, PAIRS),
        (2, 1, PAIRS),
        (3, 1, PAIRS[:9]),
        (1, 2, PAIRS[:10]),
        (1, 3, PAIRS[:10]),
        (1, 4, [(1, 1), (2, 1), (3, 1), (4, 1)]),
        (2, 2, PAIRS[:9]),  # without film 4, user 4 has one rating left
    ],
)
def test_users_and_items_with_too_few_ratings_are_left_out_until_none_is(
    params: Params, users: int, items: int, kept: list[tuple[int, int]]
) -> None:
    assert frequent(params, users, items) == kept


def test_where_nothing_is_left_both_limits_are_named(params: Params) -> None:
    sentence = "none of the 11 ratings is left with prepare.min_user_ratings 3 and prepare.min_item_ratings 4; lower"
    with pytest.raises(DataError, match=sentence):
        frequent(params, 3, 4)


def test_the_figures_count_what_was_prepared(tmp_path: Path) -> None:
    project, _ = make_project(tmp_path)
    stats = read_json(project.stats, "")
    rows = pd.concat([pd.read_parquet(project.prepared / f"{name}.parquet") for name in stats["positives"]])
    assert (stats["users"], stats["items"], stats["items_without_ratings"], stats["ratings"]) == (80, 81, 1, 80 * 15)
    assert stats["density"] == round(80 * 15 / (80 * 81), 6)
    assert sum(stats["positives"].values()) == 80 * 12 == rows["positive"].sum()
    assert stats["positives"]["test"] == pd.read_parquet(project.prepared / "test.parquet")["positive"].sum()


def test_the_last_rating_of_a_pair_counts(tmp_path: Path) -> None:
    project, params = make_project(tmp_path)
    ratings = pd.read_csv(project.raw / "interactions.csv")
    again = ratings.iloc[[0]].assign(rating=1.0, timestamp=9_000_000)
    pd.concat([again, ratings]).to_csv(project.raw / "interactions.csv", index=False)
    prepare(params, project.raw, project.prepared, project.stats)
    assert read_json(project.stats, "")["ratings"] == len(ratings)
    assert sum(read_json(project.stats, "")["positives"].values()) == 80 * 12 - (ratings.rating[0] == 5)


@pytest.mark.long
def test_with_min_rating_null_every_row_is_a_positive(tmp_path: Path) -> None:
    project, _ = make_project(tmp_path)
    params = change_params(project, prepare__min_rating=None)
    prepare(params, project.raw, project.prepared, project.stats)
    assert sum(read_json(project.stats, "")["positives"].values()) == 80 * 15


def test_ratings_without_times_stay_in_their_order_at_time_0(tmp_path: Path) -> None:
    project, params = make_project(tmp_path)
    ratings = pd.read_csv(project.raw / "interactions.csv").drop(columns="timestamp")
    ratings.to_csv(project.raw / "interactions.csv", index=False)
    prepare(params, project.raw, project.prepared, project.stats)
    train = pd.read_parquet(project.prepared / "train.parquet")
    assert set(train["timestamp"]) == {0}
    first = pd.read_parquet(project.prepared / "items.parquet")["item_id"].to_numpy()[train["item"][train["user"] == 0]]
    assert first.tolist() == ratings["item_id"][ratings["user_id"] == 1].head(len(first)).tolist()
