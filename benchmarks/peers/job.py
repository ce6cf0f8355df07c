"""What a peer does for a request: rank, look the titles up."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from app.contract.artifact_directory import load_artifact
from app.contract.recommender import Recommender


class Job:
    """The artifact that the variable ARTIFACT names."""

    def __init__(self) -> None:
        self.artifact = load_artifact(Path(os.environ["ARTIFACT"]))
        self.recommender = Recommender(self.artifact)

    def answer(self, user_id: int) -> dict[str, Any]:
        """The ten best films of a user that the model knows."""
        row = self.recommender.user_row(str(user_id))
        assert row is not None
        ranking = self.recommender.recommend(np.array([row]), 10)
        rows = ranking.items[0].tolist()
        ids = self.artifact.item_ids[rows].tolist()
        titles = [self.artifact.catalogue.title(row) for row in rows]
        return {"ids": ids, "titles": titles, "scores": ranking.scores[0].tolist()}
