"""Writes better parameters into params.yaml; comments, order and everything else stay as they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from training.errors import ParamsError
from training.files import replacing
from training.params.whole import load_params


class _Representer(RoundTripRepresenter):
    """Writes `null`, where the library writes nothing."""

    def represent_none(self, data: None) -> ScalarNode:
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:null", "null")
        return node


_Representer.add_representer(type(None), _Representer.represent_none)


def write_params(path: Path, family: str, better: Mapping[str, Any]) -> None:
    """Change parameters of `models.<family>`, and of every blend member with the same ones.

    Raises ParamsError, with the file as it was, where that can't be done.
    """
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = 1000  # no line is broken
    content = yaml.load(path)
    before, wanted = (load_params(path).models for _ in range(2))
    for models in (content["models"], wanted):
        for section in _same(models, family, before[family]):
            section.update(better)
    with replacing(path) as partial:
        yaml.dump(content, partial)
        if load_params(partial).models != wanted:
            raise ParamsError(f"{path}: models.{family} can't be changed by a program; write {dict(better)} by hand")


def _same(models: Mapping[str, Any], family: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The family's section, and the members of that family in others that have its parameters."""
    members = (section.get("members", {}).get(family) for section in models.values())
    return [models[family], *(member for member in members if member == params)]
