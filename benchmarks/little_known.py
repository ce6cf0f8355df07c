"""Items and people of whom little is known: films never rated, films with three likes, people with one to five.

usage: MOVIELENS_DIR=<folder> python -m benchmarks.little_known [--source ml-100k] [--families ease] [--tables people]
       [--few .2] [--draws 4] [--weight 1]

Films: of those liked, a fifth lose all ratings, and another share, `--few` of those with eight likes or more, keep
three; each kind is ranked among itself, with what features say of them and without, as a mean over draws. People: a
third is left out of training; each who has 20 likes gets a list from the first k, with what attributes say, or the mean
user where none are known, and without; from no like it is compared with popular films. `--weight` takes the place of
what validation chose. `next` is NDCG@10 of the three likes that follow, `rest` of all from the eleventh on. It prints
Markdown tables.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array
from app.contract.recommender import Recommender
from benchmarks.quality import prepared, without
from training.data.dataset import Dataset
from training.data.features import vectors_of
from training.data.interactions import Interactions
from training.evaluation.ranking import rank_test
from training.fitting.candidate import fit_candidate
from training.metrics.bootstrap import Interval, confidence_interval
from training.metrics.ranking import ndcg
from training.params.catalogue import Attribute, CatalogueParams
from training.params.whole import Params, load_params
from training.project import Project

KEPT = 3  # likes of a film of whom little is known
LEAST = 8
DEPTHS = {"never rated": 50, "three likes": 20}
SHARE = 0.2
LIKES = (1, 3, 5)
KNOWING = ("ml-100k", "ml-1m")  # what is known of people there
PEOPLE = {
    "age": Attribute(type="number", widths=(10,)),
    "sex": Attribute(type="tag"),
    "occupation": Attribute(type="tag"),
}
PerUser = npt.NDArray[np.float64]
Table = Callable[[Dataset, Params, list[str]], Iterator[str]]


def thinned(
    dataset: Dataset, rng: np.random.Generator, share: float
) -> tuple[Dataset, dict[str, npt.NDArray[np.int64]]]:
    """The data set without what is to be found, and the films of either kind; `share` of the others keep few likes."""
    liked = dataset.interactions("train", "validation", "test").positives().items
    counts = np.bincount(dataset.interactions("train", "validation").positives().items, minlength=dataset.n_items)
    films = rng.permutation(np.unique(liked))
    cold, rest = np.split(films, [int(len(films) * SHARE)])
    many = rest[counts[rest] >= LEAST]
    few = many[: int(len(many) * share)]
    train = dataset.splits["train"]
    shuffled = rng.permutation(np.flatnonzero(train.positive & np.isin(train.items, few)))
    order = shuffled[np.argsort(train.items[shuffled], kind="stable")]
    begins = np.searchsorted(train.items[order], train.items[order])
    kept = ~np.isin(train.items, few)
    kept[order[np.arange(len(order)) - begins < KEPT]] = True
    bare = without(dataset, gone_items=np.concatenate([cold, few]))
    splits = {**bare.splits, "train": train.where(kept & ~np.isin(train.items, cold))}
    return replace(dataset, splits=splits), {"never rated": np.sort(cold), "three likes": np.sort(few)}


def recalls(
    artifact: Artifact, dataset: Dataset, films: npt.NDArray[np.int64], k: int, told: Interactions | None = None
) -> PerUser:
    """The share of each user's likes among some films that are the first k of these films; NaN of who likes none.

    Users have seen what the artifact says, and what they have `told` since.
    """
    everything = dataset.interactions("train", "validation", "test").positives()
    known = np.searchsorted(dataset.user_ids, artifact.user_ids)
    scores = Recommender(artifact).scores(np.arange(len(known)))[:, films]
    relevant = everything.matrix(dataset.n_users, dataset.n_items)[known][:, films].toarray() > 0
    if told is not None:
        scores[told.matrix(dataset.n_users, dataset.n_items)[known][:, films].toarray() > 0] = -np.inf
    relevant &= np.isfinite(scores)
    rows = np.flatnonzero(relevant.any(axis=1) & artifact.user_embeddings.any(axis=1))
    # Ids rise with popularity in MovieLens, so equal scores come in random order.
    mixed = np.random.default_rng(0).permutation(len(films))
    first = mixed[np.argsort(-scores[rows][:, mixed], axis=1, kind="stable")[:, :k]]
    found = np.full(dataset.n_users, np.nan)
    found[known[rows]] = np.take_along_axis(relevant[rows], first, axis=1).sum(axis=1) / relevant[rows].sum(axis=1)
    return found


def of_films(dataset: Dataset, params: Params, families: list[str], share: float, draws: int) -> Iterator[str]:
    """A row per family and kind of films: means of each user over the draws."""
    yield "| family | films | without features | with | difference | times | NDCG@10 of all, without | with |"
    yield "|---|---|---|---|---|---|---|---|"
    for family in families:
        found = [
            films_drawn(dataset, params.model_copy(update={"seed": seed}), family, share)
            for seed in range(params.seed, params.seed + draws)
        ]
        whole = np.mean([ndcgs for _, ndcgs in found], axis=0)
        for kind, k in DEPTHS.items():
            recall = np.array([of_kinds[kind] for of_kinds, _ in found])
            compared = ~np.isnan(recall).all(axis=(0, 1))  # who likes one of these films in any draw
            before, after = np.nanmean(recall[:, :, compared], axis=0)
            yield (
                f"| {family} | {kind}, recall@{k} | {before.mean():.3f} | {after.mean():.3f} | {shown(after - before)} "
                f"| {after.mean() / before.mean():.2f} | {whole[0]:.4f} | {whole[1]:.4f} |"
            )


def films_drawn(
    dataset: Dataset, params: Params, family: str, share: float
) -> tuple[dict[str, list[PerUser]], list[float]]:
    """The recall among each kind of films of one draw, and NDCG@10 of all, without features and with them."""
    thin, kinds = thinned(dataset, np.random.default_rng(params.seed), share)
    nothing = sparse.csr_matrix((dataset.n_items, 0), dtype=np.float32)
    bare = replace(thin, item_features=nothing, item_feature_entries=[])
    artifacts = [fit_candidate(each, params, family).artifact for each in (bare, thin)]
    whole = [float(rank_test(each, dataset, params.evaluate).per_user("ndcg@10").mean()) for each in artifacts]
    found = {kind: [recalls(each, dataset, films, DEPTHS[kind]) for each in artifacts] for kind, films in kinds.items()}
    return found, whole


def of_people(dataset: Dataset, params: Params, families: list[str], weight: float | None) -> Iterator[str]:
    """A row per family and number of likes."""
    yield "| family | weight | likes | next, by likes alone | difference | rest, by likes alone | difference |"
    yield "|---|---|---|---|---|---|---|"
    hidden = np.random.default_rng(params.seed).choice(dataset.n_users, dataset.n_users // 3, replace=False)
    people = long_histories(dataset, hidden)
    for family in families:
        artifact = fit_candidate(without(dataset, gone_users=hidden), params, family).artifact
        if weight is not None:
            learned = artifact.user_embeddings[artifact.user_embeddings.any(axis=1)]
            artifact = replace(artifact, mean_user=learned.mean(axis=0, dtype=np.float32), newcomer_weight=weight)
        plain, recommender = Recommender(replace(artifact, mean_user=None)), Recommender(artifact)
        for k in LIKES if artifact.user_encoder is None else (0, *LIKES):
            alone = [plain.top(plain.fold_in(h[:k]), 10, h[:k]).items[0] for h in people.values()]
            starts = [start_of(artifact, dataset, user) for user in people]
            known = [recommender.fold_in(h[:k], start) for h, start in zip(people.values(), starts, strict=True)]
            helped = [recommender.top(v, 10, h[:k]).items[0] for v, h in zip(known, people.values(), strict=True)]
            cells = []
            for part in (slice(k, k + 3), slice(10, None)):
                wanted = [h[part] for h in people.values()]
                before, after = (
                    ndcg(np.array([*map(np.isin, lists, wanted)]), np.array([*map(len, wanted)]))
                    for lists in (alone, helped)
                )
                cells.append(f"{before.mean():.3f} | {shown(after - before)}")
            yield f"| {family} | {artifact.newcomer_weight:g} | {k} | {' | '.join(cells)} |"


def start_of(artifact: Artifact, dataset: Dataset, user: int) -> Float32Array | None:
    """What the attributes of a user say; None without any."""
    if artifact.user_encoder is None or dataset.people is None:
        return None
    start: Float32Array = vectors_of(dataset.people.features[[user]], artifact.user_encoder)[0]
    return start


def long_histories(dataset: Dataset, users: npt.NDArray[np.int64]) -> dict[int, npt.NDArray[np.int64]]:
    """The likes of each user who has 20, in the order of time."""
    everything = dataset.interactions("train", "validation", "test").positives()
    of_users = {int(user): everything.where(everything.users == user) for user in users}
    return {
        user: liked.items[np.argsort(liked.times, kind="stable")].astype(np.int64)
        for user, liked in of_users.items()
        if len(liked) >= 20
    }


def shown(differences: PerUser) -> str:
    """The mean of differences between users, with its interval; NaN is of users who are not compared."""
    known = differences[~np.isnan(differences)]
    found: Interval = confidence_interval(known[:, None], 1000, 0.95, np.random.default_rng(0))[0]
    return f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def main() -> None:
    """Print the tables that were asked for, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", default="ml-latest-small")
    parser.add_argument("--families", default="implicit_als,ease,lightfm,blend")
    parser.add_argument("--tables", default="films,people")
    parser.add_argument("--weight", type=float)
    parser.add_argument("--few", type=float, default=SHARE)
    parser.add_argument("--draws", type=int, default=4)
    options = parser.parse_args()
    params = load_params(Project(Path()).params)
    if options.source in KNOWING:
        catalogue = CatalogueParams(items=params.catalogue.items, users=PEOPLE)
        params = params.model_copy(update={"catalogue": catalogue})
    dataset, families = prepared(options.source, params), options.families.split(",")
    tables: dict[str, Table] = {
        "films": partial(of_films, share=options.few, draws=options.draws),
        "people": partial(of_people, weight=options.weight),
    }
    for table in options.tables.split(","):
        for line in tables[table](dataset, params, families):
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
