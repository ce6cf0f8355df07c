"""A model family for tests that needs nothing but NumPy, in one file and one registry line like any other."""

from typing import Annotated

import numpy as np
import pytest
from pydantic import Field

from training.models.base import Factors, TrainingData, Watch
from training.models.families import FAMILIES
from training.params.section import Section


class TestSVD(Section):
    """A truncated singular value decomposition of the positives."""

    __test__ = False

    dim: Annotated[int, Field(ge=1)] = 4

    def fit(self, data: TrainingData, rng: np.random.Generator, watch: Watch | None = None) -> Factors:
        users, strengths, items = np.linalg.svd(data.positives.toarray(), full_matrices=False)
        zeros = np.zeros(sum(data.positives.shape), dtype=np.float32)
        return Factors(
            user_embeddings=(users[:, : self.dim] * strengths[: self.dim]).astype(np.float32),
            item_embeddings=items[: self.dim].T.astype(np.float32),
            user_biases=zeros[: len(users)],
            item_biases=zeros[len(users) :],
        )


def add_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the family known as `test_svd`."""
    monkeypatch.setitem(FAMILIES, "test_svd", f"{__name__}:TestSVD")
