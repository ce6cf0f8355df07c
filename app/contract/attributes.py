"""Turns what a request says about a person into the model's features of people."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array
from app.contract.columns import Column, as_time
from app.contract.item_document import DocumentError, check_value
from app.contract.item_features import features_of

MAX_QUOTED = 80


def person_vector(artifact: Artifact, attributes: Mapping[str, Any]) -> Float32Array:
    """The vector, float32 (dim,), of somebody with these attributes; all zero where they say nothing.

    Raises DocumentError for an attribute that the model doesn't know, and for a value of another type.
    """
    values = _checked(attributes, artifact.user_columns, artifact.user_features)
    features = features_of(values, artifact.user_features, 1)[0]
    if artifact.user_encoder is None or not features[:-1].any():
        return np.zeros(artifact.item_embeddings.shape[1], dtype=np.float32)
    vector: Float32Array = features @ artifact.user_encoder
    return vector


def _checked(
    attributes: Mapping[str, Any], columns: Sequence[Column], features: Sequence[Mapping[str, Any]]
) -> dict[str, list[Any]]:
    """The checked values of one person, in the form that features take."""
    by_name = {column.name: column for column in columns}
    for name, value in attributes.items():
        if name not in by_name:
            known = f"known are {', '.join(by_name)}" if by_name else "the model knows none"
            raise DocumentError(name[:MAX_QUOTED], f"is no attribute; {known}")
        if value is not None:
            n_components = sum(each["column"] == name and "component" in each for each in features)
            check_value(by_name[name].type, name, value, n_components)
    return {
        name: [as_time(value) if by_name[name].type == "time" and value is not None else value]
        for name, value in attributes.items()
    }
