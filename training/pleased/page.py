"""The page about what pleases: figures, the curve by rank, and day by day."""

import math
from collections.abc import Sequence

import numpy as np

from training.metrics.bootstrap import Interval
from training.pleased.figures import Difference, Figure, Variety
from training.pleased.report import Report
from training.pleased.shown import RANK, SHOWN_ON
from training.pleased.totals import ALL, DIMENSIONS
from training.report.canvas import make_axes, png
from training.report.page import Cell, Page, Part, Picture, Section, Table, Text
from training.report.plots import COLOURS

HEAD = ["", "people", "lists", "shown", "clicks", "successes", "clicks of 100", "successes of 100", "good lists of 100"]


def lay_out(report: Report) -> Page:
    """Lay out the page."""
    notes: list[Part] = [Text(each) for each in report.says]
    notes.append(
        Text(
            f"Rates are of 100 shown films, or lists. Brackets: {report.confidence:.0%} intervals in which each person "
            "counts as one, whatever number of lists they saw. Compare versions by a trial: here, other people may see "
            "others."
        )
    )
    parts = {each: [figure for figure in report.figures if figure.dimension == each] for each in DIMENSIONS}
    sections = [Section("What counts", notes)]
    sections += [Section(_title(each), _parts(each, of)) for each, of in parts.items() if of]
    if report.differences:
        sections.append(Section("Versions compared", [_differences(report.differences)]))
    if report.variety:
        sections.append(Section("Variety", [_variety(report.variety)]))
    return Page(f"What pleased from {report.first} to {report.last}", sections)


def table(found: Sequence[Figure]) -> str:
    """Write the figures as a table for a terminal."""
    rows = [["", *HEAD[1:]], *([f"{each.dimension} {each.group}", *_texts(each)] for each in found)]
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        f"{name:<{first}}" + "".join(f"  {text:>{width}}" for text, width in zip(texts, others, strict=True))
        for name, *texts in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _title(dimension: str) -> str:
    return "Everything" if dimension == ALL else f"By {dimension}"


def _parts(dimension: str, found: Sequence[Figure]) -> list[Part]:
    rows = [[Cell(each.group), *map(Cell, _texts(each))] for each in found]
    parts: list[Part] = [Table([dimension, *HEAD[1:]], rows)]
    if dimension in (RANK, SHOWN_ON):
        parts.append(
            Picture(dimension, f"Successes of 100 shown films by {dimension}, with intervals", _plot(dimension, found))
        )
    return parts


def _texts(figure: Figure) -> list[str]:
    counts = (figure.people, figure.lists, figure.shown, figure.clicks, figure.successes)
    rates = (figure.click_rate, figure.success_rate, figure.good_lists)
    return [*(f"{count:,}" for count in counts), *map(rate, rates)]


def rate(interval: Interval, least: float = 0) -> str:
    """A rate of 100, with its interval."""
    if math.isnan(interval.mean):
        return "–"
    low, high = max(interval.low, least), min(interval.high, 1)
    return f"{100 * interval.mean:.2f} [{100 * low:.2f}, {100 * high:.2f}]"


def _plot(dimension: str, found: Sequence[Figure]) -> bytes:
    known = [each for each in found if not math.isnan(each.success_rate.mean)]
    axes = make_axes("What people like", dimension, "successes of 100 shown films")
    places = np.array([each.group for each in known], dtype=str).astype(
        "int64" if dimension == RANK else "datetime64[D]"
    )
    low, middle, high = ([100 * getattr(each.success_rate, end) for each in known] for end in ("low", "mean", "high"))
    axes.fill_between(places, low, high, color=COLOURS[0], alpha=0.15, linewidth=0, label="interval")
    axes.plot(places, middle, color=COLOURS[0], marker=".", label="successes")
    axes.set_ylim(bottom=0)
    if dimension == SHOWN_ON:
        axes.figure.autofmt_xdate()
    return png(axes)


def _variety(varied: Sequence[Variety]) -> Table:
    rows = [
        [each.version, *(f"{share:.1%}" for share in (each.coverage, each.repeated, each.fresh))] for each in varied
    ]
    head = ["version", "of the catalogue was shown", "of shown films had been shown before", "of shown films are new"]
    return Table(head, [list(map(Cell, row)) for row in rows])


def _differences(found: Sequence[Difference]) -> Table:
    rows = [[Cell(each.version), Cell(each.against), Cell(rate(each.success_rate, least=-1))] for each in found]
    return Table(["version", "against", "more successes of 100"], rows)
