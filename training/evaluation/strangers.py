"""Measures what features and attributes tell where nothing was learned: cold items among all, and people as if new."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from app.contract.artifact import Artifact
from training.data.features import vectors_of
from training.evaluation.ranking import Outcome, rank
from training.evaluation.results import CONFIDENCE
from training.evaluation.targets import Targets
from training.metrics.bootstrap import confidence_interval

PerUser = npt.NDArray[np.float64]


def among_all(
    artifact: Artifact, targets: Targets, outcome: Outcome, k: int, resamples: int, seed: int
) -> dict[str, Any]:
    """NDCG@k of all users with cold items among all and with these hidden, and the share of cold items in lists."""
    cold = artifact.item_popularity == 0
    lists = outcome.lists[:, :k]
    hidden = rank(artifact, targets, k, with_auc=False, withdrawn=np.flatnonzero(cold)).per_user(f"ndcg@{k}")
    shown = float((cold[lists] & (lists >= 0)).sum() / max((lists >= 0).sum(), 1))
    return {**_compared(outcome.per_user(f"ndcg@{k}"), hidden, resamples, seed), "share": shown}


def newcomers(
    artifact: Artifact, targets: Targets, features: sparse.csr_matrix | None, k: int, resamples: int, seed: int
) -> dict[str, Any] | None:
    """NDCG@k of users by their attributes alone, CSR (n_users, n_features) in the order of targets, and by popularity.

    Both leave out what a user has seen. None where no attributes are known. The encoder has learned from these users
    too, as one among all; benchmarks/little_known.py leaves them out.
    """
    if features is None or artifact.user_encoder is None or not features.nnz:
        return None
    described = np.flatnonzero(np.diff(features.indptr))
    chosen = Targets(targets.user_rows[described], targets.relevant[described])
    popular = np.zeros_like(artifact.user_embeddings)
    vectors = popular.copy()
    vectors[chosen.user_rows] = artifact.of_strangers(vectors_of(features[described], artifact.user_encoder))
    by_attributes, by_popularity = (
        rank(replace(artifact, user_embeddings=each), chosen, k, with_auc=False).per_user(f"ndcg@{k}")
        for each in (vectors, popular)
    )
    return {**_compared(by_attributes, by_popularity, resamples, seed), "users": len(described)}


def _compared(ours: PerUser, others: PerUser, resamples: int, seed: int) -> dict[str, Any]:
    differences = (ours - others)[:, None]
    gain = confidence_interval(differences, resamples, CONFIDENCE, np.random.default_rng(seed))[0]
    return {"ndcg": float(ours.mean()), "without": float(others.mean()), "confidence_95": [gain.low, gain.high]}
