"""Where everything lies in the project's folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """The folder that holds params.yaml, and the paths that the stages share."""

    root: Path

    @property
    def params(self) -> Path:
        """The parameters of every stage."""
        return self.root / "params.yaml"

    @property
    def raw(self) -> Path:
        """What `fetch` writes."""
        return self.root / "data" / "raw"

    @property
    def prepared(self) -> Path:
        """What `prepare` writes."""
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
    def served(self) -> Path:
        """The artifact that is registered."""
        return self.root / "models" / "served"

    @property
    def studies(self) -> Path:
        """The trials of every search for parameters."""
        return self.root / ".cache" / "tuning.db"

    def model(self, candidate: str) -> Path:
        """A candidate's artifact, which has not seen the test interactions."""
        return self.root / "models" / candidate

    @property
    def code(self) -> Path:
        """What `code` writes: which files each stage runs."""
        return self.reports / "code"

    def training(self, candidate: str) -> Path:
        """The recipe as trained: parameters with the number of epochs found."""
        return self.reports / "training" / f"{candidate}.json"

    def seconds(self, candidate: str) -> Path:
        """How long the training took that last ran here, and which artifact came of it."""
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
