"""Removes the reports of former candidates, which `dvc plots` would keep drawing."""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from training.project import Project

PLOTS = ("learning", "by_k", "popularity")


def remove_former(project: Project, candidates: Collection[str]) -> None:
    """Remove the reports of all but these candidates; DVC's cache has them should one come back."""
    reports: list[Callable[[str], Path]] = [project.training, project.evaluation, project.metrics, project.users]
    reports += [partial(project.plot, kind) for kind in PLOTS]
    for report in reports:
        for file in report("any").parent.glob("*.*"):
            if file.stem not in candidates:
                file.unlink()
