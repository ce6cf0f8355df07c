"""A search for a family's parameters on one data set, with its attempts so far."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from training.data.dataset import load_dataset
from training.errors import ParamsError
from training.fitting.kept_fits import KeptFits
from training.fitting.validation import LEARNED_FROM, Validation
from training.models import make_family
from training.models.base import Family
from training.models.search import search_space
from training.params.whole import Params
from training.project import Project
from training.tuning.attempt import run_attempt
from training.tuning.study import attempt_of, best_of, distributions, finished, give, open_study, tried


@dataclass(frozen=True)
class Search:
    """A search; `params` are all of the family's parameters in params.yaml today, `space` those that it varies.

    `blend`: the parameters of the blend that is measured, of which the family is a member; None: it is measured alone.
    """

    name: str
    study: optuna.Study
    space: Mapping[str, BaseDistribution]
    params: Mapping[str, Any]
    blend: Mapping[str, Any] | None
    validation: Validation

    @classmethod
    def open(cls, project: Project, params: Params, name: str, candidate: str) -> "Search":
        """Begin a family's search, or continue the one on disk; today's parameters are its first attempt.

        With a blend as `candidate`, the family is tuned as its member. The test split is not read. Raises ParamsError
        where the family has nothing to search.
        """
        blend = None if candidate == name else params.models[candidate]
        family = make_family(name, blend["members"][name] if blend else params.models.get(name, {}))
        today = family.model_dump(mode="json")
        space = search_space(family, today)
        if not space:
            raise ParamsError(f"{name} has no parameter to search; of a blend, tune the members")
        dataset = load_dataset(project.prepared, LEARNED_FROM)
        recipe = {
            "data": dataset.hash(*LEARNED_FROM),
            "select": params.select.model_dump(),
            "seed": params.seed,
            "params": {key: value for key, value in today.items() if key not in space},
            "space": space,
        } | ({"blend": {**blend, "members": _others(blend, name)}} if blend else {})
        study = open_study(project.studies, name, recipe, params.seed)
        fits = KeptFits.of(project, params, dataset, _others(blend, name))
        validation = Validation.of(dataset, params, candidate, fits)
        search = cls(name, study, distributions(space), today, blend, validation)
        give(study, search.searched_today)
        return search

    @property
    def candidate(self) -> str:
        """What is measured: the family, or a blend."""
        return self.validation.name

    @property
    def title(self) -> str:
        """What is tuned, for people."""
        return self.name if self.blend is None else f"{self.name} for {self.candidate}"

    @property
    def metric(self) -> str:
        """The metric that the search maximises on validation."""
        return self.validation.metric

    @property
    def searched_today(self) -> dict[str, Any]:
        """Today's values of the parameters that the search varies."""
        return {name: self.params[name] for name in self.space}

    def run(self, n_attempts: float) -> Iterator[FrozenTrial]:
        """Run attempts until the search has `n_attempts`; yield each when it ends."""
        for name, params in _others(self.blend, self.name).items():
            replace(self.validation, name=name).fit_validated(make_family(name, params))  # is kept for every attempt
        while len(finished(self.study)) < n_attempts:
            run_attempt(self.study, self.space, self.make, self.validation)
            yield self.attempts()[-1]

    def make(self, changes: Mapping[str, Any]) -> Family:
        """Make what is measured, with changed parameters of the family."""
        params = {**self.params, **changes}
        if self.blend:
            params = {**self.blend, "members": {**self.blend["members"], self.name: params}}
        return make_family(self.candidate, params)

    def attempts(self) -> list[FrozenTrial]:
        """List the attempts that ended."""
        return finished(self.study)

    def today(self) -> FrozenTrial | None:
        """Find the attempt of today's parameters."""
        return attempt_of(self.study, self.searched_today)

    def best(self) -> FrozenTrial | None:
        """Find the attempt with the best metric."""
        return best_of(self.study)

    def better_params(self) -> dict[str, Any] | None:
        """Return the parameters of the best attempt if it is better than today's, else None."""
        best, today = self.best(), self.today()
        if best is None or (today is not None and best.number == today.number):
            return None
        return tried(best)


def _others(blend: Mapping[str, Any] | None, name: str) -> dict[str, dict[str, Any]]:
    """The other members with their parameters."""
    return {other: params for other, params in (blend or {"members": {}})["members"].items() if other != name}
