"""The plots that set all candidates side by side; each has one colour and one marker throughout."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes

from training.report.canvas import make_axes, png
from training.report.comparison import Candidate, Comparison

# Okabe and Ito's colours, which colour-blind people can tell apart; the markers carry on where they begin again.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<")

Style: TypeAlias = dict[str, Any]


def ndcg_by_k(comparison: Comparison) -> bytes:
    """NDCG at every k, with its interval."""
    axes = make_axes("NDCG by k, on test", "k", "NDCG@k, mean over users")
    for candidate, style in _styled(comparison):
        _by_k(axes, comparison, "ndcg", candidate.evaluation, candidate.name, style)
    return png(axes)


def cold_recall(comparison: Comparison) -> bytes:
    """Recall at every k among the cold films, and what chance would give."""
    axes = make_axes("Recall on cold films", "k", "recall@k among cold films")
    for candidate, style in _styled(comparison):
        _by_k(axes, comparison, "recall", candidate.cold, candidate.name, style)
    at, chance = sorted(comparison.params.evaluate.at), comparison.candidates[0].cold["chance"]
    axes.plot(at, [chance[f"recall@{k}"] for k in at], linestyle="--", color="grey", label="chance")
    return png(axes)


def by_activity(comparison: Comparison) -> bytes:
    """`select.metric` in each segment of users, a bar for each candidate."""
    metric, segments = comparison.params.select.metric, comparison.activity
    axes = make_axes("By what is known of a user", "known ratings", f"{metric}, mean over users")
    width = 0.8 / len(comparison.candidates)
    for place, (candidate, style) in enumerate(_styled(comparison)):
        intervals = [segment.metric[candidate.name] for segment in segments]
        means = np.array([interval.mean for interval in intervals])
        errors = [[i.mean - i.low for i in intervals], [i.high - i.mean for i in intervals]]
        x = np.arange(len(segments)) - 0.4 + width * (place + 0.5)
        axes.bar(
            x, means, width * 0.9, yerr=errors, color=style["color"], label=candidate.name,
            error_kw={"elinewidth": 1, "ecolor": "#333333"},
        )  # fmt: skip
    axes.set_xticks(range(len(segments)), [f"{segment.name}\n{segment.users} users" for segment in segments])
    return png(axes)


def accuracy_against(comparison: Comparison, metric: str, label: str) -> bytes:
    """`select.metric` against a metric of the whole catalogue, a labelled point for each candidate."""
    ours = comparison.params.select.metric
    axes = make_axes(f"Accuracy against {label}", f"{metric}@{comparison.k}", ours)
    points = [
        (candidate.evaluation["catalogue"][f"{metric}@{comparison.k}"], candidate.evaluation["metrics"][ours])
        for candidate in comparison.candidates
    ]
    for (candidate, style), (x, y) in zip(_styled(comparison), points, strict=True):
        # Above and below in turn, from left to right, so that neighbours' names don't cover each other.
        above = sorted(points).index((x, y)) % 2 == 0
        axes.plot(x, y, linestyle="", markersize=9, **style)
        axes.annotate(
            candidate.name, (x, y), xytext=(0, 8 if above else -17), textcoords="offset points", ha="center", fontsize=9
        )
    axes.margins(0.15)
    return png(axes)


def learning_curves(comparison: Comparison) -> bytes:
    """The validation metric after each epoch; who has no epochs is a level line."""
    axes = make_axes("Learning curves", "epoch", f"{comparison.params.select.metric} on validation")
    for candidate, style in _styled(comparison):
        curve = candidate.learning_curve
        if len(curve) == 1:
            axes.axhline(curve[0], linestyle="--", color=style["color"], label=f"{candidate.name} (no epochs)")
        else:
            axes.plot(range(1, len(curve) + 1), curve, color=style["color"], label=candidate.name)
            axes.plot(int(np.argmax(curve)) + 1, max(curve), linestyle="", **style)
    return png(axes)


def _styled(comparison: Comparison) -> Sequence[tuple[Candidate, Style]]:
    return [
        (candidate, {"color": COLOURS[place % len(COLOURS)], "marker": MARKERS[place % len(MARKERS)]})
        for place, candidate in enumerate(comparison.candidates)
    ]


def _by_k(
    axes: Axes, comparison: Comparison, metric: str, results: Mapping[str, Any], label: str, style: Style
) -> None:
    at = comparison.params.evaluate.at
    names = [f"{metric}@{k}" for k in sorted(at)]
    low, high = np.transpose([results["confidence_95"][name] for name in names])
    axes.plot(sorted(at), [results["metrics"][name] for name in names], label=label, **style)
    axes.fill_between(sorted(at), low, high, color=style["color"], alpha=0.12, linewidth=0)
