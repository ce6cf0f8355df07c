"""Ranks users with the service's own `Recommender` and computes their metrics."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from app.contract.artifact import Artifact
from app.contract.item_matrix import Rows
from app.contract.ranking import NO_ROWS
from app.contract.recommender import Recommender
from training.data.dataset import Dataset
from training.evaluation.targets import Targets, held_out
from training.metrics import ranking
from training.metrics.names import parse_metric
from training.params.evaluate import EvaluateParams
from training.progress import progress as steps

USERS_AT_ONCE = 256
SCORES_AT_ONCE = 4_000_000  # larger blocks, 32 MB and more, come from the system anew each time

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """The lists and hits of the users of a split, one row per user.

    `user_rows`: int64 (n,) rows of the artifact. `lists`: int64 (n, k) item rows, best first, -1 pads.
    `hits`: bool (n, k). `n_relevant`: int64 (n,). `auc`: float64 (n,), NaN where it isn't computed.
    """

    user_rows: Rows
    lists: Rows
    hits: npt.NDArray[np.bool_]
    n_relevant: npt.NDArray[np.int64]
    auc: npt.NDArray[np.float64]

    def per_user(self, metric: str) -> npt.NDArray[np.float64]:
        """Compute a metric such as `ndcg@10` or `auc` for each user: float64 (n,)."""
        name, k = parse_metric(metric)
        if k is None:
            return self.auc
        # In a catalogue smaller than k the last ranks hold no hit.
        first = np.pad(self.hits[:, :k], ((0, 0), (0, max(0, k - self.hits.shape[1]))))
        return ranking.METRICS[name](first, self.n_relevant)


def rank(
    artifact: Artifact, targets: Targets, depth: int, with_auc: bool, progress: bool = False, withdrawn: Rows = NO_ROWS
) -> Outcome:
    """Rank all unseen items but those `withdrawn` for every target user; keep the first `depth` of each list."""
    recommender = Recommender(artifact, withdrawn)

    def ranked(block: slice) -> Outcome:
        return rank_block(recommender, targets.block(block), depth, with_auc)

    return joined(in_blocks(len(targets.user_rows), recommender.n_items, ranked, progress=progress))


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Put the outcomes of blocks together."""
    return Outcome(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Outcome)))


def rank_test(artifact: Artifact, dataset: Dataset, params: EvaluateParams, progress: bool = False) -> Outcome:
    """Rank all users with a test positive that the artifact knows."""
    return rank(artifact, held_out(artifact, dataset), max(params.at), with_auc=True, progress=progress)


def blocks_of(n_users: int, n_items: int) -> list[slice]:
    """Divide users into blocks that have at most SCORES_AT_ONCE scores, or one user."""
    size = max(1, min(USERS_AT_ONCE, SCORES_AT_ONCE // n_items))
    return [slice(start, start + size) for start in range(0, n_users, size)]


def in_blocks(n_users: int, n_items: int, work: Callable[[slice], T], *, progress: bool) -> list[T]:
    """Call `work` for each block of users, one block per processor at a time, with one BLAS thread each."""
    blocks = blocks_of(n_users, n_items)
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(work, blocks)
        return list(steps(done, "rank users", "block", len(blocks)) if progress else done)


def rank_block(recommender: Recommender, targets: Targets, depth: int, with_auc: bool) -> Outcome:
    """Rank all unseen items for a few users; keep the first `depth` of each list."""
    relevant = targets.relevant.toarray() > 0
    scores = recommender.scores(targets.user_rows)
    lists = recommender.select(targets.user_rows, scores, depth).items
    hits = np.take_along_axis(relevant, lists, axis=1) & (lists >= 0)
    auc = ranking.auc(scores, relevant) if with_auc else np.full(len(lists), np.nan)
    return Outcome(targets.user_rows, lists, hits, np.diff(targets.relevant.indptr).astype(np.int64), auc)
