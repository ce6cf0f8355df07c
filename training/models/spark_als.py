"""Implicit ALS on Apache Spark: for more users than one machine holds."""

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from training.errors import TrainingError
from training.models.base import Factors, TrainingData, Watch
from training.models.search import Between, OneOf
from training.params.section import Section

if TYPE_CHECKING:
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import DataFrame

USER, ITEM = "user", "item"
CHECKPOINT_EVERY = 3  # epochs: what a lost worker held is made again from there; from the start, Java's stack overflows


class SparkALS(Section):
    """Parameters of Spark's ALS with implicit preferences: Hu, Koren and Volinsky (2008).

    A positive weighs 1 + `alpha`, everything else 1. `regularization` is the penalty on an embedding's squared norm,
    times the positives of its user or item: Zhou et al., Large-scale Parallel Collaborative Filtering for the Netflix
    Prize (2008).
    """

    embedding_size: Annotated[int, Field(ge=1), OneOf((32, 64, 128))]
    alpha: Annotated[float, Field(gt=0), Between(1.0, 100.0, log=True)]
    regularization: Annotated[float, Field(ge=0), Between(0.01, 1.0, log=True)]
    epochs: Annotated[int, Field(ge=1)]
    blocks: Annotated[int, Field(ge=1)]

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        """Fit in the session that runs, or in a local one, and bring all factors here."""
        check_installed()
        from pyspark.sql import SparkSession

        spark = SparkSession.builder.master(f"local[{data.threads}]").getOrCreate()
        pairs = data.positives.tocoo()
        frame = spark.createDataFrame(pd.DataFrame({USER: pairs.row, ITEM: pairs.col}), f"{USER} int, {ITEM} int")
        # One partition, so that nothing depends on which task is quicker.
        model = self.fit_frame(frame.coalesce(1), int(rng.integers(2**31)))
        n_users, n_items = data.positives.shape
        return Factors.learned(data, self.rows(model.userFactors, n_users), self.rows(model.itemFactors, n_items))

    def fit_frame(self, positives: "DataFrame", seed: int) -> "ALSModel":
        """Fit to the columns user and item, int32, with a row for each positive."""
        from pyspark.ml.recommendation import ALS
        from pyspark.sql import functions as f

        als = ALS(
            rank=self.embedding_size, maxIter=self.epochs, regParam=self.regularization, alpha=self.alpha, seed=seed,
            implicitPrefs=True, userCol=USER, itemCol=ITEM, ratingCol="weight", checkpointInterval=CHECKPOINT_EVERY,
            numUserBlocks=self.blocks, numItemBlocks=self.blocks,
        )  # fmt: skip
        return als.fit(positives.select(USER, ITEM, f.lit(1.0).cast("float").alias("weight")))

    def rows(self, factors: "DataFrame", n: int) -> npt.NDArray[np.float32]:
        """Bring the factors of users or items here: float32 (n, embedding_size), zeros where there are none."""
        return stacked(factors.toPandas(), n, self.embedding_size)


def stacked(factors: pd.DataFrame, n: int, dim: int) -> npt.NDArray[np.float32]:
    """Put the vectors in the column `features` into the rows `id` of an array: float32 (n, dim)."""
    found = np.zeros((n, dim), dtype=np.float32)
    if len(factors):
        found[factors["id"].to_numpy()] = np.stack(factors["features"].tolist())
    return found


def check_installed() -> None:
    """Raise TrainingError where pyspark or Java is missing."""
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        raise TrainingError(
            f"Spark needs pyspark ({error}): pip install -r requirements-spark.txt, or choose another family and "
            "engine: embedded"
        ) from error
    java = os.environ["JAVA_HOME"] + "/bin/java" if "JAVA_HOME" in os.environ else shutil.which("java")
    if java is None or not Path(java).is_file():
        raise TrainingError(
            "Spark needs Java 17 or 21: apt-get install openjdk-17-jre-headless, or set JAVA_HOME to where it is"
        )
