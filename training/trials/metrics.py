"""How a trial stands, as Prometheus sees it."""

import math
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.contract.placement_trial import PlacementTrial
from training.trials.verdict import WORDS, Verdict

ARMS = ("production", "challenger")


class TrialMetrics:
    """The metrics of one program that looks at trials; figures are absent while there is no trial.

    Those of a trial of placements have the name of the placement, those of the trial of versions an empty one.
    """

    def __init__(self) -> None:
        self.collectors = CollectorRegistry()
        self._running = self._gauge("running", "1 while a trial runs")
        self._looked = Gauge(
            "recommender_trial_last_look_timestamp_seconds", "When this program last looked", registry=self.collectors
        )
        self._verdict = self._gauge("verdict", "1 for the present verdict, 0 for the others", "verdict")
        self._users = self._gauge("users", "Users in each arm", "arm")
        self._rate = self._gauge("successes_per_list", "Successes a list in each arm", "arm")
        self._share = self._gauge("success_share", "Share of the users with a success in each arm", "arm")
        self._difference = self._gauge(
            "relative_difference", "Difference in successes a list, relative to production: value, low, high", "end"
        )
        self._ratio_p = self._gauge("sample_ratio_p", "p of the sample-ratio check", "trial")
        self._days_left = self._gauge("days_left", "Days that the trial still needs at the present rate", "trial")
        self.failures = Counter("recommender_trial_failures", "Looks that failed", registry=self.collectors)

    def show(self, verdicts: Sequence[Verdict]) -> None:
        """Show the verdicts about the running trials, and whether one of versions runs."""
        self._looked.set_to_current_time()
        figures = self._users, self._rate, self._share, self._difference, self._ratio_p, self._days_left
        for gauge in (self._running, self._verdict, *figures):
            gauge.clear()
        by_placement = {_placement(verdict): verdict for verdict in verdicts}
        for placement, verdict in {"": None, **by_placement}.items():
            self._running.labels(placement).set(verdict is not None)
            for word in WORDS:
                self._verdict.labels(placement, word).set(verdict is not None and word == verdict.word)
            if verdict is not None:
                self._show_figures(placement, verdict)

    def _show_figures(self, placement: str, verdict: Verdict) -> None:
        trial, found = verdict.trial, verdict.estimate
        name = trial.against if isinstance(trial, PlacementTrial) else trial.version
        if verdict.standings:
            standing = verdict.standings[-1]
            for arm, users, rate in zip(ARMS, standing.users, standing.rates, strict=True):
                self._users.labels(placement, arm).set(users)
                self._rate.labels(placement, arm).set(rate)
            if not math.isnan(standing.half) and standing.rates[0]:
                for end, value in (("value", standing.difference), ("low", standing.low), ("high", standing.high)):
                    self._difference.labels(placement, end).set(value / standing.rates[0])
        if found is not None:
            for arm, share in zip(ARMS, (found.success.production, found.success.challenger), strict=True):
                self._share.labels(placement, arm).set(share)
        self._ratio_p.labels(placement, name).set(verdict.ratio_p)
        if verdict.days_left is not None:
            self._days_left.labels(placement, name).set(verdict.days_left)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"recommender_trial_{name}", text, ("placement", *labels), registry=self.collectors)


def _placement(verdict: Verdict) -> str:
    return verdict.trial.placement if isinstance(verdict.trial, PlacementTrial) else ""
