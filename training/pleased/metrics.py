"""Shows Prometheus how yesterday's lists pleased: people may like less than a week before."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Gauge

from training.metrics.bootstrap import Interval
from training.pleased.figures import Figure
from training.pleased.shown import PLACEMENT, VERSION
from training.pleased.totals import ALL

GROUPS = 20  # of versions and of placements, those with most showings: clients may send any placement
SHOWN_BY = (ALL, VERSION, PLACEMENT)


class PleasedMetrics:
    """The figures of the last whole day; absent while nothing tells what was shown."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        self._rate = Gauge(
            "recommender_pleased_success_rate",
            "Successes of yesterday's shown films, or of those in lists: value, low, high",
            ["end"],
            registry=collectors,
        )
        self._rates = Gauge(
            "recommender_pleased_group_success_rate",
            "The same by version and by placement",
            ["by", "group", "end"],
            registry=collectors,
        )
        self._shown = Gauge(
            "recommender_pleased_shown", "Films that were shown yesterday", ["day"], registry=collectors
        )

    def show(self, figures: Sequence[Figure]) -> None:
        """Show the figures of yesterday by SHOWN_BY; without any, show none."""
        for gauge in (self._rate, self._rates, self._shown):
            gauge.clear()
        for dimension in SHOWN_BY:
            groups = sorted((each for each in figures if each.dimension == dimension), key=lambda each: -each.shown)
            for figure in groups[:GROUPS]:
                self._show(figure)

    def _show(self, figure: Figure) -> None:
        if figure.dimension != ALL:
            _set(self._rates, figure.success_rate, figure.dimension, figure.group)
            return
        _set(self._rate, figure.success_rate)
        self._shown.labels("yesterday").set(figure.shown)


def _set(gauge: Gauge, rate: Interval, *labels: str) -> None:
    for end, value in (("value", rate.mean), ("low", rate.low), ("high", rate.high)):
        gauge.labels(*labels, end).set(value)
