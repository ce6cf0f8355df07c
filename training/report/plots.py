"""The plots that compare all candidates; each candidate has one colour and one marker throughout."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from training.report.canvas import make_axes, png
from training.report.comparison import Candidate, Comparison

# Okabe and Ito's colours, which colour-blind people can tell apart; the markers carry on where they begin again.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<")

Style: TypeAlias = dict[str, Any]
Values: TypeAlias = npt.NDArray[np.float64]


def ndcg_by_k(comparison: Comparison) -> bytes:
    """Draw NDCG at every k, with its interval."""
    axes = make_axes("NDCG by k, on test", "k", "NDCG@k, mean over users")
    for candidate, style in _styled(comparison):
        _by_k(axes, comparison, "ndcg", candidate.evaluation, candidate.name, style)
    return png(axes)


def cold_recall(comparison: Comparison) -> bytes:
    """Draw recall at every k among the cold films, beside that of chance."""
    axes = make_axes("Recall on cold films", "k", "recall@k among cold films")
    for candidate, style in _styled(comparison):
        _by_k(axes, comparison, "recall", candidate.cold, candidate.name, style)
    at, chance = sorted(comparison.params.evaluate.at), comparison.candidates[0].cold["chance"]
    axes.plot(at, [chance[f"recall@{k}"] for k in at], linestyle="--", color="grey", label="chance")
    return png(axes)


def by_activity(comparison: Comparison) -> bytes:
    """Draw `select.metric` in each segment of users, a bar for each candidate."""
    metric, segments = comparison.params.select.metric, comparison.activity
    axes = make_axes("By what is known of a user", "known ratings", f"{metric}, mean over users")
    width = 0.8 / len(comparison.candidates)
    for place, (candidate, style) in enumerate(_styled(comparison)):
        intervals = [segment.metric[candidate.name] for segment in segments]
        means, low, high = np.transpose([(interval.mean, interval.low, interval.high) for interval in intervals])
        x = np.arange(len(segments)) - 0.4 + width * (place + 0.5)
        axes.bar(
            x, means, width * 0.9, yerr=_errors(means, low, high), color=style["color"], label=candidate.name,
            error_kw={"elinewidth": 1, "ecolor": "#333333"},
        )  # fmt: skip
    axes.set_xticks(range(len(segments)), [f"{segment.name}\n{segment.users} users" for segment in segments])
    return png(axes)


def accuracy_against(comparison: Comparison, metric: str, label: str) -> bytes:
    """Draw `select.metric` against a beyond-accuracy metric, a point for each candidate."""
    ours = comparison.params.select.metric
    axes = make_axes(f"Accuracy against {label}", f"{metric}@{comparison.k}", ours)
    for candidate, style in _styled(comparison):
        x = candidate.evaluation["catalogue"][f"{metric}@{comparison.k}"]
        # Named in the legend: names beside the points cover each other where candidates are alike.
        axes.plot(x, candidate.evaluation["metrics"][ours], linestyle="", markersize=9, label=candidate.name, **style)
    axes.margins(0.1)
    return png(axes)


def learning_curves(comparison: Comparison) -> bytes:
    """Draw the validation metric after each epoch; a candidate without epochs is a level line."""
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


def _errors(means: Values, low: Values, high: Values) -> Values:
    """The lengths of an interval below and above its mean, 0 where rounding leaves the mean just outside."""
    lengths: Values = np.maximum([means - low, high - means], 0)
    return lengths


def _by_k(
    axes: Axes, comparison: Comparison, metric: str, results: Mapping[str, Any], label: str, style: Style
) -> None:
    at = sorted(comparison.params.evaluate.at)
    names = [f"{metric}@{k}" for k in at]
    means = np.array([results["metrics"][name] for name in names])
    low, high = np.transpose([results["confidence_95"][name] for name in names])
    if len(at) > 1:
        axes.fill_between(at, low, high, color=style["color"], alpha=0.12, linewidth=0)
        axes.plot(at, means, label=label, **style)
    else:
        axes.errorbar(at, means, yerr=_errors(means, low, high), label=label, **style)
    axes.set_xticks(at)
