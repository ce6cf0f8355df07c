"""Real ratings, where they are at hand: the split keeps its promises and the documented figures come out again."""

import json
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from benchmarks.quality import hiding_positives_only, users
from tests.processes import PROJECT
from tests.training.data.archives import MOVIELENS, needs_movielens
from tests.training.world import change_params
from training.data.dataset import SPLITS, load_dataset
from training.evaluation.ranking import rank_test
from training.fetch import fetch
from training.fitting.candidate import fit_candidate
from training.metrics.bootstrap import confidence_interval
from training.params.whole import Params
from training.prepare import prepare
from training.project import Project

pytestmark = needs_movielens

PerUser = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Params]:
    """ml-latest-small, prepared as params.yaml says."""
    project = Project(tmp_path_factory.mktemp("real ratings"))
    params = change_params(project, fetch__source="ml-latest-small")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MOVIELENS_DIR", str(MOVIELENS))
        fetch(params.fetch, params.seed, project.raw)
    prepare(params, project.raw, project.prepared, project.stats)
    return project, params


@pytest.fixture(scope="module")
def rows(real: tuple[Project, Params]) -> pd.DataFrame:
    """All ratings, with the number of their split."""
    prepared = real[0].prepared
    parts = [pd.read_parquet(prepared / f"{name}.parquet").assign(split=n) for n, name in enumerate(SPLITS)]
    return pd.concat(parts, ignore_index=True)


def test_no_rating_is_lost(real: tuple[Project, Params], rows: pd.DataFrame) -> None:
    stats: dict[str, Any] = json.loads(real[0].stats.read_text())
    assert (stats["users"], stats["items"], stats["ratings"]) == (610, 9742, 100_836)
    assert len(rows) == 100_836
    assert not rows.duplicated(["user", "item"]).any()


def test_nothing_that_is_known_is_from_after_what_is_held_out(rows: pd.DataFrame) -> None:
    positive = rows[rows.positive]
    for known in (0, 1):
        latest = rows[rows.split <= known].groupby("user").timestamp.max()
        earliest = positive[positive.split > known].groupby("user").timestamp.min()
        both = latest.index.intersection(earliest.index)
        assert len(both) > 500
        assert (latest[both] <= earliest[both]).all()


def test_nobody_with_few_positives_is_held_out_and_a_fifth_of_everybody_else_s_are(rows: pd.DataFrame) -> None:
    counts = rows[rows.positive].groupby(["user", "split"]).size().unstack(fill_value=0)
    total = counts.sum(axis=1)
    assert not rows[rows.user.isin(total[total < 5].index)].split.any()
    enough = total >= 5
    assert (total < 5).any()
    assert (counts[2][enough] == np.maximum(1, np.floor(total[enough] * 0.2 + 0.5))).all()
    assert (counts[0][enough] > 0).all()


@pytest.fixture(scope="module")
def results(real: tuple[Project, Params]) -> dict[str, PerUser]:
    """NDCG@10 of each test user by two recipes, fitted as benchmarks/quality.py does."""
    project, params = real
    dataset = load_dataset(project.prepared)
    found: dict[str, PerUser] = {}
    for candidate in ("popularity", "sklearn_svd"):
        artifact = hiding_positives_only(fit_candidate(dataset, params, candidate).artifact, dataset)
        found[candidate] = users(rank_test(artifact, dataset, params.evaluate))
    return found


@pytest.mark.long
@pytest.mark.parametrize("candidate", ["popularity", "sklearn_svd"])
def test_the_documented_figure_comes_out_again(candidate: str, results: dict[str, PerUser]) -> None:
    page = (PROJECT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    documented = re.search(rf"^\| {candidate} \|[^*]*\*\*([0-9.]+)\*\*", page, re.MULTILINE)
    assert documented is not None
    assert results[candidate].mean() == pytest.approx(float(documented[1]), abs=0.001)


@pytest.mark.long
def test_a_learned_model_is_clearly_above_popularity(results: dict[str, PerUser]) -> None:
    gain = (results["sklearn_svd"] - results["popularity"])[:, None]
    interval = confidence_interval(gain, 1000, 0.99, np.random.default_rng(0))[0]
    assert interval.low > 0.02
