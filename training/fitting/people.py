"""Makes vectors of people from their attributes."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array
from app.contract.encoder import Encoder
from training.data.features import vectors_of
from training.data.people import People
from training.models.base import TrainingData
from training.models.feature_encoder import fit_user_encoder, of_one_length
from training.models.histories import encoded_histories, first_of

FIRST = 12  # likes of a person: with fewer, lists find what is liked later less well; with 15, they gain half as much


def with_people(artifact: Artifact, people: People, data: TrainingData) -> Artifact:
    """The artifact with the encoder of attributes, and with vectors by it for all of whom nothing was learned.

    `people.features` are those of the artifact's users, who have the rows of `data`. People who have rated nothing
    become users.
    """
    encoder = fit_user_encoder(people.features, artifact.user_embeddings)
    artifact = replace(artifact, first_likes=first_likes(artifact, people.features, data))
    user_ids = np.concatenate([artifact.user_ids, people.new_ids.astype(artifact.user_ids.dtype.type)])
    order = np.argsort(user_ids, kind="stable")
    nothing = np.zeros((len(people.new_ids), encoder.shape[1]), dtype=np.float32)
    made, new_made = (
        artifact.of_strangers(vectors_of(each, encoder)) for each in (people.features, people.new_features)
    )
    vectors = or_made(artifact.user_embeddings, people.features, made)
    lengths = np.append(np.diff(artifact.seen_indptr), np.zeros(len(people.new_ids), dtype=np.int64))
    return replace(
        artifact,
        user_ids=user_ids[order],
        user_embeddings=np.concatenate([vectors, or_made(nothing, people.new_features, new_made)])[order],
        seen_indptr=np.append(0, np.cumsum(lengths[order])),
        user_encoder=encoder,
        user_features=people.entries,
        user_columns=people.columns,
    )


def first_likes(artifact: Artifact, features: sparse.csr_matrix, data: TrainingData) -> Float32Array | None:
    """How what people like first differs from what they like in all: float32 (dim,); None where no times tell.

    The mean vector by the fold-in encoder of each person's first likes, less the mean of learned vectors, all of the
    same length, of people of whom attributes are known.
    """
    if data.times is None:
        return None
    encoder = Encoder(artifact.encoder, artifact.encoder_intercept, artifact.recency)
    histories = first_of(data, FIRST)
    first, learned = encoded_histories(histories, encoder, np.arange(histories.nnz)), artifact.user_embeddings
    known = (np.diff(features.indptr) > 0) & learned.any(axis=1) & first.any(axis=1)
    if not known.any():
        return None
    length = float(np.linalg.norm(learned[known], axis=1).mean())
    difference: Float32Array = (of_one_length(first[known], length) - of_one_length(learned[known])).mean(axis=0)
    return difference


def or_made(vectors: Float32Array, features: sparse.csr_matrix, made: Float32Array) -> Float32Array:
    """The vectors, and what is made of a person's attributes instead where theirs is all zero: float32 (n, dim)."""
    unknown = (np.diff(features.indptr) > 0) & ~vectors.any(axis=1)
    filled: Float32Array = np.where(unknown[:, None], made, vectors)
    return filled
