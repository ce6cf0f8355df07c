"""Writing found parameters into params.yaml, where comments, order and everything else stay as they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from training.errors import ParamsError
from training.files import replacing
from training.params import load_params


class _Representer(RoundTripRepresenter):
    """Writes null, where the library's own would leave the place empty."""

    def represent_none(self, data: None) -> ScalarNode:
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:null", "null")
        return node


_Representer.add_representer(type(None), _Representer.represent_none)


def write_params(path: Path, family: str, found: Mapping[str, Any]) -> None:
    """Change parameters of `models.<family>`; raises ParamsError, with the file as it was, where that can't be done."""
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = 1000  # no line is broken
    content = yaml.load(path)
    content["models"][family].update(found)
    with replacing(path) as partial:
        yaml.dump(content, partial)
        if load_params(partial).models[family] != load_params(path).models[family] | dict(found):
            raise ParamsError(f"{path}: models.{family} can't be changed by a program; write {dict(found)} by hand")
