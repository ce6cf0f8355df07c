"""The comparison that the gate decides on: the candidate's recipe, popularity's and the live one's, on one split."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from training.data.dataset import SPLITS, USER_ID, Dataset
from training.errors import PipelineError
from training.evaluation.ranking import rank_test
from training.evaluation.results import user_table
from training.files import REPRODUCE, read_json, read_parquet
from training.fitting.candidate import fit_candidate
from training.params import Params
from training.project import Project
from training.promotion.gate import Live, Verdict, decide
from training.tracking.versions import Evidence

BASELINE = "popularity"


@dataclass(frozen=True)
class Incumbent:
    """The live version and what was kept beside it: None for one that this pipeline did not register."""

    version: str
    evidence: Evidence | None


@dataclass(frozen=True)
class LiveRecipe:
    """The live version's recipe on the present split: its results per user, or what stands in their way.

    `candidate` names the one that has the same recipe, if any; `last_result` is the mean it was registered with.
    """

    version: str
    candidate: str | None = None
    last_result: float | None = None
    users: pd.DataFrame | None = None
    obstacle: str = ""


@dataclass(frozen=True)
class Contest:
    """The results of a candidate on the present split, and how to get those of its opponents, each once."""

    project: Project
    params: Params
    dataset: Dataset
    candidate: str
    incumbent: Incumbent | None

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
        return self.users_of(self.candidate)

    def users_of(self, candidate: str) -> pd.DataFrame:
        """Any candidate's results per user."""
        return read_parquet(self.project.users(candidate), REPRODUCE)

    def evidence(self) -> Evidence:
        """What later contests need of this candidate."""
        recipe = {
            "family": self.candidate,
            "params": self._configured(self.candidate),
            "seed": self.params.seed,
            "split_hash": self.split_hash,
            "trained": read_json(self.project.training(self.candidate), REPRODUCE),
        }
        return Evidence(recipe, self.users)

    @cached_property
    def popularity(self) -> pd.DataFrame:
        """The baseline's results per user; it is fitted here where it is no candidate."""
        return self.users_of(BASELINE) if BASELINE in self.params.candidates else self._fitted_here(BASELINE, {})

    @cached_property
    def live(self) -> LiveRecipe | None:
        """The recipe of the live version, if there is one; fitted here where its results on this split aren't known."""
        if self.incumbent is None:
            return None
        version, evidence = self.incumbent.version, self.incumbent.evidence
        if evidence is None:
            obstacle = f"live version {version} has no recipe to compare with: promote by hand"
            return LiveRecipe(version, obstacle=obstacle)
        own, former = self._candidate_of(evidence), evidence.users
        last_result = float(former[self.metric].mean()) if self.metric in former else None
        try:
            return LiveRecipe(version, own, last_result, self._live_users(evidence, own))
        except PipelineError as error:
            obstacle = f"the recipe of live version {version} can't be fitted here: {error}"
            return LiveRecipe(version, own, last_result, obstacle=obstacle)

    def verdict(self) -> Verdict:
        """The gate's decision about the candidate against the live version, if there is one."""
        live, defender = self.live, None
        if live is not None:
            if live.users is None:
                return Verdict(False, live.obstacle, {})
            if live.candidate == self.candidate and live.last_result is not None:
                defender = Live(live.version, live.last_result, None)
            else:
                defender = Live(live.version, float(live.users[self.metric].mean()), live.users)
        gate = self.params.registration.gate
        return decide(self.users, self.popularity, defender, self.metric, gate, self.params.seed)

    def _live_users(self, evidence: Evidence, own: str | None) -> pd.DataFrame:
        if evidence.recipe["split_hash"] == self.split_hash and self.metric in evidence.users:
            return evidence.users
        if own is not None:
            return self.users_of(own)
        return self._fitted_here(evidence.recipe["family"], evidence.recipe["params"])

    def _candidate_of(self, evidence: Evidence) -> str | None:
        """The candidate with this recipe."""
        recipe = (evidence.recipe["family"], evidence.recipe["params"])
        return next((name for name in self.params.candidates if (name, self._configured(name)) == recipe), None)

    def _configured(self, candidate: str) -> dict[str, Any]:
        """A candidate's parameters as given: the recipe, before any number of epochs was found."""
        return self.params.models.get(candidate, {})

    def _fitted_here(self, family: str, recipe: dict[str, Any]) -> pd.DataFrame:
        """The results per user of a recipe, fitted to the present split."""
        params = self.params.model_copy(update={"models": {**self.params.models, family: recipe}})
        artifact = fit_candidate(self.dataset, params, family).artifact
        users = user_table(artifact, rank_test(artifact, self.dataset, params.evaluate), params.evaluate)
        return users[[USER_ID, self.metric]]
