import numpy as np

from app.contract.recommender import Recommender
from app.model.example_users import example_users
from tests.artifacts import make_artifact


def test_examples_have_a_short_a_medium_a_long_and_no_history() -> None:
    items = range(1, 102)
    artifact = make_artifact(range(1, 102), items, seen={row: list(range(row)) for row in range(101)})
    assert [tuple(user.model_dump().values()) for user in example_users(Recommender(artifact))] == [
        ("short", "7", 6),
        ("medium", "52", 51),
        ("long", "101", 100),
        ("unknown", "nobody", 0),
    ]


def test_users_without_a_history_are_no_examples_and_a_known_name_is_not_the_unknown_one() -> None:
    artifact = make_artifact(np.array(["ann", "nobody"]), seen={0: [1]})
    assert [user.user_id for user in example_users(Recommender(artifact))] == ["ann", "ann", "ann", "nobody1"]


def test_a_model_that_knows_no_history_has_only_the_unknown_user() -> None:
    assert [user.kind for user in example_users(Recommender(make_artifact()))] == ["unknown"]
