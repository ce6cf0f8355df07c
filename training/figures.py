"""The plots of a candidate as pictures, for MLflow; `dvc plots` draws the same points."""

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.project import Project

NAMES = ("learning", "by_k", "popularity")


def write_figures(project: Project, candidate: str, metric: str, folder: Path) -> None:
    """Draw learning curve, metrics by k, and recommendations by popularity into `folder` as PNG."""
    points = {name: pd.read_csv(project.plot(name, candidate)) for name in NAMES}
    best = points["learning"]["value"].to_numpy().argmax()
    axes = _axes(f"{candidate}: learning curve", "epoch", f"{metric} on validation")
    axes.plot(points["learning"]["epoch"], points["learning"]["value"], marker=".")
    axes.axvline(points["learning"]["epoch"].iloc[best], linestyle=":", color="grey", label="best")
    _save(axes, folder / "learning.png")

    axes = _axes(f"{candidate}: metrics by k, on test", "k", "mean over users")
    for name in points["by_k"].columns.drop("k"):
        axes.plot(points["by_k"]["k"], points["by_k"][name], marker=".", label=name)
    _save(axes, folder / "by_k.png")

    axes = _axes(f"{candidate}: what is recommended", "tenth of the catalogue, most popular first", "share")
    tenths, width = points["popularity"]["tenth"], 0.4
    axes.bar(tenths - width / 2, points["popularity"]["interactions"], width, label="of training interactions")
    axes.bar(tenths + width / 2, points["popularity"]["recommendations"], width, label="of recommendations")
    axes.set_xticks(tenths)
    _save(axes, folder / "popularity.png")


def _axes(title: str, x: str, y: str) -> Axes:
    axes: Axes = Figure(figsize=(7, 4.5), layout="constrained").add_subplot()
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    return axes


def _save(axes: Axes, path: Path) -> None:
    axes.legend()
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101 - made with one
    figure.savefig(path, dpi=120)
