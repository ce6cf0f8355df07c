"""The `recipe` command: writes a proven choice of families and parameters into params.yaml."""

from collections.abc import Mapping
from typing import Any

from training.errors import ParamsError
from training.files import read_json
from training.project import Project
from training.tuning.params_file import read_changes, write_params

FEW = 200_000  # positives, below which data is small
DENSE = 100  # positives per liked item, from which on data is dense
MANY_COLD = 0.25  # share of items that nobody has rated, from which on recommending them matters most

AUTO, LARGE = "auto", "large"


def apply_recipe(project: Project, name: str) -> str:
    """Write a recipe into params.yaml and say what was done; `auto` only proposes one, `large` is dense or sparse.

    Raises ParamsError for an unknown name, DataError where the data's figures are needed and missing.
    """
    if name == AUTO:
        proposed, reason = propose(_figures(project))
        return f"recipe: {proposed}, as {reason}; write it into params.yaml: python -m training recipe {proposed}"
    reason = ""
    if name == LARGE:
        name, reason = dense_or_sparse(_figures(project))
    known = recipes(project)
    if name not in known:
        raise ParamsError(f"{name!r} is not a recipe; known are {', '.join([*known, LARGE, AUTO])}")
    params = write_params(project.params, read_changes(project.recipe(name)))
    because = f", as {reason}" if reason else ""
    return f"recipe: {name} is in params.yaml{because}; candidates {', '.join(params.candidates)}; run: dvc repro"


def recipes(project: Project) -> list[str]:
    """List the names of the recipes."""
    return sorted(path.stem for path in project.recipe("").parent.glob("*.yaml"))


def propose(figures: Mapping[str, Any]) -> tuple[str, str]:
    """Choose a recipe by the figures of the prepared data, and say why."""
    cold = figures["items_without_ratings"] / figures["items"]
    if cold > MANY_COLD:
        return "cold", f"{cold:.0%} of the items have no rating"
    if (positives := _positives(figures)) < FEW:
        return "small", f"{positives:,} positives are few"
    return dense_or_sparse(figures)


def dense_or_sparse(figures: Mapping[str, Any]) -> tuple[str, str]:
    """Choose between the recipes for large data, and say why."""
    mean = _positives(figures) / (figures["items"] - figures["items_without_ratings"])
    reason = f"a rated item has {mean:.0f} positives in the mean"
    return ("dense", reason) if mean >= DENSE else ("sparse", reason)


def _positives(figures: Mapping[str, Any]) -> int:
    return int(sum(figures["positives"].values()))


def _figures(project: Project) -> dict[str, Any]:
    return read_json(project.stats, "run: dvc repro prepare")
