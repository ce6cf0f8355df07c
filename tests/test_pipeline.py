"""The whole way, with everything real: DVC, an MLflow server, the service as a process, an alias moved."""

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlflow
import psutil
import pytest

from tests.client import Client
from tests.processes import answers, free_port, process, wait_until
from tests.repository import Repository
from tests.service import wait_for_polls

# Each test goes on from where the former one ends.
pytestmark = [pytest.mark.long, pytest.mark.story, pytest.mark.timeout(600)]

MODEL = "pipeline"  # also the experiment; no other test names one so
POLL_SECONDS = 0.5


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, mlflow_server: str) -> Repository:
    """A source archive, without .git, in a folder with a space in its name; the pipeline has run once."""
    repository = Repository.copy(tmp_path_factory.mktemp("end to end") / "movie recommender", mlflow_server)
    repository.change(register__name=MODEL, register__experiment=MODEL)
    repository.environment["MODEL_NAME"] = MODEL
    repository.without_git()
    repository.run("dvc", "repro")
    return repository


@pytest.fixture(scope="module")
def service(repository: Repository, mlflow_server: str) -> Iterator[int]:
    """The port of the service as a real process, following the registry."""
    port = free_port()
    command = ["app", "--host", "127.0.0.1", "--port", str(port)]
    environment = {
        "MLFLOW_TRACKING_URI": mlflow_server,
        "MODEL_NAME": MODEL,
        "MODEL_CACHE_DIR": str(repository.root / "cache"),
        "MODEL_POLL_SECONDS": str(POLL_SECONDS),
    }
    with process(command, environment, repository.root / "service.log"):
        wait_until(lambda: answers(port, "/health/ready"))
        yield port


def get(port: int, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        content: dict[str, Any] = json.load(answer)
        return content


def version_served(port: int) -> str:
    version: str = get(port, "/users/1/recommendations")["model_version"]
    return version


def test_the_service_answers_from_what_the_pipeline_trained(repository: Repository, service: int) -> None:
    answer = get(service, "/users/1/recommendations?k=5")
    assert (answer["model_version"], answer["source"]) == ("1", "personalised")
    assert [item["rank"] for item in answer["items"]] == [1, 2, 3, 4, 5]
    ratings = (repository.root / "data" / "raw" / "interactions.csv").read_text().splitlines()
    seen = {line.split(",")[1] for line in ratings if line.startswith("1,")}
    assert not seen & {str(item["id"]) for item in answer["items"]}
    assert get(service, "/users/nobody/recommendations")["source"] == "popular"


def test_a_second_run_trains_nothing_and_registers_nothing(repository: Repository, mlflow_server: str) -> None:
    output = repository.run("dvc", "repro")
    assert output.count("didn't change, skipping") == 7
    assert "decided before; nothing to do" in output
    assert len(mlflow.MlflowClient(mlflow_server).search_model_versions(f"name='{MODEL}'")) == 1


def test_metrics_and_plots_are_shown_by_dvc(repository: Repository) -> None:
    metrics = json.loads(repository.run("dvc", "metrics", "show", "--json"))
    reports = metrics[""]["data"]
    lightfm, popularity = (reports[f"reports/metrics/{name}.json"]["data"] for name in ("lightfm", "popularity"))
    assert lightfm["ndcg@10"] > popularity["ndcg@10"]
    assert {"auc", "coverage@10", "gini@10"} < set(lightfm)
    assert reports["reports/stats.json"]["data"]["items"] >= 800
    repository.run("dvc", "plots", "show", "--out", "plots")
    page = (repository.root / "plots" / "index.html").read_text()
    for kind in ("learning", "by_k", "popularity"):
        assert f"reports/plots/{kind}/lightfm.csv" in page


def test_the_service_follows_an_alias_moved_in_mlflow(repository: Repository, service: int, mlflow_server: str) -> None:
    repository.change(models__lightfm__embedding_size=8, register__promote="never")
    # What the gate says of so small a model doesn't matter: a person decides.
    assert re.search(r"version 2 \(lightfm\): (challenger|refused)", repository.run("dvc", "repro"))
    wait_for_polls(Client(service), 2)
    assert version_served(service) == "1"
    # As MLflow's web page does it: in lower case.
    mlflow.MlflowClient(mlflow_server).set_registered_model_alias(MODEL, "production", "2")
    wait_until(lambda: version_served(service) == "2")


def test_promote_and_rollback_move_the_service_by_hand(repository: Repository, service: int) -> None:
    wait_until(lambda: version_served(service) == "2")
    assert "version 1 is production, 2 was before" in repository.run("training", "promote", "1")
    wait_until(lambda: version_served(service) == "1")
    assert "version 2 is production, 1 was before" in repository.run("training", "rollback")
    wait_until(lambda: version_served(service) == "2")


def test_a_typo_in_params_ends_with_one_sentence_and_keeps_everything(repository: Repository) -> None:
    served = (repository.root / "models" / "served" / "manifest.json").read_bytes()
    repository.change(select__metric="ndgc@10")
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=repository.root, env=repository.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    repository.change(select__metric="ndcg@10")
    assert done.returncode != 0
    assert "'ndgc@10' is not a metric; known are" in done.stderr
    assert "Traceback" not in done.stderr
    assert (repository.root / "models" / "served" / "manifest.json").read_bytes() == served


def test_serve_starts_all_without_training_again_and_ctrl_c_ends_all(repository: Repository) -> None:
    repository.change(register__promote="gate")
    with serve(repository) as (process, lines, ports):
        assert "Stage 'refit' didn't change, skipping\n" in lines
        url = next(line.split("'")[1] for line in lines if line.startswith("  curl"))
        assert get(ports[0], url.partition(str(ports[0]))[2])["source"] == "personalised"
        assert get(ports[0], "/model")["last_problem"] is None
        like = {"user_id": 42, "item_id": 601, "type": "like"}
        assert Client(ports[0]).post("/events", {"events": [like]}).json["position"] == 1
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert not any(answers(port, "/health/live") or answers(port, "/health") for port in ports)
    root = str(repository.root)
    assert not [found for found in psutil.process_iter(["cmdline"]) if root in " ".join(found.info["cmdline"] or ())]


def test_a_second_start_only_starts_whatever_has_been_said_or_changed(repository: Repository) -> None:
    repository.change(models__lightfm__embedding_size=12)
    with serve(repository) as (_, lines, ports):
        assert not any("tage" in line for line in lines)  # DVC names each stage that it runs, or skips
        assert "Train again, with what people have said: make repro\n" in lines
        assert version_served(ports[0]) == "1"
    assert "events: 1 until number 1" in repository.run("training", "events")


def test_serve_says_so_where_no_version_is_live(repository: Repository) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{repository.root / 'mlflow.db'}")
    client.delete_registered_model_alias(MODEL, "production")
    shutil.rmtree(repository.root / ".cache")  # with its last good version
    with serve(repository) as (_, lines, _):
        assert any(line.startswith("No version is live. Give one the alias production at http") for line in lines)


@contextmanager
def serve(repository: Repository) -> Iterator[tuple["subprocess.Popen[str]", list[str], tuple[int, int]]]:
    """`make serve` without the installation: the process, what it printed until all was up, the ports."""
    ports = free_port(), free_port()
    command = [sys.executable, "-m", "scripts.serve", "--port", str(ports[0]), "--mlflow-port", str(ports[1])]
    with subprocess.Popen(
        command, cwd=repository.root, env=repository.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("Ctrl-C"):
                    break
            else:
                pytest.fail("".join(lines))
            yield process, lines, ports
        finally:
            process.terminate()
            process.wait(60)
