"""The tables of a report; each marks the best of a column, unless all are alike."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from training.metrics import beyond_accuracy, ranking
from training.metrics.bootstrap import Interval
from training.report.comparison import Candidate, Comparison
from training.report.example_users import SHOWN, ExampleUser
from training.report.page import Cell, Table

MISSING = "–"

Best = Callable[[Sequence[float]], float]


def accuracy_table(comparison: Comparison) -> Table:
    """Lay out candidates × ranking metrics, with intervals."""
    names = [*(f"{name}@{comparison.k}" for name in ranking.METRICS), "auc"]
    columns = [_intervals(comparison, name, lambda candidate: candidate.evaluation) for name in names]
    return _by_candidate(comparison, names, columns)


def beyond_accuracy_table(comparison: Comparison) -> Table:
    """Lay out candidates × beyond-accuracy metrics."""
    columns = []
    for name, metric in beyond_accuracy.METRICS.items():
        values = [candidate.evaluation["catalogue"][f"{name}@{comparison.k}"] for candidate in comparison.candidates]
        columns.append(_column(values, [f"{value:.3f}" for value in values], min if metric.less_is_better else max))
    return _by_candidate(comparison, [f"{name}@{comparison.k}" for name in beyond_accuracy.METRICS], columns)


def difference_table(comparison: Comparison) -> Table:
    """Lay out a row for each pair: the opponent's mean, the difference, its interval, p and the meaning."""
    metric = comparison.params.select.metric
    means = {opponent.name: float(opponent.users[metric].mean()) for opponent in comparison.opponents}
    rows = [
        [
            Cell(difference.candidate),
            Cell(difference.opponent, f"with {means[difference.opponent]:.4f}"),
            Cell(f"{difference.interval.mean:+.4f}", _range(difference.interval, "+.4f")),
            Cell("< 0.0001" if difference.p < 0.0001 else f"{difference.p:.4f}"),
            Cell(difference.meaning),
        ]
        for difference in comparison.differences
    ]
    return Table(["candidate", "against", "difference", "p", "in words"], rows)


def check_table(comparison: Comparison) -> Table:
    """Lay out a row for each check: whether it passed, and what was found."""
    rows = [
        [Cell(check.name), Cell("passed" if check.passed else "failed"), Cell(check.sentence)]
        for check in comparison.checks
    ]
    return Table(["check", "outcome", "in words"], rows)


def activity_table(comparison: Comparison) -> Table:
    """Lay out candidates × segments of users."""
    columns = []
    for segment in comparison.activity:
        intervals = [segment.metric[candidate.name] for candidate in comparison.candidates]
        columns.append(_interval_column(intervals))
    return _by_candidate(comparison, [f"{part.name}, {part.users:,} users" for part in comparison.activity], columns)


def cold_table(comparison: Comparison) -> Table:
    """Lay out candidates × recall at every k among cold films, with chance as the last row."""
    names = [f"recall@{k}" for k in comparison.params.evaluate.at]
    columns = [_intervals(comparison, name, lambda candidate: candidate.cold) for name in names]
    table = _by_candidate(comparison, names, columns)
    chance = comparison.candidates[0].cold["chance"]
    return replace(table, rows=[*table.rows, [Cell("chance"), *(Cell(f"{chance[name]:.4f}") for name in names)]])


def among_all_table(comparison: Comparison) -> Table:
    """Lay out candidates × NDCG with cold films among all, NDCG without them, the difference, their share of lists."""
    head = [f"ndcg@{comparison.k}", "without cold films", "difference", "share of cold films"]
    return _gains(comparison, head, [each.cold["among_all"] for each in comparison.candidates], "share")


def newcomers_table(comparison: Comparison) -> Table:
    """Lay out candidates × NDCG by attributes alone, NDCG by popularity, the difference, and the number of users."""
    head = [f"ndcg@{comparison.k} by attributes", "by popularity", "difference", "users"]
    return _gains(comparison, head, [each.evaluation.get("newcomers") for each in comparison.candidates], "users")


def _gains(comparison: Comparison, head: list[str], parts: Sequence[Mapping[str, Any] | None], last: str) -> Table:
    """Candidates × what both ways reach, the difference, and the figure `last`."""
    rows = []
    for candidate, found in zip(comparison.candidates, parts, strict=True):
        if found is None:
            rows.append([Cell(candidate.name), *[Cell(MISSING)] * len(head)])
            continue
        gain = Interval(found["ndcg"] - found["without"], *found["confidence_95"])
        cells = [Cell(f"{found['ndcg']:.4f}"), Cell(f"{found['without']:.4f}")]
        cells += [Cell(f"{gain.mean:+.4f}", _range(gain, "+.4f")), Cell(f"{found[last]:.4g}")]
        rows.append([Cell(candidate.name), *cells])
    return Table(["candidate", *head], rows)


def cost_table(comparison: Comparison) -> Table:
    """Lay out what each candidate costs to fit and to store, and its parameters as trained."""
    metric, candidates = comparison.params.select.metric, comparison.candidates
    validation = [candidate.training["validation"][metric] for candidate in candidates]
    shown = _column(validation, [f"{value:.4f}" for value in validation])
    seeds = [_seeds(candidate.training.get("other_seeds", ())) for candidate in candidates]
    seconds = [candidate.fit_seconds for candidate in candidates]
    sizes = [candidate.size for candidate in candidates]
    columns = [
        [replace(cell, detail=detail) for cell, detail in zip(shown, seeds, strict=True)],
        _column(seconds, ["not measured" if value is None else f"{value:,.1f}" for value in seconds], min),
        _column(sizes, [f"{size / 1e6:,.2f}" for size in sizes], min),
        [Cell(f"{candidate.embedding_size}") for candidate in candidates],
        [Cell(_parameters(candidate.training["params"]) or MISSING) for candidate in candidates],
    ]
    head = [f"{metric}, validation", "fit seconds", "size in MB", "embedding size", "parameters as trained"]
    return _by_candidate(comparison, head, columns)


def lists_table(user: ExampleUser) -> Table:
    """Lay out the first ten of each candidate side by side, hits marked."""
    rows = []
    for rank in range(SHOWN):
        shown = [suggestions[rank : rank + 1] for suggestions in user.lists.values()]
        cells = [Cell(one[0].film, mark="hit" if one[0].hit else "") if one else Cell("") for one in shown]
        rows.append([Cell(str(rank + 1)), *cells])
    return Table(["", *user.lists], rows)


def _by_candidate(comparison: Comparison, head: list[str], columns: Sequence[Sequence[Cell]]) -> Table:
    names = [Cell(candidate.name) for candidate in comparison.candidates]
    return Table(["candidate", *head], [list(row) for row in zip(names, *columns, strict=True)])


def _intervals(comparison: Comparison, name: str, part: Callable[[Candidate], Mapping[str, Any]]) -> list[Cell]:
    intervals: list[Interval | None] = []
    for candidate in comparison.candidates:
        results = part(candidate)
        known = name in results["metrics"]
        intervals.append(Interval(results["metrics"][name], *results["confidence_95"][name]) if known else None)
    return _interval_column(intervals)


def _interval_column(intervals: Sequence[Interval | None]) -> list[Cell]:
    values = [None if interval is None else interval.mean for interval in intervals]
    cells = _column(values, [MISSING if value is None else f"{value:.4f}" for value in values])
    details = ["" if interval is None else _range(interval, ".4f") for interval in intervals]
    return [replace(cell, detail=detail) for cell, detail in zip(cells, details, strict=True)]


def _column(values: Sequence[float | None], texts: Sequence[str], best_of: Best = max) -> list[Cell]:
    """Cells of which those that read like the best one are marked."""
    known = [value for value in values if value is not None]
    best = texts[list(values).index(best_of(known))] if known else ""
    differ = len(set(texts)) > 1
    return [Cell(text, mark="best" if differ and text == best else "") for text in texts]


def _seeds(metrics: Sequence[float]) -> str:
    """What other seeds reach, where the training has tried some."""
    return f"other seeds {', '.join(f'{value:.4f}' for value in metrics)}" if metrics else ""


def _range(interval: Interval, form: str) -> str:
    return f"[{interval.low:{form}}, {interval.high:{form}}]"


def _parameters(params: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key} ({_parameters(value)})" if isinstance(value, Mapping) else f"{key} {_plain(value)}"
        for key, value in params.items()
    )


def _plain(value: Any) -> str:  # noqa: ANN401
    """A value as params.yaml spells it."""
    return f"{value:.6g}" if isinstance(value, float) else json.dumps(value).strip('"')
