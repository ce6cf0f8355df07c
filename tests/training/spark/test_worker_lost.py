"""A worker dies in the middle of a fit. The last file of this folder: the cluster is smaller afterwards."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tests.processes import wait_until
from tests.training.spark.conftest import Cluster
from training.models.spark_als import SparkALS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EPOCHS = 15


def test_the_fit_goes_on_with_the_other_worker(cluster: Cluster, spark: "SparkSession") -> None:
    rng = np.random.default_rng(0)
    pairs = pd.DataFrame({"user": rng.integers(0, 5000, 50_000), "item": rng.integers(0, 2000, 50_000)})
    frame = spark.createDataFrame(pairs.drop_duplicates(), "user int, item int").repartition(4)
    family = SparkALS(embedding_size=16, alpha=9.0, regularization=0.3, epochs=EPOCHS, blocks=4)
    status = spark.sparkContext.statusTracker()
    with ThreadPoolExecutor(1) as pool:
        fit = pool.submit(family.fit_frame, frame, 0)
        wait_until(lambda: len(status.getActiveStageIds()) > 0 or fit.done())
        wait_until(lambda: fit.done() or max(status.getActiveStageIds(), default=0) > 15)
        assert not fit.done()
        cluster.workers[0].kill()
        model = fit.result(timeout=300)
    assert family.rows(model.itemFactors, 2000).any(axis=1).all()
    assert family.rows(model.userFactors, 5000).any(axis=1).all()
