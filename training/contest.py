"""The comparison that the gate decides on: the candidate's recipe, popularity's and the live one's, on one split."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from training.dataset import SPLITS, USER_ID, Dataset
from training.errors import PipelineError
from training.evaluate import rank_test
from training.evaluation import user_table
from training.files import read_json, read_parquet
from training.gate import Live, Verdict, decide
from training.params import Params
from training.project import Project
from training.tracking.versions import Evidence
from training.train import fit_candidate

BASELINE = "popularity"


@dataclass(frozen=True)
class Contest:
    """The results of a candidate on the present split, and how to get those of its opponents."""

    project: Project
    params: Params
    dataset: Dataset
    candidate: str

    @property
    def metric(self) -> str:
        """The metric that decides."""
        return self.params.select.metric

    @cached_property
    def split_hash(self) -> str:
        """SHA-256 of the split: results per user compare only where it is the same."""
        return self.dataset.hash(*SPLITS)

    @cached_property
    def users(self) -> pd.DataFrame:
        """The candidate's results per user."""
        return read_parquet(self.project.users(self.candidate), "run: dvc repro")

    @property
    def configured(self) -> dict[str, Any]:
        """The candidate's parameters as given: the recipe, before any number of epochs was found."""
        return self.params.models.get(self.candidate, {})

    def evidence(self) -> Evidence:
        """What later contests need of this candidate."""
        recipe = {
            "family": self.candidate,
            "params": self.configured,
            "seed": self.params.seed,
            "split_hash": self.split_hash,
            "trained": read_json(self.project.training(self.candidate), "run: dvc repro"),
        }
        return Evidence(recipe, self.users)

    def verdict(self, live_version: str | None, evidence: Evidence | None) -> Verdict:
        """The gate's decision about the candidate against the live version, if there is one."""
        live = None
        if live_version is not None:
            if evidence is None:
                return Verdict(False, f"live version {live_version} has no recipe to compare with: promote by hand", {})
            try:
                live = self._live(live_version, evidence)
            except PipelineError as error:
                return Verdict(False, f"the recipe of live version {live_version} can't be fitted here: {error}", {})
        gate = self.params.registration.gate
        return decide(self.users, self._baseline(), live, self.metric, gate, self.params.seed)

    def _live(self, version: str, evidence: Evidence) -> Live:
        recipe = evidence.recipe
        comparable = self.metric in evidence.users
        if comparable and (recipe["family"], recipe["params"]) == (self.candidate, self.configured):
            return Live(version, float(evidence.users[self.metric].mean()), None)
        if comparable and recipe["split_hash"] == self.split_hash:
            return Live(version, float(evidence.users[self.metric].mean()), evidence.users)
        users = self._fitted_here(recipe["family"], recipe["params"])
        return Live(version, float(users[self.metric].mean()), users)

    def _baseline(self) -> pd.DataFrame:
        if BASELINE in self.params.candidates:
            return read_parquet(self.project.users(BASELINE), "run: dvc repro")
        return self._fitted_here(BASELINE, {})

    def _fitted_here(self, family: str, recipe: dict[str, Any]) -> pd.DataFrame:
        """The results per user of a recipe, fitted to the present split."""
        params = self.params.model_copy(update={"models": {**self.params.models, family: recipe}})
        artifact = fit_candidate(self.dataset, params, family).artifact
        users = user_table(artifact, rank_test(artifact, self.dataset, params.evaluate), params.evaluate)
        return users[[USER_ID, self.metric]]
