"""What the plots show: the points that are drawn, read from Matplotlib's axes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tests.training.report.made import candidate, comparison
from training.report import plots
from training.report.comparison import Comparison
from training.report.plots import Values

TWO = comparison(candidate("ease", 0.5, [0.2, 0.4, 0.3]), candidate("popularity", 0.3, [0.25]))


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Axes]:
    """Calls a plot, and returns its axes."""
    drawn: list[Axes] = []

    def keep(axes: Axes) -> bytes:
        drawn.append(axes)
        return b""

    def call(plot: Callable[..., bytes], *arguments: Any) -> Axes:
        plot(*arguments)
        return drawn.pop()

    monkeypatch.setattr(plots, "png", keep)
    return call


def points(line: Line2D) -> list[tuple[float, float]]:
    x, y = (np.asarray(values, dtype=float) for values in line.get_data())
    return list(zip(x.tolist(), y.round(6).tolist(), strict=True))


def spans(axes: Axes) -> Values:
    """The points of the first band or bar of an interval: float64 (n, 2)."""
    return np.asarray(axes.collections[0].get_paths()[0].vertices, dtype=float)


@pytest.mark.parametrize(("plot", "more"), [(plots.ndcg_by_k, 0), (plots.cold_recall, 1)])
def test_a_metric_is_drawn_at_each_k_with_its_band(
    plot: Callable[[Comparison], bytes], more: int, draw: Callable[..., Axes]
) -> None:
    axes = draw(plot, TWO)
    assert [line.get_label() for line in axes.lines] == ["ease", "popularity", "chance"][: 2 + more]
    assert [points(line) for line in axes.lines[:2]] == [[(5, 0.4), (10, 0.5)], [(5, 0.2), (10, 0.3)]]
    band = spans(axes)[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.35, 0.55))
    assert list(axes.get_xticks()) == [5, 10]
    if more:
        assert points(axes.lines[2]) == [(5, 0.05), (10, 0.1)]


def test_at_a_single_k_the_interval_is_a_bar(draw: Callable[..., Axes]) -> None:
    single = TWO.params.evaluate.model_copy(update={"at": (10,)})
    one = comparison(*TWO.candidates, params=TWO.params.model_copy(update={"evaluate": single}))
    axes = draw(plots.ndcg_by_k, one)
    assert spans(axes).ravel().tolist() == pytest.approx([10, 0.45, 10, 0.55])


def test_each_candidate_has_a_bar_in_each_segment_side_by_side(draw: Callable[..., Axes]) -> None:
    axes = draw(plots.by_activity, TWO)
    bars = [container for container in axes.containers if container.get_label() in ("ease", "popularity")]
    assert [[round(bar.get_height(), 6) for bar in each] for each in bars] == [[0.4, 0.3], [0.3, 0.3]]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in (*bars[0], *bars[1])]
    assert all(before[1] <= after[0] for before, after in zip(sorted(ends), sorted(ends)[1:], strict=False))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["few\n1200 users", "many\n30 users"]
    assert spans(axes)[:, 1].tolist() == pytest.approx([0.2, 0.5])


def test_accuracy_is_drawn_against_the_metric_at_the_k_of_the_tables(draw: Callable[..., Axes]) -> None:
    axes = draw(plots.accuracy_against, TWO, "coverage", "coverage")
    assert [points(line) for line in axes.lines] == [[(0.25, 0.5)], [(0.15, 0.3)]]


def test_the_best_epoch_of_a_curve_is_marked_and_one_without_epochs_is_level(draw: Callable[..., Axes]) -> None:
    axes = draw(plots.learning_curves, TWO)
    curve, best, level = axes.lines
    assert points(curve) == [(1, 0.2), (2, 0.4), (3, 0.3)]
    assert points(best) == [(2, 0.4)]
    assert (level.get_label(), np.asarray(level.get_ydata()).tolist()) == ("popularity (no epochs)", [0.25, 0.25])


def test_candidates_differ_in_colour_or_marker(draw: Callable[..., Axes]) -> None:
    many = comparison(*(candidate(str(number), 0.5, [0.1]) for number in range(20)))
    looks = {(line.get_color(), line.get_marker()) for line in draw(plots.accuracy_against, many, "gini", "").lines}
    assert len(looks) == 20


def test_a_mean_just_outside_its_interval_has_no_negative_length() -> None:
    lengths = plots._errors(np.array([0.5, 0.1]), np.array([0.4, 0.1 + 1e-17]), np.array([0.7, 0.05]))
    assert lengths.tolist() == [pytest.approx([0.1, 0]), pytest.approx([0.2, 0])]
