"""What the columns of an item, or the attributes of a person, are as the features of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Feature
from app.contract.artifact_format import Float32Array

Values = Sequence[Any]


def features_of(values: Mapping[str, Values], features: Sequence[Feature], n_items: int) -> Float32Array:
    """The features, float32 (n_items, n_features + 1), of items with these values by column; the last is the constant.

    docs/decisions/0014-format-3.md lists the kinds. Values are as `Column.learned` gives them.
    """
    made = np.zeros((n_items, len(features) + 1), dtype=np.float32)
    made[:, -1] = 1
    numbers: dict[str, list[int]] = {}
    for number, feature in enumerate(features):
        numbers.setdefault(feature["column"], []).append(number)
    for name, own in numbers.items():
        if name in values:
            _fill(made, values[name], {number: features[number] for number in own})
    return made


def _fill(made: Float32Array, values: Values, features: Mapping[int, Feature]) -> None:
    known = {each["value"]: number for number, each in features.items() if "value" in each}
    if known:
        for row, value in enumerate(values):
            for tag in value if isinstance(value, list) else (value,):
                if tag in known:
                    made[row, known[tag]] = 1
    ranges = [number for number, each in features.items() if "from" in each or "to" in each]
    if ranges:
        found = np.array([np.nan if value is None else value for value in values], dtype=np.float64)[:, None]
        made[:, ranges] = (_limits(features, ranges, "from", -np.inf) <= found) & (
            found < _limits(features, ranges, "to", np.inf)
        )
    for number, component, scale in (
        (n, each["component"], each["scale"]) for n, each in features.items() if "component" in each
    ):
        made[:, number] = [value[component] * scale if isinstance(value, list) else 0 for value in values]
    for number in (number for number, each in features.items() if each.keys() == {"column"}):
        made[:, number] = [value is not None and value != [] for value in values]


def _limits(
    features: Mapping[int, Feature], numbers: Sequence[int], key: str, without: float
) -> npt.NDArray[np.float64]:
    limits = [features[number].get(key) for number in numbers]
    return np.array([without if limit is None else limit for limit in limits])
