"""Starts Spark as params.yaml says; addresses and secrets come from the environment."""

import os
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import training
from training.errors import TrainingError
from training.models.spark_als import check_installed
from training.params.spark import SparkParams
from training.project import Project

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CODE = Path(training.__file__).parents[1]
LOG = Path(__file__).with_name("log4j2.properties")
PANDAS_3 = "PySpark does not yet fully support pandas"
HERE = "127.0.0.1"
JDBC_JAR = "/usr/share/java/postgresql.jar"  # of Debian's libpostgresql-jdbc-java
SECRET = "_SPARK_AUTH_SECRET"  # noqa: S105 - Spark's daemons and executors read this variable themselves


@contextmanager
def session(project: Project, params: SparkParams) -> Iterator["SparkSession"]:
    """Yield a session, which ends with the block; one that a test has started stays.

    Raises TrainingError where pyspark or Java is missing, or the master doesn't answer.
    """
    check_installed()
    # Our tests use what we use of it with pandas 3; every worker would say so again.
    warnings.filterwarnings("ignore", PANDAS_3, FutureWarning)
    from pyspark.sql import SparkSession

    running = SparkSession.getActiveSession()
    if running is not None:
        yield running
        return
    # Workers, too, import our code, and run the Python that runs this.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CODE), os.environ.get("PYTHONPATH")]))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if SECRET in os.environ:
        os.environ["PYSPARK_SUBMIT_ARGS"] = f"--properties-file {shlex.quote(str(_secret_file(project)))} pyspark-shell"
    spark = _started(SparkSession.builder.appName("movie-recommender"), configuration(project, params))
    try:
        with tempfile.TemporaryDirectory(prefix="checkpoints-", dir=project.cache / "spark") as checkpoints:
            spark.sparkContext.setCheckpointDir(str(Path(checkpoints).resolve()))
            yield spark
    finally:
        spark.stop()


def _started(builder: "SparkSession.Builder", settings: dict[str, str]) -> "SparkSession":
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkRuntimeError

    try:
        return builder.config(map=settings).getOrCreate()
    except (Py4JJavaError, PySparkRuntimeError) as error:
        raise TrainingError(
            f"Spark doesn't start at {settings['spark.master']}, as it says above: start its master, or correct "
            "SPARK_MASTER or the section spark of params.yaml"
        ) from error


def _secret_file(project: Project) -> Path:
    """A file that only this user reads: on the command line everybody would see the secret."""
    file = project.cache / "spark" / "secret.conf"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(f"spark.authenticate.secret {os.environ[SECRET]}\n", encoding="utf-8")
    return file.resolve()


def jdbc_jar() -> Path:
    """Where Java's driver of PostgreSQL should be, which `events` needs."""
    return Path(os.environ.get("JDBC_JAR") or JDBC_JAR)


def configuration(project: Project, params: SparkParams) -> dict[str, str]:
    """Spark's settings by name."""
    master = os.environ.get("SPARK_MASTER") or params.master
    local = master == "local" or f"//{HERE}:" in master
    # The file system of the project has room for what is shuffled; that of /tmp may be memory.
    scratch = project.cache / "spark"
    scratch.mkdir(parents=True, exist_ok=True)
    return {
        "spark.master": f"local[{params.cores}]" if master == "local" else master,
        "spark.driver.memory": params.driver_memory,
        "spark.executor.memory": params.executor_memory,
        "spark.cores.max": str(params.cores),
        "spark.local.dir": str(scratch.resolve()),
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={LOG.as_uri()}",
        "spark.executorEnv.PYTHONPATH": os.environ.get("PYTHONPATH", str(CODE)),
        "spark.executorEnv.PYTHONWARNINGS": f"ignore:{PANDAS_3}:FutureWarning",
        "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
        "spark.sql.shuffle.partitions": str(params.buckets),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "true" if sys.stderr.isatty() else "false",
        # Workers reach the driver by its host's name, which may have an address in each of several networks.
        "spark.driver.bindAddress": HERE if local else "0.0.0.0",  # noqa: S104
        **({"spark.driver.host": HERE} if local else {}),
        # For every stage: Java knows only what is named when it starts, and one process may run several stages.
        **({"spark.jars": str(jdbc_jar().resolve())} if jdbc_jar().is_file() else {}),
        **({"spark.authenticate": "true"} if SECRET in os.environ else {}),
    }
