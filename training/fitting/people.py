"""Makes vectors of people from their attributes."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from app.contract.artifact import Artifact, Float32Array
from training.data.features import vectors_of
from training.data.people import People
from training.models.feature_encoder import fit_user_encoder


def with_people(artifact: Artifact, people: People) -> Artifact:
    """The artifact with the encoder of attributes, and with vectors by it for all of whom nothing was learned.

    `people.features` are those of the artifact's users. People who have rated nothing become users.
    """
    encoder = fit_user_encoder(people.features, artifact.user_embeddings)
    user_ids = np.concatenate([artifact.user_ids, people.new_ids.astype(artifact.user_ids.dtype.type)])
    order = np.argsort(user_ids, kind="stable")
    nothing = np.zeros((len(people.new_ids), encoder.shape[1]), dtype=np.float32)
    vectors = or_made(artifact.user_embeddings, people.features, encoder)
    lengths = np.append(np.diff(artifact.seen_indptr), np.zeros(len(people.new_ids), dtype=np.int64))
    return replace(
        artifact,
        user_ids=user_ids[order],
        user_embeddings=np.concatenate([vectors, or_made(nothing, people.new_features, encoder)])[order],
        seen_indptr=np.append(0, np.cumsum(lengths[order])),
        user_encoder=encoder,
        user_features=people.entries,
        user_columns=people.columns,
    )


def or_made(vectors: Float32Array, features: sparse.csr_matrix, encoder: Float32Array) -> Float32Array:
    """The vectors, and what attributes say of a person instead where theirs is all zero: float32 (n, dim)."""
    unknown = (np.diff(features.indptr) > 0) & ~vectors.any(axis=1)
    filled: Float32Array = np.where(unknown[:, None], vectors_of(features, encoder), vectors)
    return filled
