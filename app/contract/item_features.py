"""What an item's columns are as the features of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.contract.artifact import Float32Array


def features_of(values: Mapping[str, Any], features: Sequence[Mapping[str, Any]]) -> Float32Array:
    """The features, float32 (n_features + 1,), of an item with these values by column; the last is the constant.

    docs/decisions/0014-format-3.md lists the kinds. The components of a vector or a text are 0.
    """
    return np.array([*(_feature(values.get(each["column"]), each) for each in features), 1.0], dtype=np.float32)


def _feature(value: Any, feature: Mapping[str, Any]) -> float:  # noqa: ANN401 - of the column's type
    if value is None or value == [] or "component" in feature:
        return 0.0
    if "value" in feature:
        return float(feature["value"] in value if isinstance(value, list) else value == feature["value"])
    if "from" in feature or "to" in feature:
        least, most = feature.get("from"), feature.get("to")
        return float((least is None or least <= value) and (most is None or value < most))
    return 1.0
