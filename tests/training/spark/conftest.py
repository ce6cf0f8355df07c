"""A real standalone cluster on this machine, one for the whole session: a master and two workers of 1 core, 1 GiB."""

import importlib.util
import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.programs import running
from tests.processes import PROJECT, free_port, wait_until
from tests.training.world import change_params
from training.project import Project
from training.spark.session import SECRET, session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HOST = "127.0.0.1"
# Jobs of seconds end before the thorough compiler has paid.
JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
PASSWORD = {SECRET: "of-the-cluster"}
DAEMON = {
    "SPARK_DAEMON_MEMORY": "256m",
    "SPARK_DAEMON_JAVA_OPTS": "-Dspark.authenticate=true",
    "SPARK_LOCAL_IP": HOST,
    **PASSWORD,
    **JAVA,
}


@dataclass(frozen=True)
class Cluster:
    """Its address, and the programs of its workers."""

    master: str
    workers: list["subprocess.Popen[bytes]"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need the cluster."""
    for item in items:
        if {"cluster", "spark"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.spark)
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("There is no pyspark here: pip install -r requirements-spark.txt")
    if shutil.which("java") is None:
        pytest.skip("There is no Java here: apt-get install openjdk-17-jre-headless")
    folder, port, page = tmp_path_factory.mktemp("spark"), free_port(), free_port()
    with ExitStack() as stack:
        master = ["master.Master", "--host", HOST, "--port", str(port), "--webui-port", str(page)]
        start(stack, folder, master)
        wait_until(lambda: state(page) is not None, seconds=300, step=0.2)
        address = f"spark://{HOST}:{port}"
        worker = ["worker.Worker", "--cores", "1", "--memory", "1g", "--webui-port", "0", address]
        workers = [start(stack, folder, worker) for _ in range(2)]
        wait_until(lambda: (state(page) or {}).get("aliveworkers") == 2, seconds=300, step=0.2)
        yield Cluster(address, workers)


def start(stack: ExitStack, folder: Path, command: list[str]) -> "subprocess.Popen[bytes]":
    import pyspark

    home = Path(pyspark.__file__).parent
    program = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{command[0]}", *command[1:]]
    environment = {**os.environ, **DAEMON, "SPARK_HOME": str(home), "SPARK_WORKER_DIR": str(folder / "work")}
    output = stack.enter_context((folder / f"{command[0]}.log").open("ab"))
    return stack.enter_context(running(program, environment=environment, folder=PROJECT, output=output))


def state(page: int) -> dict[str, object] | None:
    """What the master says of itself; None while it doesn't answer."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{page}/json/", timeout=5) as answer:
            content: dict[str, object] = json.load(answer)
            return content
    except OSError:
        return None


@pytest.fixture(scope="module")
def spark(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    """The session that all stages of a file use; between files the cluster is free for other programs."""
    project = Project(tmp_path_factory.mktemp("session"))
    params = change_params(project, spark__executor_memory="900m", spark__driver_memory="1g", spark__buckets=4)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SPARK_MASTER", cluster.master)
        monkeypatch.setenv("SPARK_LOCAL_IP", HOST)
        for name, value in {**PASSWORD, **JAVA}.items():
            monkeypatch.setenv(name, value)
        with session(project, params.spark) as started:
            yield started
