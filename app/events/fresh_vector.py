"""The vector of a user whose likes have changed since the model learned."""

import numpy as np

from app.contract.artifact_format import Float32Array
from app.contract.recommender import Recommender
from app.model.profile import ItemRows

LEARNED_PER_FRESH = 4  # so many learned likes weigh as much as a fresh one


def fresh_vector(
    recommender: Recommender, learned_vector: Float32Array, learned: ItemRows, added: ItemRows, taken_back: ItemRows
) -> Float32Array:
    """The vector, float32 (dim,), of a user who liked the item rows `learned` when `learned_vector` was learned.

    Enc(h') + n / (n + 4m) · (learned_vector - Enc(h)), where h are the likes learned, h' those without the ones
    `taken_back`, and then those `added`, Enc is the encoder, n the size of h, m that of both changes. All are in the
    order of time. Only items with an encoder count. `learned_vector` itself where m is 0; all zero where h' is empty;
    where h is, `learned_vector` is of attributes alone, and the fold-in starts from what they say. docs/freshness.md
    says how it was chosen.
    """
    encoder = recommender.encoder
    m = encoder.count(added) + encoder.count(taken_back)
    if not m:
        return learned_vector
    now = np.concatenate([learned[~np.isin(learned, taken_back)], added])
    (before, n), (vector, n_now) = encoder.encoded(learned), encoder.encoded(now)
    if not n or not n_now:
        return recommender.fold_in(now, None if n else recommender.artifact.start_of(learned_vector))
    vector += np.float32(n / (n + LEARNED_PER_FRESH * m)) * (learned_vector - before)
    return vector
