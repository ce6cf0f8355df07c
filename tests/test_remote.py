"""What one clone has trained, another pulls and registers: from a folder and from S3."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import mlflow
import pytest

from app.contract.artifact import content_hash
from tests.processes import answers, free_port, process, wait_until
from tests.repository import Repository
from tests.training.world import grouped_items, grouped_ratings

pytestmark = [pytest.mark.pages, pytest.mark.timeout(600)]

KEYS = {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "kept-out-of-git"}
STAGES = {"fetch", "prepare", "train@popularity", "evaluate@popularity", "refit"}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that speaks S3, with a bucket."""
    port = free_port()
    with process(["moto.server", "--port", str(port)], {}, tmp_path_factory.mktemp("s3") / "log"):
        wait_until(lambda: answers(port, "/moto-api/"), seconds=60)
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
    repository.shell("dvc add data/own/ratings.csv data/own/items.csv && dvc repro refit evaluate")
    return repository


def test_a_second_clone_pulls_from_s3_and_registers_without_training(
    trained: Repository, s3: str, tmp_path: Path
) -> None:
    trained.shell("dvc remote add --default s3 s3://films/movie-recommender")
    trained.shell(f"dvc remote modify s3 endpointurl {s3}")
    trained.shell(f"dvc remote modify --local s3 access_key_id {KEYS['AWS_ACCESS_KEY_ID']}")
    trained.shell(f"dvc remote modify --local s3 secret_access_key {KEYS['AWS_SECRET_ACCESS_KEY']}")
    trained.commit("Keep data and models in S3")
    assert "files pushed" in trained.shell("dvc push")
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in trained.shell("git log --patch")

    clone = trained.clone(tmp_path / "second clone")
    clone.environment.update(KEYS)
    assert not (clone.root / "data" / "own" / "ratings.csv").exists()
    clone.shell("dvc pull")
    output = clone.shell("dvc repro")
    assert skipped(output) == STAGES
    assert re.findall("Running stage '(.*)'", output) == ["code", "register"]  # which always run
    assert "movie-recommender version 1 (popularity)" in output
    assert files(clone.root / "models" / "served") == files(trained.root / "models" / "served")
    assert artifact_hash(clone) == content_hash(trained.root / "models" / "served")


def test_a_second_clone_pulls_from_a_folder_what_it_needs(trained: Repository, tmp_path: Path) -> None:
    trained.shell(f"dvc remote add --default folder '{tmp_path / 'a folder'}' && dvc push")
    trained.commit("Keep data and models in a folder")
    clone = trained.clone(tmp_path / "second clone")
    clone.shell("dvc pull models/served")
    assert files(clone.root / "models" / "served") == files(trained.root / "models" / "served")
    assert not (clone.root / "data" / "prepared").exists()
    clone.shell("dvc pull")
    assert skipped(clone.shell("dvc repro --dry refit evaluate")) == STAGES


def skipped(output: str) -> set[str]:
    return set(re.findall("Stage '(.*)' didn't change, skipping", output))


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def artifact_hash(repository: Repository) -> str:
    """Of version 1, as the registry has it."""
    client = mlflow.MlflowClient(f"sqlite:///{repository.root / 'mlflow.db'}")
    found: str = client.get_model_version("movie-recommender", "1").tags["artifact_hash"]
    return found
