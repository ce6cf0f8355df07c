"""The `refit` stage on Spark."""

from app.contract.artifact_directory import write_artifact
from training.data.dataset import SPLITS
from training.data.provenance import read_provenance
from training.files import REPRODUCE, read_json
from training.fitting.newcomers import Newcomers
from training.models import make_family
from training.params.refit import RefitStage
from training.params.spark import SparkParams
from training.project import Project
from training.refit import best_candidate
from training.spark.fitting import Fitting
from training.spark.session import session


def refit(project: Project, params: RefitStage, spark_params: SparkParams) -> str:
    """Write models/served, which has learned from all splits; returns the candidate's name."""
    winner = best_candidate(project, params)
    record = read_json(project.training(winner), REPRODUCE)
    family, newcomers = make_family(winner, record["params"]), Newcomers(**record.get("newcomers", {}))
    source = read_provenance(project.prepared)
    with (
        session(project, spark_params) as spark,
        Fitting.begin(spark, project, spark_params, params.seed, params.threads, SPLITS) as fitting,
    ):
        artifact = fitting.everyone(winner, family, SPLITS, newcomers, params.refit.ready_items)
        write_artifact(project.served, source.described(artifact))
    return winner
