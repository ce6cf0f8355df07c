import numpy as np
from scipy import sparse

from app.contract.encoder import Encoder
from training.models.base import Factors, TrainingData
from training.models.encoder import encoder_of

POSITIVES = sparse.csr_matrix(np.array([[1, 1, 0], [0, 0, 0]], dtype=np.float32))
DATA = TrainingData(POSITIVES, sparse.csr_matrix((3, 0), dtype=np.float32), 1, POSITIVES)


def test_what_has_no_positive_gets_zeros_whatever_a_library_leaves_there() -> None:
    factors = Factors.learned(DATA, np.full((2, 2), 5.0), np.full((3, 2), 6.0), np.array([7.0, 8.0, 9.0]))
    assert factors.user_embeddings.tolist() == [[5, 5], [0, 0]]
    assert factors.item_embeddings.tolist() == [[6, 6], [6, 6], [0, 0]]
    assert factors.item_biases.tolist() == [7, 8, 0]
    assert factors.user_biases.tolist() == [0, 0]
    assert Factors.learned(DATA, np.ones((2, 2)), np.ones((3, 2))).item_biases.tolist() == [0, 0, 0]


def test_one_positive_is_enough_to_keep_what_was_learned() -> None:
    positives = sparse.csr_matrix(np.array([[1, 0], [0, 0]], dtype=np.float32))
    data = TrainingData(positives, sparse.csr_matrix((2, 0), dtype=np.float32), 1, positives)
    factors = Factors.learned(data, np.full((2, 1), 5.0), np.full((2, 1), 6.0))
    assert (factors.user_embeddings.tolist(), factors.item_embeddings.tolist()) == ([[5], [0]], [[6], [0]])


def test_factors_are_usable_up_to_the_largest_number_of_an_artifact() -> None:
    def usable(value: float) -> bool:
        return Factors.learned(DATA, np.ones((2, 1)), np.array([[1.0], [value], [1.0]])).is_usable()

    assert usable(float(np.float32(1e12)))
    assert not any(map(usable, (1.01e12, -1.01e12, np.inf, np.nan)))


def test_users_vectors_are_regressed_around_their_mean_unless_the_family_says_otherwise() -> None:
    users, items = np.array([[1.0, 2.0], [9.0, 9.0]]), np.ones((3, 2))
    learned = Factors.learned(DATA, users, items)
    assert encoder_of(learned, POSITIVES).intercept.tolist() == [1, 2]
    assert encoder_of(Factors.learned(DATA, users, items, intercept=False), POSITIVES).intercept.tolist() == [0, 0]
    by_hand = Factors(learned.user_embeddings, learned.item_embeddings, learned.user_biases, learned.item_biases)
    assert encoder_of(by_hand, POSITIVES).intercept.tolist() == [1, 2]
    own = Encoder(np.ones((3, 2), np.float32), np.zeros(2, np.float32))
    assert encoder_of(Factors.learned(DATA, users, items, encoder=own), POSITIVES) is own
