import numpy as np
import pytest

from app.contract.ranking import Ranking
from app.model.profile import KeptRanking, Profile


def test_a_kept_ranking_answers_shorter_ones_and_is_made_anew_for_a_longer_one() -> None:
    kept, made = KeptRanking(), list[int]()

    def first(k: int) -> list[int]:
        def rank() -> Ranking:
            made.append(k)
            return Ranking(np.arange(k)[None], np.arange(k, 0, -1.0)[None])

        ranking = kept.first(k, rank)
        assert ranking.items.shape == ranking.scores.shape
        items: list[int] = ranking.items[0].tolist()
        return items

    assert [first(k) for k in (5, 5, 2, 7, 7, 5)] == [list(range(k)) for k in (5, 5, 2, 7, 7, 5)]
    assert made == [5, 7]


@pytest.mark.parametrize(("vector", "source"), [([0.0, 0.0], "popular"), ([0.0, -1.0], "personalised")])
def test_of_whom_nothing_was_learned_gets_popular_items(vector: list[float], source: str) -> None:
    assert Profile(np.array(vector, dtype=np.float32), np.array([1])).source == source


def test_with_seen_items_allowed_only_hidden_ones_stay_out() -> None:
    profile = Profile(
        np.ones(2, dtype=np.float32), np.array([1, 2, 3]), row=7, hidden=np.array([3]), kept=KeptRanking()
    )
    allowed = profile.with_seen_allowed()
    assert (allowed.seen.tolist(), allowed.row, allowed.kept) == ([3], None, None)
    assert Profile(profile.vector, profile.seen).with_seen_allowed().seen.tolist() == []
