"""The vector of a user whose likes have changed since the model learned."""

import numpy as np

from app.contract.artifact import Float32Array
from app.contract.recommender import Recommender
from app.model.profile import ItemRows

LEARNED_PER_FRESH = 4  # so many learned likes weigh as much as a fresh one


def fresh_vector(
    recommender: Recommender,
    learned_vector: Float32Array,
    learned: ItemRows,
    added: ItemRows,
    taken_back: ItemRows,
) -> Float32Array:
    """The vector, float32 (dim,), of a user who liked the item rows `learned` when `learned_vector` was learned.

    Enc(h') + n / (n + 4m) · (learned_vector - Enc(h)), where h are the likes learned, h' those and the `added` ones
    without those `taken_back`, Enc is the fold-in, n the size of h, m that of both changes. Only items with an encoder
    count. `learned_vector` itself where m is 0; all zero where h' is empty; the fold-in, which starts from
    `learned_vector`, where h is. docs/freshness.md says how it was chosen.
    """
    (plus, n_plus), (minus, n_minus) = recommender.encoded(added), recommender.encoded(taken_back)
    m = n_plus + n_minus
    if not m:
        return learned_vector
    total, n = recommender.encoded(learned)
    n_now, intercept = n + n_plus - n_minus, recommender.artifact.encoder_intercept
    if not n or not n_now:
        start = None if n else learned_vector  # which then says what attributes do
        return recommender.newcomer(total + plus - minus, n_now, start)
    vector: Float32Array = (total + plus - minus) / np.float32(np.sqrt(n_now)) + intercept
    weight = np.float32(n / (n + LEARNED_PER_FRESH * m))
    vector += weight * (learned_vector - total / np.float32(np.sqrt(n)) - intercept)
    return vector
