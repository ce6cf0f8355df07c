"""The model families, each a file that turns interactions into embeddings; `make_family` makes one by its name.

To add a family: a file here with a class that fits `base.Family`, a line in families.py, its parameters in
params.yaml. Its module, and the library under it, is imported only when the family is chosen.
"""

import importlib
from collections.abc import Mapping
from typing import Any

from training.errors import ParamsError, TrainingError
from training.models.base import Family
from training.models.families import FAMILIES
from training.params.section import validated


def make_family(name: str, params: Mapping[str, Any], where: str | None = None) -> Family:
    """Make the family of this name with its parameters; `where` they stand, for errors, is params.yaml by default.

    Raises ParamsError for an unknown name or parameter, TrainingError where its library can't be imported.
    """
    module_name, class_name = place_of(name)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise TrainingError(f"the library of the model family {name!r} can't be imported: {error}") from error
    family: Family = validated(getattr(module, class_name), dict(params), where or f"params.yaml: models.{name}")
    return family


def place_of(name: str) -> tuple[str, str]:
    """Return the module and the class of a family; raise ParamsError for an unknown name."""
    if name not in FAMILIES:
        raise ParamsError(f"params.yaml: {name!r} is not a model family; known are {', '.join(FAMILIES)}")
    module_name, class_name = FAMILIES[name].split(":")
    return module_name, class_name
