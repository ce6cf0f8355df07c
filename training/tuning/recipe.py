"""The `recipe` command: writes a proven choice of families and parameters into params.yaml."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from training.data.dataset import ITEM, POSITIVE
from training.errors import ParamsError
from training.files import read_json, read_parquet
from training.fitting.validation import LEARNED_FROM
from training.project import Project
from training.tuning.params_file import read_changes, write_params

COVERED = 0.9  # share of the positives, from which on EASE's items are enough
MANY_COLD = 0.25  # share of items that nobody has rated, from which on recommending them matters most

BYTES_PER_NUMBER, COPIES = 4, 4  # vectors, their copy in the fit, those of the best epoch and the artifact's

AUTO, LARGE = "auto", "large"


def apply_recipe(project: Project, name: str, size: int | None = None) -> str:
    """Write a recipe into params.yaml and say what was done; `auto` only proposes one, `large` is dense or sparse.

    `size` is the number of numbers per item, instead of the recipe's own. Raises ParamsError for an unknown name and
    for a size that does not fit into memory, DataError where the data's figures are needed and missing.
    """
    if name == AUTO:
        proposed, reason = propose(project)
        return f"recipe: {proposed}, as {reason}; write it into params.yaml: python -m training recipe {proposed}"
    reason = cost = ""
    if name == LARGE:
        name, reason = dense_or_sparse(project, _figures(project))
    known = recipes(project)
    if name not in known:
        raise ParamsError(f"{name!r} is not a recipe; known are {', '.join([*known, LARGE, AUTO])}")
    changes = read_changes(project.recipe(name))
    if size is not None:
        cost = _resize(changes, size, _figures(project))
    params = write_params(project.params, changes)
    because = f", as {reason}" if reason else ""
    return f"recipe: {name} is in params.yaml{because}; candidates {', '.join(params.candidates)}{cost}; run: dvc repro"


def recipes(project: Project) -> list[str]:
    """List the names of the recipes."""
    return sorted(path.stem for path in project.recipe("").parent.glob("*.yaml"))


def propose(project: Project) -> tuple[str, str]:
    """Choose a recipe by the prepared data, and say why."""
    figures = _figures(project)
    cold = figures["items_without_ratings"] / figures["items"]
    if cold > MANY_COLD:
        return "cold", f"{cold:.0%} of the items have no rating"
    return dense_or_sparse(project, figures)


def dense_or_sparse(project: Project, figures: Mapping[str, Any]) -> tuple[str, str]:
    """Choose by what share of the positives is of items that EASE holds in the recipe `dense`, and say why."""
    most = read_changes(project.recipe("dense"))["models"]["ease"]["max_items"]
    share = 1.0 if figures["items"] <= most else covered(project, most)
    reason = f"the {min(most, figures['items']):,} items that EASE can hold have {share:.0%} of the positives"
    return ("dense", reason) if share >= COVERED else ("sparse", reason)


def covered(project: Project, n_items: int) -> float:
    """Compute the share of the positives that the `n_items` items with most of them have, from 0 to 1.

    Of train and validation alone: no choice sees the test.
    """
    remedy = "run: dvc repro --force prepare"
    splits = (read_parquet(project.prepared / f"{name}.parquet", remedy, [ITEM, POSITIVE]) for name in LEARNED_FROM)
    counts = np.bincount(np.concatenate([split[ITEM][split[POSITIVE]].to_numpy() for split in splits]))
    return float(np.sort(counts)[::-1][:n_items].sum() / counts.sum())


def _resize(changes: dict[str, Any], size: int, figures: Mapping[str, Any]) -> str:
    """Give the first candidate another size, and say what that costs."""
    family = changes["candidates"][0]
    section = changes["models"][family]
    if "embedding_size" not in section:
        raise ParamsError(
            f"--size {size}: the recipe has no embedding_size of {family}, its first candidate; leave --size out"
        )
    former, section["embedding_size"] = section["embedding_size"], size
    vectors = BYTES_PER_NUMBER * size * (figures["users"] + figures["items"])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if COPIES * vectors > memory:
        raise ParamsError(
            f"--size {size}: a fit needs {COPIES * vectors / 1e9:.1f} GB, and this machine has {memory / 1e9:.1f}; "
            f"take at most {memory // (COPIES * vectors // size)}"
        )
    return (
        f"; {size} numbers per item: {vectors / 1e6:,.0f} MB of vectors in the artifact, "
        f"and {size / former:.2g} × the time of {former} for a list that is not ready"
    )


def _figures(project: Project) -> dict[str, Any]:
    return read_json(project.stats, "run: dvc repro prepare")
