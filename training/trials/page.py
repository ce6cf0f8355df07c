"""The page about a trial: the verdict, the figures, and the difference day by day with its band."""

import math
from datetime import datetime, timezone

import numpy as np

from training.metrics.bootstrap import Interval
from training.report.canvas import make_axes, png
from training.report.page import Cell, Page, Part, Picture, Section, Table, Text
from training.report.plots import COLOURS
from training.trials.estimate import Compared, Estimate
from training.trials.sequence import Standing
from training.trials.verdict import Verdict

MEANINGS = {
    "better": "The challenger wins: promote it. Of placements, give the other one its rules.",
    "worse": "The challenger loses: drop it. Of placements, take the trial out of the other one.",
    "harmful": "The challenger surely loses more than is allowed: drop it at once.",
    "early": "It looks decided, but people may get used to what is new: wait until the trial has taken its days.",
    "undecided": "Wait, or end the trial: the two are about alike.",
    "too_few": "Wait.",
    "broken": "The two groups of users can't be compared. Find the cause, then start again.",
}


def lay_out(verdict: Verdict, confidence: float, now: float) -> Page:
    """Lay out the page of a trial at a time in seconds since 1970."""
    production, challenger = verdict.trial.sides
    return Page(
        f"Trial of {challenger} against {production}",
        [
            Section("Verdict", _verdict(verdict, now)),
            Section("Figures", _figures(verdict, confidence)),
            Section("Day by day", _difference(verdict, confidence)),
        ],
    )


def _verdict(verdict: Verdict, now: float) -> list[Part]:
    left = "" if verdict.days_left is None else f" At the present rate it takes about {verdict.days_left:.0f} more."
    if verdict.days_left is None and verdict.word == "undecided":
        left = " At the present rate a difference as small as this one takes more than a year to be sure."
    share = f"{verdict.trial.share:.0%} of the users get {verdict.trial.sides[1]}."
    return [
        Text(f"{verdict.sentence}.", f"{verdict.word.replace('_', ' ').capitalize()}:"),
        Text(MEANINGS[verdict.word], "To do:"),
        Text(f"{verdict.days:.1f} days.{left} {share}", "Time:"),
        Text(f"{datetime.fromtimestamp(now, timezone.utc):%Y-%m-%d %H:%M} UTC.", "Written:"),
    ]


def _figures(verdict: Verdict, confidence: float) -> list[Part]:
    found = verdict.estimate
    if found is None:
        return [Text("There are not yet users in both arms.")]
    return [
        _table(verdict, found),
        Text(
            f"Brackets: {confidence:.0%} intervals that hold for one look at the end. Somebody who looks every day and "
            "stops as soon as they leave out 0 is wrong in nearly every fourth trial; the band below is for that, and "
            "decides."
        ),
        Text(
            f"p = {verdict.ratio_p:.3g} for arms of the sizes seen. Below 0.001 there is no verdict.",
            "Sample-ratio check:",
        ),
        Text("; ".join(f"{count:,} {what}" for what, count in verdict.attribution.items()), "What was said:"),
    ]


def _table(verdict: Verdict, found: Estimate) -> Table:
    n, (production, challenger) = verdict.standings[-1].users, verdict.trial.sides
    return Table(
        ["", f"{production} (production)", f"{challenger} (challenger)", "difference", "relative"],
        [
            [Cell("users"), Cell(f"{n[0]:,}"), Cell(f"{n[1]:,}"), Cell(""), Cell("")],
            _row("successes in 100 lists", found.per_list),
            _row("users with a success, of 100", found.success),
        ],
    )


def _row(name: str, compared: Compared) -> list[Cell]:
    return [
        Cell(name),
        Cell(f"{100 * compared.production:.2f}"),
        Cell(f"{100 * compared.challenger:.2f}"),
        _interval(compared.difference, 100, "+.2f"),
        _interval(compared.relative, 1, "+.1%"),
    ]


def _interval(interval: Interval, factor: float, form: str) -> Cell:
    mean, low, high = (f"{factor * value:{form}}" for value in (interval.mean, interval.low, interval.high))
    return Cell(mean, f"[{low}, {high}]")


def _difference(verdict: Verdict, confidence: float) -> list[Part]:
    known = [standing for standing in verdict.standings if not math.isnan(standing.half)]
    if not known:
        return [Text("Too little is known for a band.")]
    caption = (
        f"Difference in successes in 100 lists, challenger less production, and its {confidence:.0%} band, which holds "
        "for all days at once: as long as it holds 0, the two may be alike"
    )
    return [Picture("difference", caption, _plot(known, verdict.standings[0].day))]


def _plot(known: list[Standing], first_day: int) -> bytes:
    axes = make_axes("What people like better", "day (UTC)", "successes in 100 lists")
    days = np.array([standing.day for standing in known], dtype="datetime64[D]")
    low, middle, high = ([100 * end for end in ends] for ends in zip(*map(_ends, known), strict=True))
    axes.fill_between(days, low, high, color=COLOURS[0], alpha=0.15, linewidth=0, label="band")
    axes.plot(days, middle, color=COLOURS[0], marker=".", label="difference")
    axes.axhline(0, color="grey", linestyle="--", label="no difference")
    axes.set_xlim(left=first_day)  # though a band takes some days
    axes.figure.autofmt_xdate()
    return png(axes)


def _ends(standing: Standing) -> tuple[float, float, float]:
    return standing.low, standing.difference, standing.high
