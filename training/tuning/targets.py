"""The families that `tune recipe` tunes, each for the candidate that it is a part of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.errors import ParamsError
from training.models import make_family
from training.models.search import search_space
from training.params.whole import Params
from training.tuning.params_file import read_changes, write_params

RECIPE = "recipe"  # stands for a family in `tune`

Section = dict[str, Any]


def targets_of_recipe(params: Params) -> dict[str, str]:
    """Find the families that have parameters to search, each with the candidate that it's tuned for.

    A blend's members are tuned for the blend. Raises ParamsError where there is none.
    """
    sections = {name: params.models.get(name, {}) for name in params.candidates}
    targets = {name: name for name, section in sections.items() if "members" not in section}
    targets |= {member: name for name, section in sections.items() for member in section.get("members", {})}
    found = {family: name for family, name in targets.items() if _has_ranges(family, params.models.get(family, {}))}
    if not found:
        raise ParamsError(f"candidates {', '.join(params.candidates)} have no parameter to search")
    return found


def _has_ranges(name: str, section: Section) -> bool:
    family = make_family(name, section)
    return bool(search_space(family, family.model_dump(mode="json")))


def with_better(params: Params, family: str, better: Mapping[str, Any]) -> Params:
    """Change a family's parameters, and those of the members that are of this family."""

    def changed(name: str, section: Section) -> Section:
        if name == family:
            return {**section, **better}
        members = section.get("members", {})
        own = {family: {**members[family], **better}} if family in members else {}
        return {**section, "members": {**members, **own}} if own else section

    return params.model_copy(update={"models": {name: changed(name, each) for name, each in params.models.items()}})


def write_better(path: Path, family: str, candidate: str, better: Mapping[str, Any]) -> None:
    """Write better parameters into params.yaml: into the family's section, and into what a member has of its own.

    Raises ParamsError, with the file as it was, where that can't be done.
    """
    section = read_changes(path)["models"].get(candidate, {})
    own = section.get("members", {}).get(family, {})
    changes = {family: {key: value for key, value in better.items() if key not in own}}
    if len(changes[family]) < len(better):
        own.update({key: value for key, value in better.items() if key in own})
        changes[candidate] = {"members": section["members"]}
    write_params(path, {"models": changes})
