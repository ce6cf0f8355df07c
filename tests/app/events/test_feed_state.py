from prometheus_client import CollectorRegistry

from app.events.feed_state import CATCHING_UP, OK, UNAVAILABLE, FeedMetrics, FeedState
from tests.metrics import collected


def test_a_store_that_has_told_nothing_for_long_is_unavailable() -> None:
    for status in (OK, CATCHING_UP):
        state = FeedState(status, position=7, heard_at=1000.0, learned_until=3)
        assert state.at(1010.0) is state
        late = state.at(1010.5)
        assert (late.status, late.problem) == (UNAVAILABLE, "The store has told nothing for 10 s; it may hang")
        assert (late.position, late.learned_until) == (7, 3)
    for other in (FeedState(CATCHING_UP), FeedState(UNAVAILABLE, heard_at=1000.0)):
        assert other.at(5000.0) is other


def test_metrics_are_those_of_the_state_at_the_time_of_the_scrape() -> None:
    collectors, states = CollectorRegistry(), [FeedState(CATCHING_UP)]
    FeedMetrics(collectors).show(lambda: states[-1], lambda: 5)
    found = collected(collectors)
    assert (found["recommender_overlay_users"], found["recommender_overlay_position"]) == (5, 0)
    assert 0 <= found["recommender_overlay_lag_seconds"] < 60  # since the start
    states.append(FeedState(OK, position=7, caught_up_at=1.0, learned_until=3))
    found = collected(collectors)
    assert (found["recommender_overlay_position"], found["recommender_overlay_learned_until"]) == (7, 3)
    assert found["recommender_overlay_lag_seconds"] > 1e9
