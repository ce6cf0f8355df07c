"""Fits a family on Spark: `spark_als` on everybody, another on a sample of users, with an encoder for the rest."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.artifact import Artifact, Recipe
from app.contract.artifact_directory import write_artifact
from training.data.dataset import ITEM, POSITIVE, USER
from training.files import write_parquet
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_artifact
from training.fitting.newcomers import NOTHING_CHOSEN, Newcomers
from training.models.base import Factors, Family, checked
from training.models.encoder import fit_encoder
from training.models.spark_als import SparkALS, stacked
from training.params.spark import SparkParams
from training.project import Project
from training.spark.buckets import Buckets, Sample, file_name
from training.spark.everyone import Everyone, check_room
from training.spark.reading import address_of

if TYPE_CHECKING:
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import DataFrame, SparkSession

BUCKET = "bucket"
LARGEST_DIM = 256  # where a family has no embedding_size


@dataclass(frozen=True)
class Fitting:
    """What every fit on Spark needs: the data in buckets, a sample of its users, a folder that executors share."""

    spark: "SparkSession"
    buckets: Buckets
    sample: Sample
    folder: Path
    seed: int
    threads: int

    @classmethod
    @contextmanager
    def begin(
        cls,
        spark: "SparkSession",
        project: Project,
        params: SparkParams,
        seed: int,
        threads: int,
        splits: tuple[str, ...],
    ) -> Iterator["Fitting"]:
        """Draw the sample, and make the folder for as long as the block takes."""
        buckets = Buckets.read(project.prepared)
        project.cache.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="spark-", dir=project.cache) as folder:
            yield cls(spark, buckets, buckets.sample(params.sample_users, seed, splits), Path(folder), seed, threads)

    @property
    def covers_all(self) -> bool:
        """Whether the sample holds every user."""
        return len(self.sample.users) == self.buckets.users

    def everyone(
        self, name: str, family: Family, splits: tuple[str, ...], newcomers: Newcomers = NOTHING_CHOSEN, ready: int = 0
    ) -> Artifact:
        """Fit on some splits and make the artifact of all their users; raise TrainingError if the disk is too small."""
        dim = getattr(family, "embedding_size", None) or LARGEST_DIM
        check_room(self.folder, self.buckets, self.buckets.n_ratings, dim, ready)
        knowledge = Knowledge(self.sample.dataset, splits, self.threads)
        if isinstance(family, SparkALS):
            model = self.als(family, splits)
            self._write_vectors(model)
            factors, recipe = self.factors(name, family, model, knowledge), self._recipe(name, family, splits)
            artifact = knowledge.artifact(factors, recipe, self._popularity(splits))
        else:
            artifact = fit_artifact(knowledge, name, family, self.seed, newcomers)
            artifact = replace(artifact, recipe=self._recipe(name, family, splits))
        write_artifact(self.folder / "model", replace(artifact, item_popularity=self._popularity(splits)))
        return Everyone(self.buckets, splits, self.folder, ready).assemble(self.spark)

    def als(self, family: SparkALS, splits: tuple[str, ...]) -> "ALSModel":
        """Fit Spark's ALS to the positives of everybody."""
        return family.fit_frame(self._positives(splits), int(np.random.default_rng(self.seed).integers(2**31)))

    def factors(self, name: str, family: SparkALS, model: "ALSModel", knowledge: Knowledge) -> Factors:
        """The factors of the sample's known users, with the encoder that follows from them."""
        from pyspark.sql import functions as f

        chosen = f.broadcast(self.spark.createDataFrame(pd.DataFrame({"id": self.sample.users}), "id int"))
        users = model.userFactors.join(chosen, "id").toPandas()
        users = users.assign(id=np.searchsorted(self.sample.users, users["id"]))
        vectors = stacked(users, len(self.sample.users), family.embedding_size)[knowledge.known_users]
        items, zeros = family.rows(model.itemFactors, knowledge.dataset.n_items), np.zeros(len(vectors), np.float32)
        encoder = fit_encoder(knowledge.training_data.positives, vectors, intercept=False)
        biases = np.zeros(len(items), dtype=np.float32)
        return checked(name, Factors(vectors, items, zeros, biases, encoder))

    def _positives(self, splits: tuple[str, ...]) -> "DataFrame":
        files = [address_of(file) for split in splits for file in self.buckets.files(split)]
        return self.spark.read.parquet(*files).where(POSITIVE).select(USER, ITEM)

    def _popularity(self, splits: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Positives of everybody per item: int64 (n_items,)."""
        counts = self._positives(splits).groupBy(ITEM).count().toPandas()
        return np.bincount(counts[ITEM], counts["count"], self.sample.dataset.n_items).astype(np.int64)

    def _write_vectors(self, model: "ALSModel") -> None:
        """Write the users' factors, from where they are, into a file per bucket."""
        from pyspark.sql import functions as f

        bucketed = model.userFactors.withColumn(BUCKET, f.floor(f.col("id") / self.buckets.size).cast("int"))
        folder = self.folder / "vectors"
        folder.mkdir()

        def write(vectors: pd.DataFrame) -> pd.DataFrame:
            frame = vectors.sort_values("id", ignore_index=True)
            write_parquet(folder / file_name(int(frame[BUCKET].iloc[0])), frame[["id", "features"]])
            return frame[[BUCKET]].head(1)

        bucketed.groupBy(BUCKET).applyInPandas(write, f"{BUCKET} int").count()

    def _recipe(self, name: str, family: Family, splits: tuple[str, ...]) -> Recipe:
        return Recipe(name, family.model_dump(mode="json"), self.seed, self.buckets.hash(splits))
