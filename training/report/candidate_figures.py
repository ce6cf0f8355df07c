"""Draws the plots of one candidate for its run in MLflow; `dvc plots` draws the same points."""

from pathlib import Path

import pandas as pd

from training.project import Project
from training.report.canvas import make_axes, png

NAMES = ("learning", "by_k", "popularity")


def write_candidate_figures(project: Project, candidate: str, metric: str, folder: Path) -> None:
    """Draw learning curve, metrics by k, and recommendations by popularity into `folder` as PNG."""
    points = {name: pd.read_csv(project.plot(name, candidate)) for name in NAMES}
    best = points["learning"]["value"].to_numpy().argmax()
    axes = make_axes(f"{candidate}: learning curve", "epoch", f"{metric} on validation")
    axes.plot(points["learning"]["epoch"], points["learning"]["value"], marker=".")
    axes.axvline(points["learning"]["epoch"].iloc[best], linestyle=":", color="grey", label="best")
    (folder / "learning.png").write_bytes(png(axes))

    axes = make_axes(f"{candidate}: metrics by k, on test", "k", "mean over users")
    for name in points["by_k"].columns.drop("k"):
        axes.plot(points["by_k"]["k"], points["by_k"][name], marker=".", label=name)
    (folder / "by_k.png").write_bytes(png(axes))

    axes = make_axes(f"{candidate}: what is recommended", "tenth of the catalogue, most popular first", "share")
    tenths, width = points["popularity"]["tenth"], 0.4
    axes.bar(tenths - width / 2, points["popularity"]["interactions"], width, label="of training interactions")
    axes.bar(tenths + width / 2, points["popularity"]["recommendations"], width, label="of recommendations")
    axes.set_xticks(tenths)
    (folder / "popularity.png").write_bytes(png(axes))
