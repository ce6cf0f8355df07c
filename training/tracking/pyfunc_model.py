"""The registered version as an ordinary MLflow model: `mlflow models serve` and Spark can use it.

MLflow keeps this file, not a pickle, and runs it when the model is loaded.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from app.contract.artifact_directory import load_artifact
from app.contract.ranking import NO_ITEM
from app.contract.recommender import Recommender


class RecommenderModel(PythonModel):  # type: ignore[misc]
    """Answers a column `user_id` with the `k` best unseen items of each user."""

    def load_context(self, context: Any) -> None:  # noqa: ANN401
        """Map the artifact."""
        self.recommender = Recommender(load_artifact(Path(context.artifacts["served"])))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any]) -> pd.DataFrame:  # noqa: ANN401
        """One row per user: `item_ids` and `scores`, best first; popular items for an unknown user."""
        rankings = [self._ranking(str(user_id), int(params["k"])) for user_id in model_input["user_id"]]
        return pd.DataFrame(rankings, columns=["item_ids", "scores"])

    def _ranking(self, user_id: str, k: int) -> tuple[list[Any], list[float]]:
        row = self.recommender.user_row(user_id)
        ranking = self.recommender.popular(k) if row is None else self.recommender.recommend(np.array([row]), k)
        items = ranking.items[0]
        kept = items != NO_ITEM
        return self.recommender.artifact.item_ids[items[kept]].tolist(), ranking.scores[0][kept].tolist()


set_model(RecommenderModel())
