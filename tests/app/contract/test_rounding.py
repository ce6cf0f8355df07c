import numpy as np

from app.contract.rounding import RoundingBound
from tests.artifacts import make_artifact


def test_the_bound_is_that_of_its_description_and_holds() -> None:
    artifact = make_artifact(item_ids=range(500), dim=8)
    vectors = np.random.default_rng(1).normal(size=(20, 8)).astype(np.float32)
    bounds = RoundingBound(artifact).errors(vectors)
    largest = np.linalg.norm(artifact.item_embeddings, axis=1).max()
    sizes = np.linalg.norm(vectors, axis=1) * largest + np.abs(artifact.item_biases).max()
    np.testing.assert_allclose(bounds, 10 * np.finfo(np.float32).eps * sizes, rtol=1e-5)
    exact = vectors.astype(np.float64) @ artifact.item_embeddings.T.astype(np.float64) + artifact.item_biases
    rounded = vectors @ artifact.item_embeddings.T + artifact.item_biases
    assert (np.abs(rounded - exact).max(axis=1) <= bounds).all()
