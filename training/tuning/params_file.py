"""Merges changes into params.yaml; comments, order and everything else stay as they are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import RoundTripRepresenter

from training.check import check_families
from training.errors import ParamsError
from training.files import replacing
from training.params.whole import Params, load_params


class _Representer(RoundTripRepresenter):
    """Writes `null`, where the library writes nothing."""

    def represent_none(self, data: None) -> ScalarNode:
        node: ScalarNode = self.represent_scalar("tag:yaml.org,2002:null", "null")
        return node


_Representer.add_representer(type(None), _Representer.represent_none)


def write_params(path: Path, changes: Mapping[str, Any]) -> Params:
    """Merge `changes` into params.yaml and return the result.

    A parameter is replaced by the one of the same section, and of the same family in `models`; others stay. A blend's
    member has its family's new parameters, unless it says otherwise. Raises ParamsError, with the file as it was, where
    that can't be done.
    """
    yaml = _round_trip()
    content, wanted = yaml.load(path), YAML(typ="safe", pure=True).load(path)
    for whole in (content, wanted):
        _merge(whole, changes)
    with replacing(path) as partial:
        yaml.dump(content, partial)
        if not _holds(partial, wanted):
            raise ParamsError(f"{path} can't be changed by a program; write {dict(changes)} by hand")
        params = load_params(partial)
        check_families(params, changes.get("models", {}))
    return params


def read_changes(path: Path) -> dict[str, Any]:
    """Read a file of changes such as a recipe, in the layout in which it stands there.

    Raises ParamsError where it can't be read.
    """
    try:
        content: dict[str, Any] = _round_trip().load(path)
    except (OSError, YAMLError, ValueError) as error:
        raise ParamsError(f"{path} can't be read: {' '.join(str(error).split())[:300]}") from error
    return content


def _holds(path: Path, wanted: object) -> bool:
    try:
        return bool(YAML(typ="safe", pure=True).load(path) == wanted)
    except YAMLError:
        return False


def _round_trip() -> YAML:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.preserve_quotes = True
    yaml.width = 1000  # no line is broken
    return yaml


def _merge(content: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for name, change in changes.items():
        if name == "models":
            _merge_sections(content["models"], change)
        elif isinstance(change, Mapping):
            _merge_sections(content, {name: change})
        elif isinstance(change, list) and isinstance(content.get(name), list):
            content[name][:] = change  # the list keeps its layout, on which its comment depends
        else:
            content[name] = change


def _merge_sections(content: dict[str, Any], changes: Mapping[str, Mapping[str, Any]]) -> None:
    for name, change in changes.items():
        content.setdefault(name, {}).update(change)
