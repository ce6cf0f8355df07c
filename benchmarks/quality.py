"""Ranking quality on real data: every family's recipe, and fold-in of users who were not trained on.

usage: MOVIELENS_DIR=<folder> python -m benchmarks.quality [--recipes "ease;blend"] [--seeds 4] [--parts families]

The data is prepared as params.yaml says, but from `--source`. What a recipe leaves open is decided on validation; the
test figure is that of the recipe fitted on train and validation. It prints Markdown tables. The names of recipes, with
semicolons between them, are those of RECIPES.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.contract.artifact import Artifact
from app.contract.encoder import Encoder
from benchmarks.options import options
from training.data.dataset import Dataset, load_dataset
from training.evaluation.ranking import Outcome, rank, rank_test
from training.evaluation.targets import Targets
from training.fetch import fetch
from training.fitting.assembly import Knowledge
from training.fitting.candidate import Trained, fit_candidate
from training.metrics.bootstrap import confidence_interval
from training.models.base import Factors
from training.models.histories import with_encoded_users
from training.params.prepare import PrepareStage
from training.params.whole import Params, load_params
from training.prepare import prepare
from training.project import Project

METRIC = "ndcg@10"
HIDDEN_USERS = 0.2

# LightFM from random numbers, as params.yaml had it until lists became calm.
RANDOM: dict[str, Any] = {
    "init": "random",
    "learning_rate": 0.05,
    "epochs": 100,
    "patience": 10,
    "encode_users": False,
    "recency_power": 0.0,
}
FROM_ALS: dict[str, Any] = {"init": "als", "epochs": 10, "patience": None, "als": {"regularization": 60.0}}
MEMBERS: dict[str, dict[str, Any]] = {"ease": {}, "implicit_als": {}, "lightfm": RANDOM}
# What is tried: a name, its family and how its parameters differ from params.yaml.
RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "popularity": ("popularity", {}),
    "surprise_svd": ("surprise_svd", {}),
    "sklearn_nmf": ("sklearn_nmf", {}),
    "sklearn_svd": ("sklearn_svd", {}),
    "implicit_bpr": ("implicit_bpr", {}),
    "lightfm": ("lightfm", {}),
    "lightfm from random numbers": ("lightfm", RANDOM),
    "lightfm, 4 seeds": ("lightfm", RANDOM | {"seeds": 4}),
    "lightfm, encoded users": ("lightfm", RANDOM | {"encode_users": True, "recency_power": None}),
    "lightfm from ALS": ("lightfm", RANDOM | FROM_ALS),
    "implicit_als": ("implicit_als", {}),
    "ease": ("ease", {}),
    "blend": ("blend", {"members": MEMBERS}),
    "blend, equal weights": ("blend", {"members": MEMBERS, "weights": dict.fromkeys(MEMBERS, 1.0)}),
}
FOLDED = ("lightfm from random numbers", "lightfm, encoded users", "implicit_als", "ease")
CHANCE = ("lightfm", "implicit_bpr", "implicit_als", "surprise_svd", "blend")


def prepared(source: str, params: Params) -> Dataset:
    """The data set of a source."""
    wanted = params.fetch.model_copy(update={"source": source})
    return prepared_from(lambda raw: fetch(wanted, params.seed, raw), params)


def prepared_from(fill: Callable[[Path], None], params: PrepareStage) -> Dataset:
    """The data set of raw files, which a function makes in a folder that is temporary."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        fill(project.raw)
        prepare(params, project.raw, project.prepared, project.stats)
        return load_dataset(project.prepared)


def fit(dataset: Dataset, params: Params, recipe: str, seed: int) -> Trained:
    """A recipe, decided on validation and fitted on train and validation."""
    family, changes = RECIPES[recipe]
    models = {**params.models, family: {**params.models[family], **changes}}
    return fit_candidate(dataset, params.model_copy(update={"seed": seed, "models": models}), family)


def hiding_positives_only(artifact: Artifact, dataset: Dataset) -> Artifact:
    """The artifact with only the positives of train and validation as seen."""
    positives = Knowledge(dataset, ("train", "validation"), 1).training_data.positives
    return replace(
        artifact,
        seen_indptr=positives.indptr.astype(np.int64),
        seen_indices=positives.indices.astype(np.int32),
        seen_liked=np.ones(positives.nnz, dtype=bool),
    )


def families(dataset: Dataset, params: Params, recipes: list[str], seeds: int) -> Iterator[str]:
    """A row per recipe: validation, test under both masks with the interval over users, size, seconds."""
    yield "| recipe | validation | test NDCG@10 | 95 % | test, earlier low ratings hidden too | dimensions | seconds |"
    yield "|---|---|---|---|---|---|---|"
    for recipe in recipes:
        runs = seeds if RECIPES[recipe][0] in CHANCE else 1
        start = time.perf_counter()
        trained = [fit(dataset, params, recipe, params.seed + run) for run in range(runs)]
        seconds = (time.perf_counter() - start) / runs
        artifacts = [one.artifact for one in trained]
        ours = np.mean([users(rank_test(one, dataset, params.evaluate)) for one in artifacts], axis=0)
        bare = [rank_test(hiding_positives_only(one, dataset), dataset, params.evaluate) for one in artifacts]
        test = np.mean([users(outcome) for outcome in bare], axis=0)
        interval = confidence_interval(test[:, None], 1000, 0.95, np.random.default_rng(params.seed))[0]
        validation, dim = np.mean([one.metric for one in trained]), artifacts[0].item_embeddings.shape[1]
        yield (
            f"| {recipe} | {validation:.4f} | **{test.mean():.4f}** | {interval.low:.4f} to {interval.high:.4f} "
            f"| {ours.mean():.4f} | {dim} | {seconds:.0f} |"
        )


def users(outcome: Outcome) -> Any:  # noqa: ANN401
    """The metric per user."""
    return outcome.per_user(METRIC)


def without(dataset: Dataset, gone_users: Any = (), gone_items: Any = ()) -> Dataset:  # noqa: ANN401
    """The data set without any rating by some users or of some items."""
    splits = {
        name: split.where(~np.isin(split.users, gone_users) & ~np.isin(split.items, gone_items))
        for name, split in dataset.splits.items()
    }
    return replace(dataset, splits=splits)


def fold_in(dataset: Dataset, params: Params, recipes: list[str], seeds: int) -> Iterator[str]:
    """NDCG of a fifth of the users: trained, and through the encoder of a model that never saw them.

    The encoder makes their vectors as the service does, with the recency of the model, and of all likes alike.
    """
    everyone = Knowledge(dataset, ("train", "validation"), params.threads)
    targets = Targets.of(dataset.user_ids[everyone.known_users], dataset, dataset.interactions("test"))
    yield "| recipe | trained | through the encoder, newest weigh more | share | all alike | share |"
    yield "|---|---|---|---|---|---|"
    for recipe in recipes:
        trained, folded = [], []
        for run in range(seeds):
            rng = np.random.default_rng(params.seed + run)
            hidden = targets.sample(int(len(targets.user_rows) * HIDDEN_USERS), rng)
            whole = fit(dataset, params, recipe, params.seed + run).artifact
            part = fit(
                without(dataset, gone_users=everyone.known_users[hidden.user_rows]), params, recipe, params.seed + run
            ).artifact
            trained.append(users(rank(whole, hidden, 10, with_auc=False)).mean())
            folded.append([_folded(part, recency, everyone, hidden) for recency in (part.recency, 0.0)])
        weighted, alike = np.mean(folded, axis=0)
        shares = [f"{ndcg:.4f} | {ndcg / np.mean(trained):.1%}" for ndcg in (weighted, alike)]
        yield f"| {recipe} | {np.mean(trained):.4f} | {' | '.join(shares)} |"


def _folded(artifact: Artifact, recency: float, everyone: Knowledge, hidden: Targets) -> float:
    data, items = everyone.training_data, (artifact.item_embeddings, artifact.item_biases)
    nobody = np.zeros((len(everyone.known_users), len(artifact.encoder_intercept)), np.float32)
    encoder = Encoder(artifact.encoder, artifact.encoder_intercept)
    factors = Factors(nobody, items[0], nobody[:, 0], items[1], encoder)
    ranked = everyone.ranking_artifact(with_encoded_users(data, factors, recency))
    return float(users(rank(ranked, hidden, 10, with_auc=False)).mean())


def main() -> None:
    """Print the tables that were asked for, row by row."""
    given = options(
        __doc__, source="ml-latest-small", recipes=";".join(RECIPES), seeds=4, parts=("families", "fold-in")
    )
    params = load_params(Project(Path()).params)
    dataset, recipes = prepared(given.source, params), given.recipes.split(";")
    parts = {
        "families": lambda: families(dataset, params, recipes, given.seeds),
        "fold-in": lambda: fold_in(dataset, params, [name for name in FOLDED if name in recipes], given.seeds),
    }
    for part in given.parts:
        for line in parts[part]():
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
