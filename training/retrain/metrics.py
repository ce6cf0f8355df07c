"""Shows Prometheus how retraining goes."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class RetrainMetrics:
    """The metrics of one program; `period` is the longest time between two runs, in seconds.

    Until the first success the time of the start stands for it, so that a schedule without any is late, too.
    """

    def __init__(self, period: float) -> None:
        self.collectors = CollectorRegistry()

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"recommender_retrain_{name}", text, registry=self.collectors)

        gauge("period_seconds", "Longest time between two runs of the schedule").set(period)
        self._success = gauge(
            "last_success_timestamp_seconds", "End of the last run that succeeded, or the start of this program"
        )
        self._success.set_to_current_time()
        self._duration = gauge("last_duration_seconds", "Duration of the last run")
        self._exit_code = gauge(
            "last_exit_code", "Exit code of the last run: 0 after a success and before the first run"
        )
        self._running = gauge("running", "1 while the pipeline runs")
        self._failures = Counter("recommender_retrain_failures", "Runs that failed", registry=self.collectors)

    def begin(self) -> None:
        """Note that a run begins."""
        self._running.set(1)

    def end(self, exit_code: int, seconds: float) -> None:
        """Note how a run ended."""
        self._running.set(0)
        self._duration.set(seconds)
        self._exit_code.set(exit_code)
        if exit_code == 0:
            self._success.set_to_current_time()
        else:
            self._failures.inc()
