"""Runs the stages with the engine that params.yaml names: one module for each, with the same functions.

What a stage does is in `training` and in `training.spark`.
"""

from importlib import import_module
from types import ModuleType

ENGINES = {"embedded": "training.engines.embedded", "spark": "training.engines.spark"}


def engine(name: str) -> ModuleType:
    """The module of an engine, which imports a stage and its libraries only when it runs it."""
    return import_module(ENGINES[name])
