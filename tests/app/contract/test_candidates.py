import numpy as np
import pytest

from app.contract.candidates import SHORT, candidates, candidates_of_each


@pytest.mark.parametrize("n", [1, 63, 64, 65, 1000, 5000])
@pytest.mark.parametrize("k", [1, 10, 2000])
@pytest.mark.parametrize("margin", [0.0, 0.3, 10.0])
def test_all_places_within_the_margin_of_the_kth_best_are_found(n: int, k: int, margin: float) -> None:
    rng = np.random.default_rng(n)
    scores = rng.normal(size=n).astype(np.float32)
    scores[rng.random(n) < 0.3] = -np.inf
    threshold = np.sort(scores)[::-1][min(k, n) - 1] - margin
    expected = np.flatnonzero((scores >= threshold) & (scores > -np.inf))
    assert candidates(scores, k, margin).tolist() == expected.tolist()


def test_of_no_scores_there_are_no_candidates() -> None:
    assert candidates(np.empty(0, dtype=np.float32), 10, 0.0).tolist() == []


@pytest.mark.parametrize("n", [1, 1000, SHORT + 1])
@pytest.mark.parametrize("k", [0, 1, 50])
def test_of_many_rows_the_candidates_are_those_of_each_row(n: int, k: int) -> None:
    rng = np.random.default_rng(n)
    scores = rng.integers(100, size=(5, n)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.3] = -np.inf
    scores[2] = -np.inf
    k, margins = min(k, n), np.array([0, 0.5, 1, 2, 30], dtype=np.float32)
    places, lengths = candidates_of_each(scores, k, margins)
    each = [candidates(row, k, float(margin)) for row, margin in zip(scores, margins, strict=True)]
    assert lengths.tolist() == [len(found) for found in each]
    assert places.tolist() == np.concatenate(each).tolist()


def test_of_no_rows_there_are_no_candidates() -> None:
    places, lengths = candidates_of_each(np.empty((0, 10), dtype=np.float32), 3, np.empty(0, dtype=np.float32))
    assert (places.tolist(), lengths.tolist()) == ([], [])
