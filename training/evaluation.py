"""Measuring an artifact: rank every user with the service's own `Recommender`, then compute all metrics."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from app.artifact import Artifact
from app.recommender import Recommender, Rows
from training.dataset import USER_ID, Dataset, Interactions
from training.metrics import catalogue, ranking
from training.metrics.bootstrap import confidence_interval
from training.metrics.names import parse_metric
from training.params import EvaluateParams

USERS_AT_ONCE = 256
CONFIDENCE = 0.95
SEGMENTS = ("few", "medium", "many")
HISTORY = "history"


T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """How an artifact ranks the users of a split, one row per user.

    `user_rows`: int64 (n,) rows of the artifact. `lists`: int64 (n, k) item rows, best first, -1 pads.
    `hits`: bool (n, k). `n_relevant`: int64 (n,). `auc`: float64 (n,), NaN where it isn't asked for.
    """

    user_rows: Rows
    lists: Rows
    hits: npt.NDArray[np.bool_]
    n_relevant: npt.NDArray[np.int64]
    auc: npt.NDArray[np.float64]

    def per_user(self, metric: str) -> npt.NDArray[np.float64]:
        """A metric such as `ndcg@10` or `auc` for each user: float64 (n,)."""
        name, k = parse_metric(metric)
        return self.auc if k is None else ranking.METRICS[name](_cut(self.hits, k), self.n_relevant)


def _cut(hits: npt.NDArray[np.bool_], k: int) -> npt.NDArray[np.bool_]:
    """The first k ranks; a catalogue smaller than k leaves the last ones without a hit."""
    return np.pad(hits[:, :k], ((0, 0), (0, max(0, k - hits.shape[1]))))


@dataclass(frozen=True)
class Targets:
    """Whom to rank and what is relevant to them: rows of an artifact's users, and a CSR row for each."""

    user_rows: Rows
    relevant: sparse.csr_matrix

    @classmethod
    def of(cls, artifact_user_ids: npt.NDArray[Any], dataset: Dataset, held_out: Interactions) -> "Targets":
        """The positives that were held out, of users whom the artifact knows."""
        positives = held_out.positives()
        ids = dataset.user_ids[positives.users]
        rows = np.minimum(np.searchsorted(artifact_user_ids, ids), len(artifact_user_ids) - 1)
        known = artifact_user_ids[rows] == ids
        positives = replace(positives, users=rows.astype(np.int32)).where(known)
        user_rows = np.unique(rows[known])
        return cls(user_rows, positives.matrix(len(artifact_user_ids), dataset.n_items)[user_rows])

    def sample(self, size: int, rng: np.random.Generator) -> "Targets":
        """At most `size` users, drawn at random."""
        if len(self.user_rows) <= size:
            return self
        chosen = np.sort(rng.choice(len(self.user_rows), size, replace=False))
        return Targets(self.user_rows[chosen], self.relevant[chosen])


def rank(artifact: Artifact, targets: Targets, depth: int, with_auc: bool, progress: bool = False) -> Outcome:
    """Rank all unseen items for every target user; lists are cut at `depth`."""
    recommender = Recommender(artifact)

    def rank_block(block: slice) -> Outcome:
        return _rank_block(recommender, Targets(targets.user_rows[block], targets.relevant[block]), depth, with_auc)

    outcomes = in_blocks(len(targets.user_rows), rank_block, progress=progress)
    return Outcome(*(np.concatenate([getattr(o, field.name) for o in outcomes]) for field in fields(Outcome)))


def in_blocks(n_users: int, work: Callable[[slice], T], *, progress: bool) -> list[T]:
    """What `work` makes of each block of users, side by side, one per processor, with one BLAS thread each."""
    blocks = [slice(start, start + USERS_AT_ONCE) for start in range(0, n_users, USERS_AT_ONCE)]
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(tqdm(pool.map(work, blocks), desc="rank users", total=len(blocks), disable=not progress))


def _rank_block(recommender: Recommender, targets: Targets, depth: int, with_auc: bool) -> Outcome:
    relevant = targets.relevant.toarray() > 0
    scores = recommender.scores(targets.user_rows)
    lists = recommender.select(targets.user_rows, scores, depth).items
    hits = np.take_along_axis(relevant, lists, axis=1) & (lists >= 0)
    auc = ranking.auc(scores, relevant) if with_auc else np.full(len(lists), np.nan)
    return Outcome(targets.user_rows, lists, hits, np.diff(targets.relevant.indptr).astype(np.int64), auc)


def metric_names(params: EvaluateParams) -> list[str]:
    """All per-user metrics that are reported."""
    return [f"{name}@{k}" for name in ranking.METRICS for k in params.at] + ["auc"]


def user_table(artifact: Artifact, outcome: Outcome, params: EvaluateParams) -> pd.DataFrame:
    """One row per user: the id, the length of the known history, and every per-user metric."""
    history = np.diff(artifact.seen_indptr)[outcome.user_rows]
    columns = {name: outcome.per_user(name) for name in metric_names(params)}
    return pd.DataFrame({USER_ID: artifact.user_ids[outcome.user_rows], HISTORY: history, **columns})


def report(
    artifact: Artifact, outcome: Outcome, users: pd.DataFrame, params: EvaluateParams, seed: int
) -> dict[str, Any]:
    """Everything about one candidate as plain numbers, for people and `dvc metrics`."""
    # A user who has seen all but the relevant items has no AUC; without any who has one, there is none to report.
    names = [name for name in metric_names(params) if users[name].notna().any()]
    intervals = confidence_interval(users[names].to_numpy(), params.bootstrap, CONFIDENCE, np.random.default_rng(seed))
    return {
        "users": len(users),
        "metrics": {name: interval.mean for name, interval in zip(names, intervals, strict=True)},
        "confidence_95": {name: [i.low, i.high] for name, i in zip(names, intervals, strict=True)},
        "catalogue": {
            f"{name}@{k}": function(outcome.lists[:, :k], artifact.item_popularity)
            for name, function in catalogue.METRICS.items()
            for k in params.at
        },
        "segments": _by_segment(users, names, params),
    }


def _by_segment(users: pd.DataFrame, names: list[str], params: EvaluateParams) -> dict[str, Any]:
    numbers = np.digitize(users[HISTORY], params.segments)
    parts = ((segment, users[numbers == number]) for number, segment in enumerate(SEGMENTS))
    return {segment: {"users": len(part), **part[names].mean().to_dict()} for segment, part in parts if len(part)}
