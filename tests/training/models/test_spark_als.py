"""The shared tests of families, with Spark in a local session. Without Spark, it says what to install."""

import importlib.util
import shutil
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from tests.training.models.battery import FamilyBattery
from training.errors import TrainingError
from training.models.base import TrainingData


@pytest.mark.spark
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the JVM's sockets
class TestSparkALS(FamilyBattery):
    name = "spark_als"
    small = {"embedding_size": 8, "epochs": 10, "blocks": 2, "alpha": 40.0, "regularization": 0.05}

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _session(cls) -> Iterator[None]:
        if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
            pytest.skip("There is no pyspark or no Java here: requirements-spark.txt, openjdk-17-jre-headless")
        from pyspark.sql import SparkSession

        started = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
        yield
        started.stop()


def test_without_pyspark_or_java_one_sentence_says_what_to_install(
    data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pyspark", None)
        with pytest.raises(TrainingError, match=r"Spark needs pyspark .*: pip install -r requirements-spark\.txt"):
            TestSparkALS.made().fit(data, np.random.default_rng(0))
    monkeypatch.setitem(sys.modules, "pyspark", sys)
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(TrainingError, match="Spark needs Java 17 or 21: apt-get install openjdk-17-jre-headless"):
        TestSparkALS.made().fit(data, np.random.default_rng(0))
