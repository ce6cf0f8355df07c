"""Shows Prometheus how yesterday's lists pleased: people may like less than a week before."""

from prometheus_client import CollectorRegistry, Gauge

from training.pleased.figures import Figure


class PleasedMetrics:
    """The figures of the last whole day; absent while nothing tells what was shown."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        self._rate = Gauge(
            "recommender_pleased_success_rate",
            "Successes of yesterday's shown films, or of those in lists: value, low, high",
            ["end"],
            registry=collectors,
        )
        self._shown = Gauge(
            "recommender_pleased_shown", "Films that were shown yesterday", ["day"], registry=collectors
        )

    def show(self, figure: Figure | None) -> None:
        """Show the figure of yesterday, or that there is none."""
        self._rate.clear()
        self._shown.clear()
        if figure is None:
            return
        self._shown.labels("yesterday").set(figure.shown)
        rate = figure.success_rate
        for end, value in (("value", rate.mean), ("low", rate.low), ("high", rate.high)):
            self._rate.labels(end).set(value)
