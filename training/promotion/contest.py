"""The results that the gate compares: those of the candidate, of popularity and of the live recipe, on one split."""

import time
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from app.contract.artifact import Artifact
from app.contract.artifact_directory import load_artifact
from training.data.dataset import SPLITS, USER_ID, Dataset
from training.errors import PipelineError
from training.evaluation.ranking import rank_test
from training.evaluation.results import user_table
from training.files import REPRODUCE, read_json, read_parquet
from training.fitting.candidate import fit_candidate
from training.params.whole import Params
from training.project import Project
from training.promotion.checks import CHECKS, Check, Facts, ListPair, check
from training.promotion.data_figures import DataFigures
from training.promotion.event_log import EventLog, read_event_log
from training.promotion.films import are_others
from training.promotion.gate import LiveRecipe, Ruling, decide
from training.promotion.lists import lists_of, sample_lists
from training.tracking.versions import Evidence, LiveVersion

BASELINE = "popularity"


@dataclass
class Contest:
    """The candidate that is served and its opponents on the present split."""

    project: Project
    params: Params
    dataset: Dataset
    live_version: LiveVersion | None

    @cached_property
    def served(self) -> Artifact:
        """The refit candidate."""
        return load_artifact(self.project.served)

    @property
    def candidate(self) -> str:
        """Its name among the candidates."""
        return self.served.recipe.family

    @property
    def metric(self) -> str:
        """The metric that decides."""
        return self.params.select.metric

    def users_of(self, candidate: str) -> pd.DataFrame:
        """Read a candidate's results per user."""
        return read_parquet(self.project.users(candidate), REPRODUCE)

    def evidence(self) -> Evidence:
        """Gather what later contests need of this candidate."""
        recipe = {
            "family": self.candidate,
            "params": self.params.models.get(self.candidate, {}),
            "seed": self.params.seed,
            "split_hash": self.dataset.hash(*SPLITS),
            "trained": read_json(self.project.training(self.candidate), REPRODUCE),
            "data": asdict(self.figures),
        }
        return Evidence(recipe, self.users_of(self.candidate), sample_lists(self.served, self.params.seed))

    def ruling(self) -> Ruling:
        """Let the gate decide about the candidate, and then the checks."""
        trained = read_json(self.project.training(self.candidate), REPRODUCE)
        return self._by_quality().with_chance(trained, self.metric).after(self.checks)

    @cached_property
    def checks(self) -> list[Check]:
        """The checks of data and lists, made once."""
        live = None if self._begins_anew else self._live_figures
        facts = Facts(
            params=self.params.registration.checks,
            source=self.params.fetch.source,
            time=time.time(),
            now=self.figures,
            live_version=self.live_version.version if self.live_version else None,
            has_other_items=self._begins_anew,
            live=live,
            events=self._events,
            lists=self._lists(live),
        )
        return [check(name, facts) for name in CHECKS]

    @cached_property
    def _begins_anew(self) -> bool:
        """Whether the live version recommends other films, so that nothing can be compared with it."""
        live = self._live_figures
        return live is not None and are_others(live.films, self.dataset.catalogue)

    @property
    def _live_figures(self) -> DataFigures | None:
        """What the live version has kept of its data."""
        kept = self._live_evidence.recipe.get("data") if self._live_evidence else None
        return None if kept is None else DataFigures(**kept)

    @property
    def _live_evidence(self) -> Evidence | None:
        return self.live_version.evidence if self.live_version else None

    def _lists(self, live: DataFigures | None) -> ListPair | None:
        """The live version's lists, and those that the new one gives to the same users."""
        evidence = self._live_evidence
        if evidence is None or evidence.lists is None or live is None:
            return None
        ours = lists_of(self.served, evidence.lists[USER_ID])
        same_recipe = self._candidate_of(evidence) == self.candidate
        return ListPair(ours, evidence.lists, self.figures.items, live.items, same_recipe)

    @cached_property
    def _events(self) -> EventLog | None:
        return read_event_log(self.project, self.dataset)

    @cached_property
    def figures(self) -> DataFigures:
        """The figures of the present data."""
        return DataFigures.of(self.dataset, self._events)

    def _by_quality(self) -> Ruling:
        live = self.live
        if live is not None and live.users is None:
            return Ruling(False, live.obstacle, {})
        return decide(
            self.users_of(self.candidate),
            self.popularity,
            None if live is None else live.result(self.candidate, self.metric),
            self.metric,
            self.params.registration.gate,
            self.params.seed,
            "the live version recommends other films" if self._begins_anew else "there is no live version",
        )

    @cached_property
    def popularity(self) -> pd.DataFrame:
        """Popularity's results per user; fitted here where it is no candidate."""
        if BASELINE in self.params.candidates:
            return self.users_of(BASELINE)
        return self._fitted_here(BASELINE, {"half_life": None})

    @cached_property
    def live(self) -> LiveRecipe | None:
        """The live recipe, if there is one to compare with; fitted here where it has no results on this split."""
        if self.live_version is None or self._begins_anew:
            return None
        version, evidence = self.live_version.version, self.live_version.evidence
        if evidence is None:
            obstacle = f"live version {version} has no recipe to compare with: promote by hand"
            return LiveRecipe(version, obstacle=obstacle)
        same, registered = self._candidate_of(evidence), evidence.users
        last_result = float(registered[self.metric].mean()) if self.metric in registered else None
        try:
            return LiveRecipe(version, same, last_result, self._live_users(evidence, same))
        except PipelineError as error:
            obstacle = f"the recipe of live version {version} can't be fitted here: {error}"
            return LiveRecipe(version, same, last_result, obstacle=obstacle)

    def _live_users(self, evidence: Evidence, candidate: str | None) -> pd.DataFrame:
        """The live recipe's results: those registered if the split is the same, else the candidate's that has it."""
        if evidence.recipe["split_hash"] == self.dataset.hash(*SPLITS) and self.metric in evidence.users:
            return evidence.users
        if candidate is not None:
            return self.users_of(candidate)
        return self._fitted_here(evidence.recipe["family"], evidence.recipe["params"])

    def _candidate_of(self, evidence: Evidence) -> str | None:
        """The candidate with this recipe."""
        recipe = (evidence.recipe["family"], evidence.recipe["params"])
        models = self.params.models
        return next((name for name in self.params.candidates if (name, models.get(name, {})) == recipe), None)

    def _fitted_here(self, family: str, recipe: dict[str, Any]) -> pd.DataFrame:
        """The results per user of a recipe, fitted to the present split."""
        params = self.params.model_copy(update={"models": {**self.params.models, family: recipe}})
        artifact = fit_candidate(self.dataset, params, family).artifact
        users = user_table(artifact, rank_test(artifact, self.dataset, params.evaluate), params.evaluate)
        return users[[USER_ID, self.metric]]
