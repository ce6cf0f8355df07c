"""The `refit` stage: the best candidate, fitted again on every interaction there is."""

from app.artifact import write_artifact
from training.assembly import Knowledge
from training.dataset import SPLITS, load_dataset
from training.files import read_json
from training.models import make_family
from training.params import Params
from training.project import Project
from training.train import fit_artifact


def refit(project: Project, params: Params) -> str:
    """Write models/served, which has learned from all splits; returns the candidate's name."""
    winner = best_candidate(project, params)
    record = read_json(project.training(winner), "run: dvc repro")
    family = make_family(winner, record["params"])
    knowledge = Knowledge(load_dataset(project.prepared), SPLITS, params.threads)
    write_artifact(project.served, fit_artifact(knowledge, winner, family, params.seed))
    return winner


def best_candidate(project: Project, params: Params) -> str:
    """The candidate with the best metric on validation; the first of equals. The test decides nothing here."""

    def metric(candidate: str) -> float:
        value: float = read_json(project.training(candidate), "run: dvc repro")["validation"][params.select.metric]
        return value

    return max(params.candidates, key=metric)
