"""The `train` stage on Spark."""

import time
from dataclasses import replace
from typing import Any

from app.contract.artifact_directory import write_artifact
from training.fitting.newcomers import NOTHING_CHOSEN, newcomers
from training.fitting.validation import LEARNED_FROM, Validation
from training.models import make_family
from training.models.base import ValidatedFit
from training.models.encoder import encoder_of
from training.models.spark_als import SparkALS
from training.params.spark import SparkParams
from training.params.train import TrainStage
from training.progress import say
from training.project import Project
from training.spark.everyone import by_history
from training.spark.fitting import Fitting
from training.spark.session import session
from training.train import Training, record


def train(project: Project, params: TrainStage, spark_params: SparkParams, candidate: str) -> None:
    """Decide on validation what parameters leave open, then fit on train and validation; write what `train` writes.

    Validation is that of the sample of users. A family other than spark_als is fitted to the sample alone; what the
    encoder costs everybody else is measured on validation, and said in the log and in reports/training.
    """
    family, started = make_family(candidate, params.models.get(candidate, {})), time.perf_counter()
    with (
        session(project, spark_params) as spark,
        Fitting.begin(spark, project, spark_params, params.seed, params.threads, LEARNED_FROM) as fitting,
    ):
        validation = Validation.of(fitting.sample.dataset, params, candidate)
        more: dict[str, Any] = {}
        chosen = NOTHING_CHOSEN
        if isinstance(family, SparkALS):
            factors = fitting.factors(candidate, family, fitting.als(family, ("train",)), validation.knowledge)
            metric = validation.measure(factors)
            validated = ValidatedFit(family, factors, [metric], metric)
        else:
            validated = validation.fit_validated(family)
            chosen = newcomers(validation, validated.factors)
            more = {"newcomers": chosen._asdict()}
            if not fitting.covers_all:
                more["sample"] = _price(validation, validated, fitting)
        artifact = fitting.everyone(candidate, validated.family, LEARNED_FROM, chosen)
        write_artifact(project.model(candidate), artifact)
    seconds = time.perf_counter() - started
    record(project, params, candidate, Training(artifact.recipe, validated.curve, validated.metric, seconds, more))


def _price(validation: Validation, validated: ValidatedFit, fitting: Fitting) -> dict[str, Any]:
    """What it costs that users outside the sample have vectors of the encoder, measured on the sample's."""
    data, factors = validation.knowledge.training_data, validated.factors
    encoded = replace(factors, encoder=encoder_of(factors, data.positives))
    by_encoder = validation.measure(by_history(data, encoded, validated.family))
    users = {"users": len(fitting.sample.users), "of": fitting.buckets.users}
    say(
        f"{validation.name}: learned from {users['users']:,} of {users['of']:,} users; {validation.metric} on "
        f"validation {validated.metric:.4f} with learned vectors, {by_encoder:.4f} with the encoder's, which all "
        "others have"
    )
    return {**users, "validation_with_encoder": by_encoder}
