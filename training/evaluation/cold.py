"""Measures how well an artifact ranks cold items: those that no user liked before the test."""

from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact
from app.contract.item_matrix import Mask
from app.contract.recommender import Recommender
from training.evaluation.ranking import in_blocks
from training.evaluation.results import CONFIDENCE, with_intervals
from training.evaluation.targets import Targets
from training.metrics.bootstrap import confidence_interval
from training.metrics.ranking import expected_recall
from training.params.evaluate import EvaluateParams


def cold_report(artifact: Artifact, targets: Targets, params: EvaluateParams, seed: int) -> dict[str, Any]:
    """Compute recall at k among cold items alone, over the users who liked one; if no user did, only count both.

    An item is cold if the artifact has learned from no positive of it. Many models score all cold items alike, and ids
    often rise with time, so equal scores count as if in random order. `chance` is the recall of equal scores for all.
    """
    cold = artifact.item_popularity == 0
    wanted = _liked_cold(targets, cold)
    result: dict[str, Any] = {"items": int(cold.sum()), "users": len(wanted.user_rows)}
    if not len(wanted.user_rows):
        return result
    recalls, chances = _recalls(Recommender(artifact), wanted, cold, params)
    intervals = confidence_interval(recalls, params.bootstrap, CONFIDENCE, np.random.default_rng(seed))
    names = [f"recall@{k}" for k in params.at]
    return result | {
        **with_intervals(names, intervals),
        "chance": dict(zip(names, chances.mean(axis=0).tolist(), strict=True)),
    }


def _liked_cold(targets: Targets, cold: Mask) -> Targets:
    """The users who liked a cold item, with the cold items alone as relevant ones."""
    relevant = targets.relevant.multiply(cold[None, :]).tocsr()
    relevant.eliminate_zeros()
    chosen = np.flatnonzero(np.diff(relevant.indptr))
    return Targets(targets.user_rows[chosen], relevant[chosen])


def _recalls(
    recommender: Recommender, targets: Targets, cold: Mask, params: EvaluateParams
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The recall of the model and that of chance: float64 (n_users, n_k) each."""

    def of_block(block: slice) -> npt.NDArray[np.float64]:
        scores = recommender.scores(targets.user_rows[block])[:, cold]
        relevant = targets.relevant[block][:, cold].toarray() > 0
        tied = np.where(np.isneginf(scores), scores, np.float32(0))
        return np.stack([expected_recall(ranked, relevant, params.at) for ranked in (scores, tied)])

    both = np.concatenate(in_blocks(len(targets.user_rows), recommender.n_items, of_block, progress=False), axis=1)
    return both[0], both[1]
