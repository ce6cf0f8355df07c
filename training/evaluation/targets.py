"""The users to rank and their relevant items."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from app.contract.artifact import Artifact
from app.contract.item_matrix import Rows
from training.data.dataset import Dataset
from training.data.interactions import Interactions


@dataclass(frozen=True)
class Targets:
    """The users to rank, as rows of an artifact, and a CSR row of relevant items for each."""

    user_rows: Rows
    relevant: sparse.csr_matrix

    @classmethod
    def of(cls, artifact_user_ids: npt.NDArray[Any], dataset: Dataset, held_out: Interactions) -> "Targets":
        """Take the held-out positives of the users that the artifact knows."""
        positives = held_out.positives()
        ids = dataset.user_ids[positives.users]
        rows = np.minimum(np.searchsorted(artifact_user_ids, ids), len(artifact_user_ids) - 1)
        known = artifact_user_ids[rows] == ids
        positives = replace(positives, users=rows.astype(np.int32)).where(known)
        user_rows = np.unique(rows[known])
        return cls(user_rows, positives.matrix(len(artifact_user_ids), dataset.n_items)[user_rows])

    def block(self, rows: slice) -> "Targets":
        """Take some of the users that follow each other."""
        return Targets(self.user_rows[rows], self.relevant[rows])

    def sample(self, size: int, rng: np.random.Generator) -> "Targets":
        """Draw at most `size` of the users at random."""
        if len(self.user_rows) <= size:
            return self
        chosen = np.sort(rng.choice(len(self.user_rows), size, replace=False))
        return Targets(self.user_rows[chosen], self.relevant[chosen])


def held_out(artifact: Artifact, dataset: Dataset) -> Targets:
    """Take the test positives of the users that the artifact knows."""
    return Targets.of(artifact.user_ids, dataset, dataset.interactions("test"))
