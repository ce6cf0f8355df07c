"""The `refit` stage: the best candidate, fitted again on every interaction there is."""

from dataclasses import replace

import numpy as np

from app.contract.artifact import Artifact
from app.contract.artifact_directory import write_artifact
from app.contract.ranking import NO_ITEM
from app.contract.ready_scores import as_millionths
from app.contract.recommender import Recommender
from training.data.dataset import SPLITS, load_dataset
from training.data.provenance import read_provenance
from training.evaluation.ranking import in_blocks
from training.files import REPRODUCE, read_json
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_artifact
from training.fitting.newcomers import Newcomers
from training.models import make_family
from training.params.refit import RefitStage
from training.project import Project


def refit(project: Project, params: RefitStage) -> str:
    """Write models/served, which has learned from all splits; returns the candidate's name."""
    winner = best_candidate(project, params)
    record = read_json(project.training(winner), REPRODUCE)
    family = make_family(winner, record["params"])
    weighed = record.get("event_weights", {}).get("used", False)
    knowledge = Knowledge(load_dataset(project.prepared), SPLITS, params.threads, weighed=weighed)
    artifact = fit_artifact(knowledge, winner, family, params.seed, Newcomers(**record.get("newcomers", {})))
    source = read_provenance(project.prepared)
    artifact = source.described(artifact)
    write_artifact(project.served, with_ready_lists(artifact, params.refit.ready_items))
    return winner


def with_ready_lists(artifact: Artifact, n: int, progress: bool = True) -> Artifact:
    """The artifact with a ready list of n items for each user, as the service would rank them; without for n = 0."""
    if n == 0:
        return artifact
    recommender, everyone = Recommender(artifact), np.arange(len(artifact.user_ids))
    n_users, n_items = len(everyone), recommender.n_items
    rankings = in_blocks(n_users, n_items, lambda block: recommender.recommend(everyone[block], n), progress=progress)
    items = np.concatenate([ranking.items for ranking in rankings]).astype(np.int32)
    scores = np.concatenate([ranking.scores for ranking in rankings])
    return replace(artifact, ready_items=items, ready_scores=as_millionths(np.where(items == NO_ITEM, 0, scores)))


def best_candidate(project: Project, params: RefitStage) -> str:
    """The candidate with the best metric on validation; the first of equal ones. The test decides nothing here."""

    def metric(candidate: str) -> float:
        value: float = read_json(project.training(candidate), REPRODUCE)["validation"][params.select.metric]
        return value

    return max(params.candidates, key=metric)
