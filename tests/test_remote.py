"""What one clone has trained, another pulls and registers: from a folder and from S3."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import mlflow
import pytest

from app.contract.artifact_directory import content_hash
from tests.pages import blocks
from tests.processes import answers, free_port, process, wait_until
from tests.repository import Repository
from tests.training.world import grouped_items, grouped_ratings

pytestmark = [pytest.mark.pages, pytest.mark.timeout(600)]

(FOLDER, S3, LOCAL_KEYS, ANOTHER_MACHINE, OWN, ROOM) = blocks("docs/remote.md")
KEYS = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "kept-out-of-git"}
STAGES = {"fetch", "prepare", "train@popularity", "evaluate@popularity", "refit"}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that speaks S3, with a bucket."""
    port = free_port()
    with process(["moto.server", "--port", str(port)], {}, tmp_path_factory.mktemp("s3") / "log"):
        wait_until(lambda: answers(port, "/moto-api/"))
        address = f"http://127.0.0.1:{port}"
        httpx.put(f"{address}/films").raise_for_status()
        yield address


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A git repository whose pipeline has run on files of its own; they are in DVC, the ratings not in git."""
    repository = Repository.copy(tmp_path_factory.mktemp("trained") / "movie recommender")
    own = repository.root / "data" / "own"
    grouped_ratings().to_csv(own / "ratings.csv", index=False)
    grouped_items().to_csv(own / "items.csv", index=False)
    repository.change(fetch__source="csv", candidates=["popularity"])
    repository.commit("Our parameters")
    repository.shell(f"set -e\n{OWN}dvc repro refit evaluate")
    repository.commit("The first version")
    return repository


@pytest.fixture
def first(trained: Repository, tmp_path: Path) -> Repository:
    """The same for one test, without a remote."""
    return Repository(shutil.copytree(trained.root, tmp_path / "first clone"))


def test_a_second_clone_pulls_from_s3_and_registers_without_training(
    first: Repository, s3: str, tmp_path: Path
) -> None:
    first.environment.update(KEYS)
    block = S3.replace("my-bucket", "films").replace("http://minio.example:9000", s3)
    assert "files pushed" in first.shell(f"set -e\n{block}")
    first.shell("set -e\n" + LOCAL_KEYS.replace("…", "somebody", 1).replace("…", KEYS["AWS_SECRET_ACCESS_KEY"]))
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in first.shell("git status --porcelain && git log --patch")

    machine = Repository(tmp_path)
    machine.environment.update(KEYS)
    output = machine.shell("set -e\n" + ANOTHER_MACHINE.replace("…", f"'{first.root}' movie-recommender"))
    clone = Repository(tmp_path / "movie-recommender")
    assert skipped(output) == STAGES
    assert re.findall("Running stage '(.*)'", output) == ["code", "events", "register"]  # which always run
    assert "movie-recommender version 1 (popularity)" in output
    assert files(clone.root / "models" / "served") == files(first.root / "models" / "served")
    assert artifact_hash(clone) == content_hash(first.root / "models" / "served")


def test_a_second_clone_pulls_from_a_folder_what_it_needs(first: Repository, tmp_path: Path) -> None:
    first.shell("set -e\n" + FOLDER.replace("/mnt/models/movie-recommender", f"'{tmp_path / 'a folder'}'"))
    clone = first.clone(tmp_path / "second clone")
    clone.shell("dvc pull models/served")
    assert files(clone.root / "models" / "served") == files(first.root / "models" / "served")
    assert not (clone.root / "data" / "prepared").exists()
    clone.shell("dvc pull")
    assert skipped(clone.shell("dvc repro --dry refit evaluate")) == STAGES
    clone.shell(f"set -e\n{ROOM}")


def skipped(output: str) -> set[str]:
    return set(re.findall("Stage '(.*)' didn't change, skipping", output))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def artifact_hash(repository: Repository) -> str:
    """Of version 1, as the registry has it."""
    client = mlflow.MlflowClient(f"sqlite:///{repository.root / 'mlflow.db'}")
    found: str = client.get_model_version("movie-recommender", "1").tags["artifact_hash"]
    return found
