"""What happens to a bucket in an executor, called here one after the other: no Spark is needed."""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact_directory import content_hash, write_artifact
from app.contract.encoder import Encoder
from app.contract.recommender import Recommender
from tests.artifacts import make_artifact
from tests.training.spark.test_prepare import bytes_of
from tests.training.world import make_project
from training.data.dataset import COLUMNS_FILE, SPLITS, USER, load_dataset
from training.evaluation import ranking
from training.evaluation.results import user_table
from training.evaluation.targets import held_out
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_artifact
from training.lists import bucket as lists
from training.lists.bucket import Lists
from training.models import make_family
from training.models.base import Factors
from training.params.whole import Params
from training.project import Project
from training.refit import with_ready_lists
from training.spark import evaluate, export
from training.spark.buckets import Buckets, file_name
from training.spark.everyone import Everyone, by_history

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
    for name in ("items.parquet", "features.parquet", COLUMNS_FILE):
        shutil.copy(project.prepared / name, folder)
    buckets.write(folder)
    return buckets


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Params]:
    return make_project(tmp_path_factory.mktemp("world"), models__ease__embedding_size=16)


@pytest.fixture(scope="module", params=[3, 7, pytest.param(200, marks=pytest.mark.long)])
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


def test_a_vector_by_history_is_the_one_that_the_service_folds_in(world: tuple[Project, Params]) -> None:
    knowledge = Knowledge(load_dataset(world[0].prepared), LEARNED_FROM, 1)
    data, params = knowledge.training_data, world[1].models["implicit_als"]
    family = make_family("implicit_als", {**params, "recency_power": 0.0})
    artifact = fit_artifact(knowledge, "implicit_als", family, 0)
    encoder = Encoder(artifact.encoder.copy(), artifact.encoder_intercept)
    encoder.weights[np.random.default_rng(0).random(len(encoder.weights)) < 0.5] = 0  # of these items nothing is known
    encoder.weights[data.positives[3].indices] = 0
    recommender = Recommender(replace(artifact, encoder=encoder.weights))
    zeros = np.zeros(80, dtype=np.float32)
    factors = Factors(artifact.user_embeddings, artifact.item_embeddings, zeros, artifact.item_biases, encoder)
    found = by_history(data, factors, family).user_embeddings
    np.testing.assert_array_equal(found, [recommender.fold_in(recommender.liked(row)) for row in range(80)])
    assert not found[3].any()
    assert found.any(axis=1).sum() > 40


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


@pytest.mark.parametrize("ready", [pytest.param(0, marks=pytest.mark.long), 5])
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


def test_blocks_of_users_are_measured_as_all_are_at_once(
    world: tuple[Project, Params], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "USERS_AT_ONCE", 30)
    project, params = world
    dataset = load_dataset(project.prepared)
    artifact = fit_artifact(Knowledge(dataset, LEARNED_FROM, 1), "popularity", make_family("popularity", {}), 0)
    write_artifact(tmp_path / "model", artifact)
    targets = held_out(artifact, dataset)
    evaluate.save(targets, tmp_path)
    blocks = ranking.blocks_of(len(targets.user_rows), dataset.n_items)
    parts = [evaluate.measured(users, tmp_path / "model", tmp_path, params.evaluate) for users in blocks]
    expected = ranking.rank_test(artifact, dataset, params.evaluate)
    found = ranking.joined([outcome for outcome, _ in parts])
    for ours, theirs in zip(vars(found).values(), vars(expected).values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    users = pd.concat([table for _, table in parts], ignore_index=True)
    pd.testing.assert_frame_equal(users, user_table(artifact, expected, params.evaluate), check_exact=True)


def test_a_task_of_the_export_writes_its_buckets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "USERS_PER_BUCKET", 10)
    write_artifact(tmp_path / "served", make_artifact(range(25)))
    here = Lists(Recommender(make_artifact(range(25))), "7", 3, None)
    batches = [pd.DataFrame({"bucket": [2]}), pd.DataFrame({"bucket": [0, 1]})]
    (tmp_path / "there").mkdir()
    done = export.write(
        tmp_path / "served", tmp_path / "there", partial(Lists, version="7", k=3, allowed=None), batches
    )
    assert pd.concat(done).bucket.tolist() == [2, 0, 1]
    for bucket in range(here.n_buckets):
        here.write(bucket, tmp_path / "here")
    assert bytes_of(tmp_path / "there") == bytes_of(tmp_path / "here")
