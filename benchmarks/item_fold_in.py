"""What a few likes say of a new film: by its columns alone, with the item fold-in, and after a training with them.

usage: MOVIELENS_DIR=<folder> python -m benchmarks.item_fold_in [--source ml-100k] [--families ease] [--draws 4]

Of the films that people like, a fifth lose all ratings, and a model learns from the rest. Of each of these films with
five more, m likes drawn at random are told to it; recall@20 of the other likes, among these films alone, as a mean over
users and draws. It prints a Markdown table, and what a like costs: the user's vector scaled, a sum, the item's vector.
"""

import argparse
import sys
import time
import timeit
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact
from benchmarks.little_known import PerUser, recalls, shown
from benchmarks.quality import prepared, without
from training.data.dataset import Dataset
from training.data.features import vectors_of
from training.data.interactions import Interactions
from training.fitting.assembly import Knowledge
from training.fitting.candidate import Trained, fit_artifact, fit_candidate
from training.fitting.validation import LEARNED_FROM
from training.params.whole import Params, load_params
from training.project import Project

LIKES = (1, 3, 10)
MORE = 5  # likes that a film has beside those that are told
DEPTH = 20
SHARE = 0.2
REPEATS = 200
Films = npt.NDArray[np.int64]


def rows(dataset: Dataset, params: Params, family: str, draws: int) -> Iterator[str]:
    """A row per number of likes: means of each user over the draws."""
    found: dict[int, list[list[PerUser]]] = {m: [] for m in LIKES}
    costs = list[float]()
    for draw in range(params.seed, params.seed + draws):
        bare, base, films = without_films(dataset, params.model_copy(update={"seed": draw}), family)
        costs.append(microseconds(base.artifact))
        for m in LIKES:
            found[m].append(ways(dataset, bare, base, films, m, params.model_copy(update={"seed": draw})))
    for m, each in found.items():
        recall = np.array(each)
        compared = ~np.isnan(recall).all(axis=(0, 1))  # who likes one of these films in any draw
        alone, folded, again = np.nanmean(recall[:, :, compared], axis=0)
        cells = [f"{np.nanmean(way):.3f}" for way in (alone, folded, again)]
        yield f"| {family} | {m} | {' | '.join([*cells[:2], shown(folded - alone), cells[2], shown(folded - again)])} |"
    print(f"{family}: a like costs {min(costs):.0f} µs", file=sys.stderr)


def without_films(dataset: Dataset, params: Params, family: str) -> tuple[Dataset, Trained, Films]:
    """A model that has learned nothing of a share of the liked films, its data, and these films."""
    liked = dataset.interactions("train", "validation", "test").positives()
    films = np.random.default_rng(params.seed).permutation(np.unique(liked.items))
    films = np.sort(films[: int(len(films) * SHARE)])
    bare = without(dataset, gone_items=films)
    return bare, fit_candidate(bare, params, family), films


def ways(dataset: Dataset, bare: Dataset, base: Trained, films: Films, m: int, params: Params) -> list[PerUser]:
    """Recall by columns alone, with the fold-in of m likes, and after a training with them."""
    liked = dataset.interactions("train", "validation", "test").positives()
    chosen = films[np.bincount(liked.items, minlength=dataset.n_items)[films] >= m + MORE]
    told = drawn(liked, chosen, m, np.random.default_rng(params.seed))
    later = replace(dataset, splits={name: left_of(split, told) for name, split in dataset.splits.items()})
    train = Interactions.concatenate([bare.splits["train"], told])
    knowledge = Knowledge(replace(bare, splits={**bare.splits, "train": train}), LEARNED_FROM, params.threads)
    again = fit_artifact(knowledge, base.artifact.recipe.family, base.family, params.seed, base.newcomers)
    artifacts = with_films(base.artifact, dataset, chosen), with_films(base.artifact, dataset, chosen, told), again
    return [recalls(each, later, chosen, DEPTH, told) for each in artifacts]


def drawn(liked: Interactions, films: Films, m: int, rng: np.random.Generator) -> Interactions:
    """So many likes of each film."""
    order = rng.permutation(len(liked))
    order = order[np.argsort(liked.items[order], kind="stable")]
    items = liked.items[order]
    within = np.arange(len(order)) - np.searchsorted(items, items)
    is_drawn = np.zeros(len(liked), dtype=bool)
    is_drawn[order[(within < m) & np.isin(items, films)]] = True
    return liked.where(is_drawn)


def left_of(split: Interactions, told: Interactions) -> Interactions:
    """What remains without the ratings that are told."""
    most = 1 + max(int(split.items.max(initial=0)), int(told.items.max(initial=0)))
    pairs, gone = (each.users.astype(np.int64) * most + each.items for each in (split, told))
    return split.where(~np.isin(pairs, gone))


def with_films(artifact: Artifact, dataset: Dataset, films: Films, told: Interactions | None = None) -> Artifact:
    """The artifact with films as the service has new ones: by their columns, and by who likes them."""
    assert artifact.item_encoder is not None
    assert artifact.item_fold_in is not None
    assert artifact.fold_in_mean is not None
    made = vectors_of(dataset.item_features[films], artifact.item_encoder)
    embeddings, biases = artifact.item_embeddings.copy(), artifact.item_biases.copy()
    embeddings[films], biases[films] = made[:, :-1], made[:, -1]
    if told is not None:
        users = artifact.item_fold_in.scaled(artifact.user_embeddings)
        likers = np.searchsorted(artifact.user_ids, dataset.user_ids[told.users])
        for film in films:
            total = users[likers[told.items == film]].sum(axis=0)
            n_likes = int((told.items == film).sum())
            embeddings[film] += artifact.item_fold_in.moved(total, n_likes, artifact.fold_in_mean)
    return replace(artifact, item_embeddings=embeddings, item_biases=biases)


def microseconds(artifact: Artifact) -> float:
    """Processor time of one like."""
    fold_in, mean, user = artifact.item_fold_in, artifact.fold_in_mean, artifact.user_embeddings[0]
    assert fold_in is not None
    assert mean is not None
    total = np.zeros(len(user))
    like = timeit.Timer(lambda: fold_in.moved(total + fold_in.scaled(user), 3, mean), timer=time.process_time)
    return min(like.repeat(50, REPEATS)) / REPEATS * 1e6


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="ml-100k")
    parser.add_argument("--families", default="ease,implicit_als")
    parser.add_argument("--draws", type=int, default=4)
    options = parser.parse_args()
    params = load_params(Project(Path()).params)
    dataset = prepared(options.source, params)
    print("| family | likes | columns alone | fold-in | difference | trained again | difference |")
    print("|---|---|---|---|---|---|---|")
    for family in options.families.split(","):
        for line in rows(dataset, params, family, options.draws):
            print(line, flush=True)


if __name__ == "__main__":
    main()
