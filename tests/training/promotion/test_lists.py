import pandas as pd
import pytest

from tests.artifacts import make_artifact
from training.promotion import lists as module
from training.promotion.lists import coverage, lists_of, overlap, sample_lists


def table(*items: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"items": list(items)})


def test_ten_unseen_items_for_a_user_and_none_for_one_whom_the_model_does_not_know() -> None:
    artifact = make_artifact(user_ids=[1, 2], item_ids=range(20), seen={0: [0, 1]})
    lists = lists_of(artifact, ["1", "nobody"])
    assert lists["user_id"].tolist() == ["1", "nobody"]
    known, unknown = lists["items"]
    assert len(set(known)) == 10
    assert not {"0", "1"} & set(known)
    assert unknown == []


def test_a_list_ends_where_there_is_nothing_unseen() -> None:
    artifact = make_artifact(user_ids=[1], item_ids=range(8), seen={0: [0, 1, 2]})
    assert set(lists_of(artifact, ["1"])["items"][0]) == {"3", "4", "5", "6", "7"}


def test_of_many_users_some_are_drawn_by_the_seed_and_of_few_all(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = make_artifact(user_ids=range(100, 200), item_ids=range(3))
    assert sample_lists(artifact, 1)["user_id"].tolist() == [str(user) for user in range(100, 200)]
    monkeypatch.setattr(module, "MOST_USERS", 20)
    first, again, other = (sample_lists(artifact, seed)["user_id"].tolist() for seed in (1, 1, 2))
    assert len(set(first)) == 20
    assert first == sorted(first)
    assert first == again != other


def test_an_overlap_is_a_share_of_their_items_and_a_coverage_one_of_the_catalogue() -> None:
    assert overlap(table(["a", "b"], ["x"]), table(["b", "c", "d", "e"], ["x"])) == (1 / 4 + 1) / 2
    assert overlap(table(["a"], ["x"]), table([], ["x"])) == 0.5
    assert coverage(table(["a", "b"], [], ["b"]), 8) == 2 / 8
