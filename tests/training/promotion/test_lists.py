from tests.artifacts import make_artifact
from training.promotion.lists import LENGTH, lists_of


def test_ten_unseen_items_for_a_user_and_none_for_one_whom_the_model_does_not_know() -> None:
    artifact = make_artifact(user_ids=[1, 2], item_ids=range(20), seen={0: [0, 1]})
    lists = lists_of(artifact, ["1", "nobody"])
    assert lists["user_id"].tolist() == ["1", "nobody"]
    known, unknown = lists["items"]
    assert len(set(known)) == LENGTH
    assert not {"0", "1"} & set(known)
    assert unknown == []
