"""What Prometheus sees of yesterday."""

from prometheus_client import CollectorRegistry

from tests.metrics import collected
from training.metrics.bootstrap import Interval
from training.pleased.figures import Figure
from training.pleased.metrics import GROUPS, PleasedMetrics

NONE = Interval(0, 0, 0)


def figure(dimension: str, group: str, shown: int) -> Figure:
    return Figure(dimension, group, 1, 1, shown, 0, 0, NONE, Interval(0.2, 0.1, 0.3), NONE)


def test_rates_are_shown_by_version_and_placement_and_of_many_placements_those_shown_most() -> None:
    collectors = CollectorRegistry()
    metrics = PleasedMetrics(collectors)
    placements = [figure("placement", f"place-{number}", number) for number in range(100)]
    metrics.show([figure("all", "all", 9), figure("version", "7", 9), figure("rank", "1", 9), *placements])
    found = collected(collectors)
    rates = {name: value for name, value in found.items() if "group_success_rate" in name}
    assert len(rates) == 3 * (1 + GROUPS)
    assert any("place-99" in name for name in rates)
    assert not any("place-79" in name or "rank" in name for name in rates)
    assert found["recommender_pleased_success_rate{end=high}"] == 0.3
    metrics.show([])
    assert not [name for name in collected(collectors) if "{" in name]
