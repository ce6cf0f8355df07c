"""The battery of tests that every model family passes.

A family's test file inherits it:

class TestEASE(FamilyBattery):
    name = "ease"
    small = {"embedding_size": 8, "regularization": 20.0}
"""

from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from app.contract.artifact_directory import content_hash, load_artifact
from app.contract.recommender import Recommender
from tests.training.world import ROOT
from training.data.dataset import Dataset
from training.errors import ParamsError
from training.evaluation.ranking import rank_test
from training.fitting.candidate import fit_candidate
from training.models import make_family
from training.models.base import Factors, TrainingData
from training.params.whole import Params, load_params
from training.project import Project
from training.train import train

DEFAULTS = load_params(ROOT / "params.yaml").models
World = tuple[Project, Params, Dataset]


class FamilyBattery:
    """`name` is the family's; `small` changes its parameters in params.yaml to suit 80 users."""

    name: str
    small: dict[str, Any] = {}
    learns_users = True  # popularity does not
    learns_to_rank = True  # a predictor of stars has no reason to

    @classmethod
    def params(cls, **changes: Any) -> dict[str, Any]:
        return {**DEFAULTS[cls.name], **cls.small, **changes}

    @classmethod
    def made(cls, **changes: Any) -> Any:
        return make_family(cls.name, cls.params(**changes))

    @classmethod
    def fitted(cls, data: TrainingData, **changes: Any) -> Factors:
        with threadpool_limits(1):
            factors: Factors = cls.made(**changes).fit(data, np.random.default_rng(7))
        return factors

    @pytest.fixture
    def factors(self, data: TrainingData) -> Factors:
        return self.fitted(data)

    @pytest.fixture
    def run(self, world: World) -> World:
        """The world with this family's small parameters."""
        project, params, dataset = world
        return project, params.model_copy(update={"models": {**params.models, self.name: self.params()}}), dataset

    def test_it_ranks_twice_as_well_as_popularity_if_it_learns_to_rank(self, run: World) -> None:
        _, params, dataset = run
        twice_as_good = ndcg(dataset, params, self.name) > 2 * ndcg(dataset, params, "popularity")
        assert twice_as_good == self.learns_to_rank

    def test_two_trainings_give_the_same_bytes_and_an_encoder(self, run: World) -> None:
        project, params, _ = run
        hashes = []
        for _ in range(2):
            train(project, params, self.name)
            hashes.append(content_hash(project.model(self.name)))
        assert hashes[0] == hashes[1]
        artifact = load_artifact(project.model(self.name))
        assert artifact.encoder.shape == artifact.item_embeddings.shape
        assert np.isfinite(artifact.encoder).all()
        assert artifact.encoder.any() == artifact.user_embeddings.any()

    def test_a_saved_artifact_scores_as_its_factors_do(self, run: World) -> None:
        project, params, dataset = run
        train(project, params, self.name)
        saved, fresh = load_artifact(project.model(self.name)), fit_candidate(dataset, params, self.name).artifact
        rows = np.arange(len(saved.user_ids))
        np.testing.assert_array_equal(Recommender(saved).scores(rows), Recommender(fresh).scores(rows))

    def test_factors_are_finite_float32_of_the_right_shape(self, factors: Factors, data: TrainingData) -> None:
        n_users, n_items = data.positives.shape
        assert factors.is_usable()
        assert factors.user_embeddings.shape == (n_users, factors.item_embeddings.shape[1])
        assert factors.item_embeddings.shape[0] == len(factors.item_biases) == n_items
        assert len(factors.user_biases) == n_users
        arrays = (factors.user_embeddings, factors.item_embeddings, factors.user_biases, factors.item_biases)
        assert {array.dtype for array in arrays} == {np.dtype(np.float32)}

    def test_a_user_without_a_positive_has_no_vector(self, factors: Factors, data: TrainingData) -> None:
        unknown = np.diff(data.positives.indptr) == 0
        assert unknown.any()
        assert not factors.user_embeddings[unknown].any()
        assert factors.user_embeddings[~unknown].any(axis=1).all() == self.learns_users

    def test_an_unknown_parameter_is_named(self) -> None:
        with pytest.raises(ParamsError, match=f"params.yaml: models.{self.name}: embeding_size is not a known key"):
            make_family(self.name, self.params(embeding_size=3))

    def test_a_wrong_value_is_named_with_its_key(self) -> None:
        for key, value in self.params().items():
            if type(value) in (int, float):
                with pytest.raises(ParamsError, match=f"params.yaml: models.{self.name}: {key}: .*, not -1"):
                    make_family(self.name, self.params(**{key: type(value)(-1)}))


def ndcg(dataset: Dataset, params: Params, name: str) -> float:
    outcome = rank_test(fit_candidate(dataset, params, name).artifact, dataset, params.evaluate)
    return float(outcome.per_user("ndcg@10").mean())
