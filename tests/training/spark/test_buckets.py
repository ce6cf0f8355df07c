"""What happens to a bucket in an executor, called here one after the other: no Spark is needed."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact import content_hash, write_artifact
from tests.training.world import make_project
from training.data.dataset import SPLITS, USER, load_dataset
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_artifact
from training.models import make_family
from training.params.whole import Params
from training.project import Project
from training.refit import with_ready_lists
from training.spark.buckets import Buckets, file_name
from training.spark.everyone import Everyone

LEARNED_FROM = ("train", "validation")


def divide(project: Project, folder: Path, number: int) -> Buckets:
    """The data that pandas has prepared, in buckets."""
    users = pd.read_parquet(project.prepared / "users.parquet")
    buckets = Buckets.divide(folder, len(users), number)
    for name in ("users", *SPLITS):
        frame = pd.read_parquet(project.prepared / f"{name}.parquet")
        owner = frame.get(USER, frame.index)
        (folder / f"{name}.parquet").mkdir(parents=True)
        for bucket in range(buckets.number):
            frame[owner // buckets.size == bucket].to_parquet(buckets.files(name)[bucket], index=False)
    for name in ("items", "features"):
        shutil.copy(project.prepared / f"{name}.parquet", folder)
    buckets.write(folder)
    return buckets


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Params]:
    return make_project(tmp_path_factory.mktemp("world"), models__ease__embedding_size=16)


@pytest.fixture(scope="module", params=[3, 7, 200])
def buckets(
    world: tuple[Project, Params], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Buckets:
    return divide(world[0], tmp_path_factory.mktemp("prepared"), request.param)


def test_buckets_hold_all_users_and_know_how_they_are_divided(buckets: Buckets) -> None:
    assert Buckets.read(buckets.prepared) == buckets
    loaded = [buckets.load(bucket) for bucket in range(buckets.number)]
    assert sum(dataset.n_users for dataset in loaded) == 80 == buckets.users
    assert all(split.users.max(initial=0) < each.n_users for each in loaded for split in each.splits.values())


def test_all_buckets_together_are_the_data_set(world: tuple[Project, Params], buckets: Buckets) -> None:
    whole = load_dataset(world[0].prepared)
    assert load_dataset(buckets.prepared).hash(*SPLITS) == whole.hash(*SPLITS) == buckets.hash(SPLITS)
    assert buckets.hash(LEARNED_FROM) == whole.hash(*LEARNED_FROM) != whole.hash(*SPLITS)


def test_a_sample_is_the_data_of_its_users(world: tuple[Project, Params], buckets: Buckets) -> None:
    whole, sample = load_dataset(world[0].prepared), buckets.sample(25, 3, SPLITS)
    assert len(np.unique(sample.users)) == 25 == sample.dataset.n_users
    assert sample.dataset.user_ids.tolist() == whole.user_ids[sample.users].tolist()
    for name, split in sample.dataset.splits.items():
        theirs = whole.splits[name].where(np.isin(whole.splits[name].users, sample.users))
        assert sample.users[split.users].tolist() == theirs.users.tolist()
        for ours, expected in zip(split.columns()[1:], theirs.columns()[1:], strict=True):
            np.testing.assert_array_equal(ours, expected)
    assert buckets.sample(80, 3, SPLITS).dataset.hash(*SPLITS) == whole.hash(*SPLITS)


class InTurn:
    """What the code asks of a Spark session, done here."""

    def __init__(self) -> None:
        self.sparkContext = SimpleNamespace(parallelize=self._parallelize)

    @staticmethod
    def _parallelize(numbers: Iterable[int], _: int) -> Any:
        def each(work: Callable[[int], None]) -> None:
            for number in numbers:
                work(number)

        return SimpleNamespace(foreach=each)


@pytest.mark.parametrize("ready", [0, 5])
def test_the_users_of_all_buckets_make_the_artifact_that_is_made_at_once(
    world: tuple[Project, Params], buckets: Buckets, tmp_path: Path, ready: int
) -> None:
    _, params = world
    knowledge = Knowledge(load_dataset(buckets.prepared), LEARNED_FROM, 1)
    artifact = fit_artifact(knowledge, "ease", make_family("ease", params.models["ease"]), params.seed)
    write_artifact(tmp_path / "model", artifact)
    write_artifact(tmp_path / "at once", with_ready_lists(artifact, ready))
    write_artifact(tmp_path / "joined", Everyone(buckets, LEARNED_FROM, tmp_path, ready).assemble(InTurn()))
    assert content_hash(tmp_path / "joined") == content_hash(tmp_path / "at once")


def test_learned_vectors_are_read_from_the_buckets_files(buckets: Buckets, tmp_path: Path, world: Any) -> None:
    knowledge = Knowledge(load_dataset(buckets.prepared), LEARNED_FROM, 1)
    artifact = fit_artifact(knowledge, "ease", make_family("ease", world[1].models["ease"]), 0)
    write_artifact(tmp_path / "model", artifact)
    vectors = np.random.default_rng(0).random((80, 16)).astype(np.float32)
    (tmp_path / "vectors").mkdir()
    for bucket in range(1, buckets.number):  # nobody in the first one likes anything
        ids = np.arange(80)[np.arange(80) // buckets.size == bucket]
        frame = pd.DataFrame({"id": ids, "features": list(vectors[ids])})
        frame.to_parquet(tmp_path / "vectors" / file_name(bucket))
    found = Everyone(buckets, LEARNED_FROM, tmp_path).assemble(InTurn()).user_embeddings
    np.testing.assert_array_equal(found[buckets.size :], vectors[buckets.size :])
    assert not found[: buckets.size].any()
