"""The model families by name; a family's module, and the library under it, is imported when it is chosen.

To add one: a file beside this one with a class that fits `base.Family`, a line here, its parameters
in params.yaml.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from training.errors import ParamsError, TrainingError
from training.models.base import Family
from training.params import validated

FAMILIES = {
    "lightfm": "training.models.lightfm:LightFM",
    "implicit_als": "training.models.implicit_als:ImplicitALS",
    "implicit_bpr": "training.models.implicit_bpr:ImplicitBPR",
    "ease": "training.models.ease:EASE",
    "sklearn_svd": "training.models.sklearn_svd:SklearnSVD",
    "sklearn_nmf": "training.models.sklearn_nmf:SklearnNMF",
    "surprise_svd": "training.models.surprise_svd:SurpriseSVD",
    "blend": "training.models.blend:Blend",
    "popularity": "training.models.popularity:Popularity",
}


def make_family(name: str, params: Mapping[str, Any]) -> Family:
    """The family of that name with its parameters.

    Raises ParamsError for an unknown name or parameter, TrainingError where its library can't be imported.
    """
    if name not in FAMILIES:
        raise ParamsError(f"params.yaml: {name!r} is not a model family; known are {', '.join(FAMILIES)}")
    module_name, class_name = FAMILIES[name].split(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise TrainingError(f"the library of the model family {name!r} can't be imported: {error}") from error
    family: Family = validated(getattr(module, class_name), dict(params), f"params.yaml: models.{name}")
    return family
