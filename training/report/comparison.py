"""The content of a report: all results of a run's candidates, on one split."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from app.contract.artifact_directory import content_hash, load_artifact
from training.evaluation.results import headline_k
from training.files import REPRODUCE, read_json
from training.params.whole import Params
from training.project import Project
from training.promotion.checks import Check
from training.promotion.contest import BASELINE, Contest
from training.promotion.gate import LiveRecipe
from training.report.activity import Activity, by_activity
from training.report.differences import Difference, Opponent, differences
from training.report.example_users import ExampleUser, gather_example_users


@dataclass(frozen=True)
class Candidate:
    """One candidate: its evaluation report, its training record, its cost."""

    name: str
    evaluation: Mapping[str, Any]
    training: Mapping[str, Any]
    learning_curve: list[float]
    fit_seconds: float | None
    size: int
    embedding_size: int

    @property
    def cold(self) -> Mapping[str, Any]:
        """The results on films that nobody liked before the test."""
        section: Mapping[str, Any] = self.evaluation["cold"]
        return section


@dataclass(frozen=True)
class Comparison:
    """A run: its parameters and data, its candidates, their opponents, and the differences between them.

    `served` is the candidate that validation chose. `live` says in a few words what is live, `obstacle` why the
    candidates can't be compared with it. `results` names the run: the hash that MLflow's run carries as pipeline_hash.
    """

    params: Params
    results: str
    data: Mapping[str, int]
    served: str
    candidates: list[Candidate]
    opponents: list[Opponent]
    differences: list[Difference]
    live: str
    obstacle: str
    activity: list[Activity]
    example_users: list[ExampleUser]
    checks: list[Check]

    @property
    def k(self) -> int:
        """The k of the tables."""
        return headline_k(self.params)


def gather(contest: Contest, results: str) -> Comparison:
    """Read all that the stages wrote; popularity or a live recipe without results on this split is fitted here."""
    project, params, dataset = contest.project, contest.params, contest.dataset
    users = {name: contest.users_of(name) for name in params.candidates}
    opponents, live = _opponents(contest), contest.live
    confidence = params.registration.gate.confidence
    return Comparison(
        params=params,
        results=results,
        data={
            "users": dataset.n_users,
            "films": dataset.n_items,
            "ratings": sum(map(len, dataset.splits.values())),
            "test_users": len(users[contest.candidate]),
            **{name: int(split.positive.sum()) for name, split in dataset.splits.items()},
        },
        served=contest.candidate,
        candidates=[_candidate(project, name) for name in params.candidates],
        opponents=opponents,
        differences=differences(users, opponents, contest.metric, confidence, params.seed),
        live=_live_in_words(live),
        obstacle=live.obstacle if live else "",
        activity=by_activity(users, params),
        example_users=gather_example_users(project, dataset, params.candidates, users[contest.candidate], params.seed),
        checks=contest.checks,
    )


def _opponents(contest: Contest) -> list[Opponent]:
    baseline, live = Opponent(BASELINE, contest.popularity, BASELINE), contest.live
    if live is None or live.users is None:
        return [baseline]
    return [baseline, Opponent(f"live version {live.version}", live.users, live.candidate)]


def _live_in_words(live: LiveRecipe | None) -> str:
    if live is None:
        return "no version"
    return f"version {live.version}" + (f", the recipe of {live.candidate}" if live.candidate else "")


def _candidate(project: Project, name: str) -> Candidate:
    folder = project.model(name)
    return Candidate(
        name=name,
        evaluation=read_json(project.evaluation(name), REPRODUCE),
        training=read_json(project.training(name), REPRODUCE),
        learning_curve=pd.read_csv(project.plot("learning", name))["value"].tolist(),
        fit_seconds=_fit_seconds(project, name),
        size=sum(path.stat().st_size for path in folder.iterdir()),
        embedding_size=load_artifact(folder).item_embeddings.shape[1],
    )


def _fit_seconds(project: Project, name: str) -> float | None:
    """The seconds of the training; None for an artifact that DVC's cache restored."""
    path = project.seconds(name)
    timing = read_json(path, REPRODUCE) if path.is_file() else {}
    return timing["fit_seconds"] if timing.get("content_hash") == content_hash(project.model(name)) else None
