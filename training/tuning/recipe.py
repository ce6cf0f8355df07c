"""The `recipe` command: writes a proven choice of families and parameters into params.yaml."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.data.dataset import ITEM, POSITIVE
from training.errors import ParamsError
from training.files import read_json, read_parquet
from training.fitting.validation import LEARNED_FROM
from training.project import Project
from training.tuning.params_file import read_changes, write_params

FEW = 200_000  # positives, below which data is small
COVERED = 0.9  # share of positives that EASE's items must have, or it is of no use
MANY_COLD = 0.25  # share of items that nobody has rated, from which on recommending them matters most

PREPARE = "run: dvc repro prepare"
AUTO, LARGE = "auto", "large"


def apply_recipe(project: Project, name: str) -> str:
    """Write a recipe into params.yaml and say what was done; `auto` only proposes one, `large` is dense or sparse.

    Raises ParamsError for an unknown name, DataError where the data's figures are needed and missing.
    """
    if name == AUTO:
        proposed, reason = propose(project, _figures(project))
        return f"recipe: {proposed}, as {reason}; write it into params.yaml: python -m training recipe {proposed}"
    reason = ""
    if name == LARGE:
        name, reason = dense_or_sparse(project, _figures(project))
    known = recipes(project)
    if name not in known:
        raise ParamsError(f"{name!r} is not a recipe; known are {', '.join([*known, LARGE, AUTO])}")
    params = write_params(project.params, read_changes(project.recipe(name)))
    because = f", as {reason}" if reason else ""
    return f"recipe: {name} is in params.yaml{because}; candidates {', '.join(params.candidates)}; run: dvc repro"


def recipes(project: Project) -> list[str]:
    """List the names of the recipes."""
    return sorted(path.stem for path in project.recipe("").parent.glob("*.yaml"))


def propose(project: Project, figures: Mapping[str, Any]) -> tuple[str, str]:
    """Choose a recipe by the figures of the prepared data, and say why."""
    cold = figures["items_without_ratings"] / figures["items"]
    if cold > MANY_COLD:
        return "cold", f"{cold:.0%} of the items have no rating"
    if (positives := _positives(figures)) < FEW:
        return "small", f"{positives:,} positives are few"
    return dense_or_sparse(project, figures)


def dense_or_sparse(project: Project, figures: Mapping[str, Any]) -> tuple[str, str]:
    """Choose between the recipes for large data, `dense` where EASE holds the items of most positives; say why."""
    most = read_changes(project.recipe("dense"))["models"]["ease"]["max_items"]
    rated = figures["items"] - figures["items_without_ratings"]
    share = 1.0 if rated <= most else _covered(project, most)
    reason = f"EASE's {most:,} items have {share:.1%} of all positives"
    return ("dense", reason) if share >= COVERED else ("sparse", reason)


def _covered(project: Project, most: int) -> float:
    """The share of positives before the test that are of the items with most of them."""
    frames = [read_parquet(project.prepared / f"{split}.parquet", PREPARE, [ITEM, POSITIVE]) for split in LEARNED_FROM]
    counts = np.sort(np.bincount(np.concatenate([frame[ITEM][frame[POSITIVE]] for frame in frames])))
    return float(counts[-most:].sum() / counts.sum())


def _positives(figures: Mapping[str, Any]) -> int:
    return int(sum(figures["positives"].values()))


def _figures(project: Project) -> dict[str, Any]:
    return read_json(project.stats, PREPARE)
