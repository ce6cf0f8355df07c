"""What popular films are worth to somebody of whom nothing is known, where older likes count less.

usage: MOVIELENS_DIR=<folder> python -m benchmarks.strangers [--sources ml-100k,ml-latest-small]

Each user who comes after a fifth of all likes gets the films that are popular until then, with all likes alike and with
older ones counting less; NDCG@10 of their first ten likes, those of one time being in random order. It prints a
Markdown table, and exits with 1 where a mark is missed.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse

from benchmarks.little_known import SHARE, shown
from benchmarks.options import options
from benchmarks.quality import prepared
from training.data.dataset import Dataset
from training.metrics.ranking import ndcg
from training.models.aging import aged_popularity
from training.models.base import HALF_LIFE, TrainingData
from training.params.whole import load_params
from training.project import Project

K = 10
MARKS = {"ml-100k": 0.18, "ml-latest-small": 0.15}


def found(dataset: Dataset, seed: int) -> npt.NDArray[np.float64]:
    """NDCG@10 of each stranger, by popularity of both kinds: (2, n)."""
    liked = dataset.interactions("train", "validation", "test").positives()
    order = np.lexsort((np.random.default_rng(seed).random(len(liked)), liked.times))
    users, items, times = liked.users[order], liked.items[order], liked.times[order]
    _, firsts = np.unique(users, return_index=True)
    cells = []
    for first in firsts[firsts > SHARE * len(users)].tolist():
        until = int(np.searchsorted(times, times[first]))
        alike = np.bincount(items[:until], minlength=dataset.n_items).astype(np.float32)
        aged = aged_popularity(of_one(items[:until], times[:until], dataset.n_items), HALF_LIFE)
        wanted = items[users == users[first]][:K]
        lists = [np.argsort(-each, kind="stable")[:K] for each in (alike, alike if aged is None else aged[0])]
        cells.append(ndcg(np.isin(lists, wanted), np.full(2, len(wanted))))
    return np.array(cells).T


def of_one(items: npt.NDArray[np.int32], times: npt.NDArray[np.int64], n_items: int) -> TrainingData:
    """Positives as if one user had them all."""
    likes = sparse.csr_matrix((np.ones(len(items), np.float32), items, [0, len(items)]), shape=(1, n_items))
    return TrainingData(likes, sparse.csr_matrix((n_items, 0), dtype=np.float32), 1, likes, times.astype(np.float64))


def main() -> None:
    """Print the table, row by row."""
    sources = options(__doc__, sources=["ml-100k", "ml-latest-small"]).sources
    params, all_good = load_params(Project(Path()).params), True
    print("| data | users | all likes alike | older ones count less | difference |\n|---|---|---|---|---|")
    for source in sources:
        alike, aged = found(prepared(source, params), params.seed)
        all_good &= bool(aged.mean() >= MARKS.get(source, 0))
        print(
            f"| {source} | {len(aged)} | {alike.mean():.4f} | {aged.mean():.4f} | {shown(aged - alike)} |", flush=True
        )
    sys.exit(not all_good)


if __name__ == "__main__":
    main()
