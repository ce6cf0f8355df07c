import numpy as np

from app.contract.added_items import AddedItems
from tests.artifacts import make_artifact


def test_equal_vectors_are_scored_once_and_all_items_have_their_scores() -> None:
    artifact = make_artifact(range(2), range(9), dim=4)
    artifact.item_embeddings[7:] = artifact.item_embeddings[6]
    artifact.item_biases[7] = artifact.item_biases[6]
    artifact.item_biases[8] = artifact.item_biases[6] + 1
    added, vector = AddedItems(artifact, {"6": 6, "7": 7, "8": 8}), artifact.user_embeddings[0]
    of_kinds = added.scores_of_kinds(vector)
    assert (len(added), len(of_kinds)) == (3, 2)
    expected = artifact.item_embeddings[6:] @ vector + artifact.item_biases[6:]
    np.testing.assert_allclose(added.scores(of_kinds), expected, rtol=1e-6)


def test_there_may_be_none() -> None:
    added = AddedItems(make_artifact(range(2), range(9), dim=4), {})
    assert len(added) == len(added.scores(added.scores_of_kinds(np.zeros(4, np.float32)))) == 0
