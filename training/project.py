"""The paths of the project's folder."""

from pathlib import Path


class Project:
    """The folder that holds params.yaml; every path that stages share is here."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.params = root / "params.yaml"  # the parameters of every stage
        self.raw = root / "data" / "raw"  # the output of `fetch`
        self.events = root / "data" / "events"  # the output of `events`
        self.prepared = root / "data" / "prepared"  # the output of `prepare`
        self.served = root / "models" / "served"  # the artifact that is registered
        self.reports = root / "reports"  # metrics, per-user results and plots
        self.stats = self.reports / "stats.json"  # figures of the prepared data
        self.code = self.reports / "code"  # the output of `code`: which files each stage runs
        self.comparison = self.reports / "comparison"  # the report that compares a run's candidates
        self.trial = self.reports / "trial" / "trial.html"  # the page about the running trial, as of the last look
        self.cache = root / ".cache"  # files that no stage depends on
        self.studies = self.cache / "tuning.db"  # the attempts of every search for parameters
        self.fits = self.cache / "fits"  # what families have learned, for blends of them

    def recipe(self, name: str) -> Path:
        """A proven choice of families and parameters."""
        return self.root / "recipes" / f"{name}.yaml"

    def model(self, candidate: str) -> Path:
        """A candidate's artifact, which has not learned from the test interactions."""
        return self.root / "models" / candidate

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
