import numpy as np
import pytest

from app.contract.ranking import Ranking
from app.contract.recommender import Recommender
from app.contract.similarity import Similarity
from tests.artifacts import make_artifact

# Two pairs that point the same way, one that points elsewhere, one of zeros.
EMBEDDINGS = np.array([[1, 0], [5, 0], [0, 1], [0, 3], [-1, -1], [0, 0]], dtype=np.float32)


@pytest.fixture
def similarity() -> Similarity:
    return Similarity(make_artifact(dim=2, item_embeddings=EMBEDDINGS))


def test_similar_items_point_the_same_way_whatever_their_length_and_bias(similarity: Similarity) -> None:
    ranking = similarity.similar(0, 3)
    assert ranking.items[0].tolist() == [1, 2, 3]
    assert ranking.scores[0].tolist() == pytest.approx([1, 0, 0])


def test_an_item_is_not_similar_to_itself_and_filters_apply(similarity: Similarity) -> None:
    allowed = np.array([True, False, True, True, True, True])
    assert similarity.similar(0, 10, allowed).items[0].tolist() == [2, 3, 5, 4]


def test_the_closest_films_of_a_history_explain_an_item(similarity: Similarity) -> None:
    history = np.array([0, 2, 4], dtype=np.int32)
    assert [rows.tolist() for rows in similarity.closest(np.array([1, 3]), history, 1)] == [[0], [2]]


def test_an_item_does_not_explain_itself(similarity: Similarity) -> None:
    history = np.array([0, 1, 2], dtype=np.int32)
    assert [rows.tolist() for rows in similarity.closest(np.array([0, 2, 3]), history, 2)] == [[1], [], [2]]


def test_a_film_that_is_not_alike_explains_nothing() -> None:
    embeddings = np.array([[1, 0], [1, 0.1], [-1, 0], [0, 0]], dtype=np.float32)
    similarity = Similarity(make_artifact(range(2), range(4), dim=2, item_embeddings=embeddings))
    closest = similarity.closest(np.array([0, 3]), np.array([1, 2, 3], dtype=np.int32), 3)
    assert [rows.tolist() for rows in closest] == [[1], []]


def test_without_diversity_the_order_stays() -> None:
    artifact = make_artifact(range(2), range(200), dim=5)
    recommender = Recommender(artifact)
    ranking = recommender.top(recommender.user_vector(0), 100)
    kept = Similarity(artifact).diversify(ranking, 10, 0.0)
    assert kept.items.tolist() == ranking.items[:, :10].tolist()
    assert kept.scores.tolist() == ranking.scores[:, :10].tolist()


def test_with_full_diversity_the_next_item_is_the_one_least_like_those_chosen(similarity: Similarity) -> None:
    ranking = Ranking(np.array([[0, 1, 2, 3, 4]]), np.array([[5.0, 4.0, 3.0, 2.0, 1.0]]))
    assert similarity.diversify(ranking, 3, 1.0).items[0].tolist() == [0, 4, 2]


def test_diversity_weighs_relevance_against_likeness(similarity: Similarity) -> None:
    ranking = Ranking(np.array([[0, 1, 2]]), np.array([[10.0, 9.0, 0.0]]))
    assert similarity.diversify(ranking, 2, 0.2).items[0].tolist() == [0, 1]
    assert similarity.diversify(ranking, 2, 0.8).items[0].tolist() == [0, 2]


def test_diversity_of_few_or_equal_candidates_is_no_error(similarity: Similarity) -> None:
    for items in ([], [3], [0, 1]):
        ranking = Ranking(np.array([items], dtype=np.int64), np.ones((1, len(items))))
        assert sorted(similarity.diversify(ranking, 10, 0.5).items[0].tolist()) == items


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("k", [1, 10, 500])
def test_similar_items_are_those_of_a_full_sort(tied: bool, k: int) -> None:
    rng = np.random.default_rng(k)
    embeddings = rng.integers(-1, 2, size=(300, 3)) if tied else rng.normal(size=(300, 3))
    artifact = make_artifact(item_ids=range(300), item_embeddings=embeddings.astype(np.float32))
    lengths = np.linalg.norm(embeddings, axis=1)
    unit = np.divide(embeddings, lengths[:, None], out=np.zeros((300, 3)), where=lengths[:, None] > 0)
    allowed = rng.random(300) < 0.7
    for row in range(20):
        cosines = (unit @ unit[row]).round(5)
        expected = [other for other in np.argsort(-cosines, kind="stable") if allowed[other] and other != row][:k]
        found = Similarity(artifact).similar(row, k, allowed)
        assert found.scores[0].tolist() == pytest.approx(cosines[expected].tolist(), abs=2e-5)
        if tied:  # cosines that differ, differ by much
            assert found.items[0].tolist() == expected
