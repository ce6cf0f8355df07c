"""Gives all plots the same look and renders them as PNG."""

from io import BytesIO

from matplotlib.axes import Axes
from matplotlib.figure import Figure

DOTS_PER_INCH = 120


def make_axes(title: str, x: str, y: str) -> Axes:
    """Make empty axes on a figure of their own."""
    axes: Axes = Figure(figsize=(8, 4.5), layout="constrained").add_subplot()
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def png(axes: Axes) -> bytes:
    """Draw the picture, with a legend beside it if anything has a label."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101 - made with one
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside right upper", frameon=False)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=DOTS_PER_INCH)
    return content.getvalue()
