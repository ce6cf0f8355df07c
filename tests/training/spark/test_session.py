"""A cluster that isn't there."""

import os
import subprocess
import sys
from pathlib import Path

from tests.processes import PROJECT, free_port
from tests.training.spark.conftest import HOST, JAVA, Cluster
from tests.training.world import make_project


def test_a_master_that_does_not_answer_is_named_in_a_sentence(tmp_path: Path, cluster: Cluster) -> None:
    make_project(tmp_path, engine="spark")
    master = f"spark://{HOST}:{free_port()}"
    assert master != cluster.master
    environment = {**os.environ, **JAVA, "PYTHONPATH": str(PROJECT), "SPARK_MASTER": master, "SPARK_LOCAL_IP": HOST}
    command = [sys.executable, "-m", "training", "prepare"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"prepare: Spark doesn't start at {master}" in done.stderr
    assert "Traceback" not in done.stderr
