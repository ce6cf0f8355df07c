import numpy as np
import pytest

from app.contract.candidates import candidates


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
