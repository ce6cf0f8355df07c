from pathlib import Path

import numpy as np

from tests.training.world import make_project
from training.data.dataset import load_dataset
from training.files import read_json
from training.fitting.chance import other_seeds
from training.fitting.validation import LEARNED_FROM, Validation
from training.models import make_family
from training.train import train

ALS = {"embedding_size": 3, "alpha": 3.0, "regularization": 20.0, "epochs": 1, "patience": None}


def test_other_seeds_reach_what_a_fit_with_them_reaches(tmp_path: Path) -> None:
    project, params = make_project(tmp_path)
    dataset = load_dataset(project.prepared, LEARNED_FROM)
    family = make_family("implicit_als", ALS)
    found = other_seeds(Validation.of(dataset, params, "implicit_als"), family, 3)
    others = [params.model_copy(update={"seed": params.seed + further}) for further in (1, 2)]
    expected = [Validation.of(dataset, other, "implicit_als").fit_validated(family).metric for other in others]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert len(set(found)) == 2


def test_a_training_keeps_what_other_seeds_reach_where_it_is_asked_to(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, candidates=["popularity"], select__seeds=2)
    train(project, params, "popularity")
    record = read_json(project.training("popularity"), "")
    assert record["other_seeds"] == [record["validation"]["ndcg@10"]]  # there is no chance in it
