"""The paths of the project's folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """The folder that holds params.yaml; every path that stages share is here."""

    root: Path

    @property
    def params(self) -> Path:
        """The parameters of every stage."""
        return self.root / "params.yaml"

    @property
    def raw(self) -> Path:
        """The output of `fetch`."""
        return self.root / "data" / "raw"

    @property
    def events(self) -> Path:
        """The output of `events`."""
        return self.root / "data" / "events"

    @property
    def prepared(self) -> Path:
        """The output of `prepare`."""
        return self.root / "data" / "prepared"

    @property
    def stats(self) -> Path:
        """Figures of the prepared data."""
        return self.reports / "stats.json"

    @property
    def reports(self) -> Path:
        """Metrics, per-user results and plots."""
        return self.root / "reports"

    @property
    def comparison(self) -> Path:
        """The report that compares a run's candidates."""
        return self.reports / "comparison"

    @property
    def trial(self) -> Path:
        """The page about the running trial, as of the last look."""
        return self.reports / "trial" / "trial.html"

    @property
    def served(self) -> Path:
        """The artifact that is registered."""
        return self.root / "models" / "served"

    def recipe(self, name: str) -> Path:
        """A proven choice of families and parameters."""
        return self.root / "recipes" / f"{name}.yaml"

    @property
    def cache(self) -> Path:
        """Files that no stage depends on."""
        return self.root / ".cache"

    @property
    def studies(self) -> Path:
        """The attempts of every search for parameters."""
        return self.cache / "tuning.db"

    @property
    def fits(self) -> Path:
        """What families have learned, for blends of them."""
        return self.cache / "fits"

    def model(self, candidate: str) -> Path:
        """A candidate's artifact, which has not learned from the test interactions."""
        return self.root / "models" / candidate

    @property
    def code(self) -> Path:
        """The output of `code`: which files each stage runs."""
        return self.reports / "code"

    def training(self, candidate: str) -> Path:
        """The recipe as trained: the parameters with the epochs that validation chose."""
        return self.reports / "training" / f"{candidate}.json"

    def seconds(self, candidate: str) -> Path:
        """The seconds of the last training here, with the hash of its artifact."""
        return self.reports / "seconds" / f"{candidate}.json"

    def evaluation(self, candidate: str) -> Path:
        """A candidate's whole report."""
        return self.reports / "evaluation" / f"{candidate}.json"

    def metrics(self, candidate: str) -> Path:
        """The few figures of it that `dvc metrics` shows."""
        return self.reports / "metrics" / f"{candidate}.json"

    def users(self, candidate: str) -> Path:
        """A candidate's metrics per user."""
        return self.reports / "users" / f"{candidate}.parquet"

    def plot(self, kind: str, candidate: str) -> Path:
        """The points of a plot: learning, by_k or popularity."""
        return self.reports / "plots" / kind / f"{candidate}.csv"
