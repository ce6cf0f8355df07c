"""How long it takes to rank every user and compute all metrics, against lightfm.evaluation on the same model.

    python -m benchmarks.evaluate [--users 6000] [--items 4000] [--repeats 5]

Both rank all items that a user has not seen in training. Ours gives every per-user metric at four k, AUC and the
metrics of the catalogue; lightfm's functions give one figure each. The best of several repeats counts.
"""

import os
from collections.abc import Callable
from functools import partial

import lightfm
import numpy as np
import numpy.typing as npt
import pandas as pd
from lightfm import evaluation as theirs
from scipy import sparse

from app.contract.artifact import Recipe
from benchmarks.options import options
from benchmarks.timing import best_of
from training.data.dataset import ITEM_ID, TITLE, Dataset
from training.data.interactions import Interactions
from training.evaluation.ranking import rank
from training.evaluation.results import metric_names, report, user_table
from training.evaluation.targets import Targets
from training.fitting.assembly import Knowledge
from training.models.base import Factors
from training.params.evaluate import EvaluateParams

EMBEDDING_SIZE = 64
TRAINING, TEST = 130, 30  # interactions per user, as in MovieLens-1M
PARAMS = EvaluateParams(at=(5, 10, 20, 50), segments=(20, 60), bootstrap=1000, cold=False)


def main() -> None:
    """Print seconds and ratios."""
    given = options(__doc__, users=6000, items=4000, repeats=5)
    rng = np.random.default_rng(0)
    dataset = _dataset(given.users, given.items, rng)
    train, test = (dataset.interactions(name).matrix(given.users, given.items) for name in ("train", "test"))
    model = lightfm.LightFM(loss="warp", no_components=EMBEDDING_SIZE, random_state=0)
    model.fit(train, epochs=2, num_threads=2)
    factors = Factors(model.user_embeddings, model.item_embeddings, model.user_biases, model.item_biases)
    artifact = Knowledge(dataset, ("train",), 2).artifact(factors, Recipe("lightfm", {}, 0, ""))

    def ours() -> object:
        outcome = rank(
            artifact, Targets.of(artifact.user_ids, dataset, dataset.interactions("test")), 50, with_auc=True
        )
        return report(artifact, outcome, user_table(artifact, outcome, PARAMS), PARAMS, seed=0)

    contenders: dict[str, Callable[[], object]] = {f"ours, {len(metric_names(PARAMS))} metrics, 1000 resamples": ours}
    cores = os.cpu_count() or 1
    for name in ("precision_at_k", "recall_at_k", "auc_score"):
        function = getattr(theirs, name)
        theirs_here = partial(function, model, test, train_interactions=train, check_intersections=False)
        contenders[f"lightfm.evaluation.{name}, {cores} threads"] = partial(theirs_here, num_threads=cores)
        contenders[f"lightfm.evaluation.{name}, 1 thread"] = theirs_here
    seconds = best_of(given.repeats, *contenders.values())
    print(f"{given.users} users x {given.items} items, dim {EMBEDDING_SIZE}, {test.nnz} test interactions")
    for name, value in zip(contenders, seconds, strict=True):
        print(f"  {name:<45}{value:8.2f} s{value / seconds[0]:8.1f} x")


def _dataset(n_users: int, n_items: int, rng: np.random.Generator) -> Dataset:
    """Every user draws items by a skewed popularity, without repeats."""
    weights = np.log(1 / np.arange(1, n_items + 1) ** 0.8)
    drawn = np.argsort(-(weights + rng.gumbel(size=(n_users, n_items))), axis=1)[:, : TRAINING + TEST].astype(np.int32)
    catalogue = pd.DataFrame({ITEM_ID: np.arange(n_items), TITLE: ""})
    parts = {"train": drawn[:, :TRAINING], "validation": drawn[:, :0], "test": drawn[:, TRAINING:]}
    splits = {name: _interactions(part) for name, part in parts.items()}
    return Dataset(np.arange(n_users), catalogue, (), sparse.csr_matrix((n_items, 0), dtype=np.float32), [], splits)


def _interactions(items: npt.NDArray[np.int32]) -> Interactions:
    users = np.repeat(np.arange(len(items), dtype=np.int32), items.shape[1])
    stars, times = np.full(items.size, np.nan, dtype=np.float32), np.zeros(items.size, dtype=np.int64)
    return Interactions(users, items.ravel(), np.ones(items.size, dtype=bool), stars, times)


if __name__ == "__main__":
    main()
