from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from app.contract.artifact import Artifact
from app.contract.ranking import NO_ITEM, Ranking
from app.contract.ready_scores import as_millionths
from app.contract.recommender import Recommender
from tests.artifacts import make_artifact


def by_hand() -> Artifact:
    """Two users, four films; user 1 likes the first dimension, user 2 has learned nothing.

    Scores of user 1: 3·1 + 0 = 3, 2·1 + 0 = 2, 0 + 2 = 2, −1 + 0.5 = −0.5.
    """
    return make_artifact(
        user_ids=[1, 2],
        item_ids=[10, 20, 30, 40],
        dim=2,
        user_embeddings=np.array([[1, 0], [0, 0]], dtype=np.float32),
        item_embeddings=np.array([[3, 9], [2, 9], [0, 9], [-1, 9]], dtype=np.float32),
        item_biases=np.array([0, 0, 2, 0.5], dtype=np.float32),
        item_popularity=np.array([5, 7, 7, 9]),
    )


def with_seen(artifact: Artifact, seen: dict[int, list[int]]) -> Artifact:
    rows = [seen.get(row, []) for row in range(len(artifact.user_ids))]
    return replace(
        artifact,
        seen_indptr=np.cumsum([0, *map(len, rows)]),
        seen_indices=np.array([item for row in rows for item in row], dtype=np.int32),
    )


def first(recommender: Recommender, user_row: int, k: int) -> list[int]:
    items: list[int] = recommender.recommend(np.array([user_row]), k).items[0].tolist()
    return items


def test_films_are_ranked_by_score_and_ties_go_to_the_lower_row() -> None:
    ranking = Recommender(by_hand()).recommend(np.array([0]), 4)
    assert ranking.items.tolist() == [[0, 1, 2, 3]]
    assert ranking.scores.tolist() == [[3.0, 2.0, 2.0, -0.5]]


def test_films_that_the_user_has_seen_are_left_out() -> None:
    assert first(Recommender(with_seen(by_hand(), {0: [0, 2]})), 0, 2) == [1, 3]


def test_a_user_without_a_vector_gets_unseen_popular_films() -> None:
    recommender = Recommender(with_seen(by_hand(), {1: [1]}))
    assert not recommender.user_vector(1).any()
    ranking = recommender.recommend(np.array([1]), 3)
    assert ranking.items.tolist() == [[3, 2, 0]]
    assert ranking.scores.tolist() == [[9.0, 7.0, 5.0]]


def test_popular_films_are_ranked_by_interactions_and_ties_go_to_the_lower_row() -> None:
    ranking = Recommender(by_hand()).popular(3)
    assert ranking.items.tolist() == [[3, 1, 2]]
    assert ranking.scores.tolist() == [[9.0, 7.0, 7.0]]


def test_a_list_that_is_too_short_is_padded() -> None:
    recommender = Recommender(with_seen(by_hand(), {0: [0, 1, 3]}))
    ranking = recommender.recommend(np.array([0]), 3)
    assert ranking.items.tolist() == [[2, NO_ITEM, NO_ITEM]]
    assert ranking.scores.tolist() == [[2.0, -np.inf, -np.inf]]


def test_who_has_seen_everything_gets_nothing() -> None:
    assert first(Recommender(with_seen(by_hand(), {0: [0, 1, 2, 3]})), 0, 2) == [NO_ITEM, NO_ITEM]


def random_artifact(n_users: int, n_items: int, dim: int, *, tied: bool, scale: float = 1) -> Artifact:
    rng = np.random.default_rng(n_items)

    def numbers(*shape: int) -> npt.NDArray[np.float32]:
        drawn = rng.integers(-1, 2, size=shape) if tied else rng.normal(size=shape)
        return (drawn * scale).astype(np.float32)

    users = numbers(n_users, dim)
    users[rng.random(n_users) < 0.1] = 0
    seen = {row: rng.choice(n_items, rng.integers(0, n_items + 1), replace=False).tolist() for row in range(n_users)}
    artifact = make_artifact(
        user_ids=np.arange(n_users),
        item_ids=np.arange(n_items),
        dim=dim,
        user_embeddings=users,
        item_embeddings=numbers(n_items, dim),
        item_biases=numbers(n_items),
        item_popularity=rng.integers(0, 4 if tied else 1000, size=n_items),
    )
    return with_seen(artifact, seen)


def brute_force(artifact: Artifact, user_row: int, k: int) -> list[int]:
    """Every score in float64, all of them sorted."""
    vector = artifact.user_embeddings[user_row].astype(np.float64)
    scores = artifact.item_embeddings.astype(np.float64) @ vector + artifact.item_biases
    if not vector.any():
        scores = artifact.item_popularity.astype(np.float64)
    start, end = artifact.seen_indptr[user_row : user_row + 2]
    seen = set(artifact.seen_indices[start:end].tolist())
    unseen = sorted((-score, row) for row, score in enumerate(scores.tolist()) if row not in seen)
    return ([row for _, row in unseen] + [NO_ITEM] * k)[:k]


@pytest.mark.parametrize("k", [1, 10, 100])
@pytest.mark.parametrize(
    "artifact",
    [
        pytest.param(random_artifact(150, 700, 8, tied=False), id="random"),
        pytest.param(random_artifact(150, 700, 2, tied=True), id="heavily tied"),
        pytest.param(random_artifact(150, 110, 4, tied=True), id="few films"),
        pytest.param(random_artifact(100, 500, 8, tied=False, scale=1e-12), id="tiny numbers"),
        pytest.param(random_artifact(100, 500, 8, tied=False, scale=1e12), id="large numbers"),
    ],
)
def test_every_list_is_that_of_a_full_sort_alone_and_in_a_batch(artifact: Artifact, k: int) -> None:
    recommender = Recommender(artifact)
    batch = recommender.recommend(np.arange(recommender.n_users), k)
    for row in range(recommender.n_users):
        expected = brute_force(artifact, row, k)
        assert batch.items[row].tolist() == expected
        alone = recommender.recommend(np.array([row]), k)
        assert alone.items[0].tolist() == expected
        assert alone.scores[0].tolist() == batch.scores[row].tolist()


def test_what_float32_rounds_together_is_still_told_apart() -> None:
    # 1 + 2⁻³⁰·row is 1 in float32 but not in float64: more such films than spare candidates.
    n_items = 200
    embeddings = np.ones((n_items, 2), dtype=np.float32)
    embeddings[:, 1] = 2.0**-30 * np.arange(n_items)
    artifact = make_artifact(
        user_ids=[1],
        item_ids=np.arange(n_items),
        dim=2,
        user_embeddings=np.ones((1, 2), dtype=np.float32),
        item_embeddings=embeddings,
        item_biases=np.zeros(n_items, dtype=np.float32),
    )
    assert first(Recommender(artifact), 0, 3) == [199, 198, 197]


def top_matches_recommend(artifact: Artifact, k: int) -> None:
    recommender = Recommender(artifact)
    for row in range(recommender.n_users):
        single = recommender.top(recommender.user_vector(row), k, recommender.seen(row))
        batch = recommender.recommend(np.array([row]), k)
        real = batch.items[0] != NO_ITEM
        assert single.items[0].tolist() == batch.items[0][real].tolist()
        assert single.scores[0].tolist() == batch.scores[0][real].tolist()


@pytest.mark.parametrize("n_items", [5, 63, 64, 65, 1000, 4100])
@pytest.mark.parametrize("k", [1, 10, 100])
def test_one_vector_gets_the_list_that_a_batch_gives(n_items: int, k: int) -> None:
    rng = np.random.default_rng(n_items)
    seen = {row: sorted(rng.choice(n_items, n_items // 3, replace=False).tolist()) for row in range(8)}
    top_matches_recommend(make_artifact(range(9), range(n_items), dim=8, seen=seen), k)


@pytest.mark.parametrize("n_items", [65, 4100])
def test_one_vector_with_heavily_tied_scores_gets_the_list_that_a_batch_gives(n_items: int) -> None:
    rng = np.random.default_rng(0)
    tied = rng.integers(-1, 2, size=(n_items, 4)).astype(np.float32)
    users = np.concatenate([rng.integers(-1, 2, size=(7, 4)), np.zeros((1, 4))]).astype(np.float32)
    artifact = make_artifact(
        range(8), range(n_items), dim=4, user_embeddings=users, item_embeddings=tied,
        item_biases=np.zeros(n_items, dtype=np.float32), item_popularity=rng.integers(0, 3, n_items),
    )  # fmt: skip
    top_matches_recommend(artifact, 20)


def test_only_what_is_allowed_and_not_hidden_is_ranked() -> None:
    artifact = make_artifact(range(3), range(500), dim=4)
    recommender = Recommender(artifact)
    allowed = np.arange(500) % 100 == 7
    ranking = recommender.top(recommender.user_vector(0), 10, np.array([107]), allowed)
    assert sorted(ranking.items[0].tolist()) == [7, 207, 307, 407]
    assert (np.diff(ranking.scores[0]) <= 0).all()
    nobody = recommender.top(np.zeros(4, dtype=np.float32), 10, np.array([7]), allowed)
    assert sorted(nobody.items[0].tolist()) == [107, 207, 307, 407]


def test_nothing_allowed_is_an_empty_ranking() -> None:
    recommender = Recommender(make_artifact(range(3), range(500), dim=4))
    ranking = recommender.top(recommender.user_vector(0), 10, None, np.zeros(500, dtype=bool))
    assert ranking.items.shape == (1, 0)


def test_a_vector_is_folded_in_from_what_is_liked_and_has_an_encoder() -> None:
    encoder = np.array([[1, 0], [0, 1], [2, 2], [1, 1], [0, 0], [0, 0]], dtype=np.float32)
    intercept = np.array([10, 20], dtype=np.float32)
    recommender = Recommender(make_artifact(dim=2, encoder=encoder, encoder_intercept=intercept))
    assert recommender.fold_in(np.array([0, 1, 2, 3])).tolist() == [4 / 2 + 10, 4 / 2 + 20]
    assert recommender.fold_in(np.array([0, 4, 5])).tolist() == recommender.fold_in(np.array([0])).tolist() == [11, 20]
    for nothing in ([], [4, 5]):
        assert recommender.fold_in(np.array(nothing, dtype=np.int64)).tolist() == [0, 0]


def test_somebody_with_few_likes_is_drawn_towards_the_mean_user_whom_many_likes_outweigh() -> None:
    mean = np.array([100, 0], dtype=np.float32)
    recommender = Recommender(make_artifact(dim=2, encoder=np.eye(6, 2), mean_user=mean, newcomer_weight=3.0))
    assert recommender.fold_in(np.array([0])).tolist() == [0.25 + 75, 0]
    assert recommender.fold_in(np.array([1, 2])).tolist() == [75, 0.25]  # the third item has no encoder
    assert recommender.fold_in(np.array([2])).tolist() == [0, 0]


def test_what_people_like_first_is_added_to_what_attributes_say_until_something_is_liked() -> None:
    first, start = np.array([0, 8], dtype=np.float32), np.array([4, 0], dtype=np.float32)
    given: dict[str, Any] = {"mean_user": first, "newcomer_weight": 1.0, "first_likes": first}
    recommender, nobody = (
        Recommender(make_artifact(dim=2, encoder=np.eye(6, 2), **given)),
        np.zeros(2, dtype=np.float32),
    )
    for nothing in (np.array([], dtype=np.int64), np.array([2])):
        assert recommender.fold_in(nothing, start).tolist() == [4, 8]
        assert recommender.fold_in(nothing, nobody).tolist() == recommender.fold_in(nothing).tolist() == [0, 0]
    assert recommender.fold_in(np.array([0]), start).tolist() == [0.5 + 2, 0]


def with_ready_lists(artifact: Artifact, k: int) -> tuple[Recommender, Ranking]:
    ranked = Recommender(artifact).recommend(np.arange(len(artifact.user_ids)), k)
    scores = as_millionths(np.where(ranked.items == NO_ITEM, 0, ranked.scores))
    return Recommender(replace(artifact, ready_items=ranked.items.astype(np.int32), ready_scores=scores)), ranked


def test_ready_lists_are_looked_up_and_longer_ones_ranked() -> None:
    artifact = make_artifact(range(5), range(30), dim=4, seen={0: [1, 2], 1: list(range(25))})
    plain, (ready, _) = Recommender(artifact), with_ready_lists(artifact, 10)
    for row in range(5):
        for k in (1, 10, 11):
            looked_up, searched = ready.ready(row, k), plain.ready(row, k)
            assert looked_up.items.tolist() == searched.items.tolist()
            assert looked_up.scores.round(6).tolist() == searched.scores.round(6).tolist()
    assert ready.ready(0, 10).scores.tolist() == plain.ready(0, 10).scores.round(6).tolist()
    assert ready.ready(1, 10).items.shape == (1, 5)  # all that is unseen


def test_scores_that_do_not_fit_a_ready_list_are_computed() -> None:
    # Users 0 and 2 have scores beyond what millionths in int32 express; of user 1 nothing is learned.
    vectors = np.array([[1e6, 1, 0], [0, 0, 0], [-1e6, 0, 1], [1, 0, 0]], dtype=np.float32)
    popularity = np.array([90_000, 4000, 3000, 5, 1, 0])
    ready, ranked = with_ready_lists(make_artifact(user_embeddings=vectors, item_popularity=popularity), 4)
    for row in range(3):
        assert ready.ready(row, 4).scores.tolist() == ranked.scores[row : row + 1].tolist()
    assert ready.ready(1, 4).scores.tolist() == [[90_000, 4000, 3000, 5]]
    assert ready.ready(3, 4).scores.tolist() == ranked.scores[3:].round(6).tolist()


def test_a_look_up_answers_what_is_ready() -> None:
    items = np.array([[3, 1], [2, -1]], dtype=np.int32)
    scores = np.array([[1_500_000, -1], [0, 0]], dtype=np.int32)
    recommender = Recommender(make_artifact(range(2), range(30), dim=4, ready_items=items, ready_scores=scores))
    assert recommender.ready(0, 2).items.tolist() == [[3, 1]]
    assert recommender.ready(0, 2).scores.tolist() == [[1.5, -0.000001]]
    assert recommender.ready(1, 2).items.tolist() == [[2]]


def test_what_a_user_has_liked_is_part_of_what_they_have_seen() -> None:
    liked = np.array([False, True, True, False])
    recommender = Recommender(make_artifact(seen={0: [1, 4], 2: [0, 5]}, seen_liked=liked))
    assert [recommender.seen(row).tolist() for row in range(4)] == [[1, 4], [], [0, 5], []]
    assert [recommender.liked(row).tolist() for row in range(4)] == [[4], [], [0], []]
