import numpy as np
import pytest

from app.contract.ready_scores import MILLION, NO_SCORE, as_millionths


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1, 100, 2000])
def test_what_is_kept_of_a_score_is_what_is_shown_of_it_bit_for_bit(scale: float) -> None:
    scores = np.random.default_rng(0).uniform(-scale, scale, 100_000)
    kept = as_millionths(scores)
    fits = kept != NO_SCORE
    assert (kept[fits] / MILLION).tobytes() == scores[fits].round(6).tobytes()
    assert (scores[~fits].round(6) == 0).all()
    assert np.signbit(scores[~fits]).all()  # JSON tells -0.0 from 0.0, an integer doesn't
    assert fits.sum() > (60_000 if scale == 1e-6 else 99_900)


@pytest.mark.parametrize("score", [2147.4836475, -2147.4836475, 81_491.0, 1e300, -1e12, -1e-7, -0.0])
def test_a_score_that_does_not_fit_is_marked(score: float) -> None:
    assert as_millionths(np.array([score])).tolist() == [NO_SCORE]


def test_the_largest_and_smallest_scores_fit() -> None:
    scores = np.array([2147.483647, -2147.483647, 0.0, 1e-7])
    assert as_millionths(scores).tolist() == [2**31 - 1, 1 - 2**31, 0, 0]
