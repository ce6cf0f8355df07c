"""What the page about a trial says, from figures that were worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from app.contract.trial import Trial
from training.metrics.bootstrap import Interval
from training.report.page import Section, Table, Text
from training.trials import page
from training.trials.attribution import COUNTED, NOT_COUNTED
from training.trials.estimate import Compared, Estimate
from training.trials.sequence import Standing
from training.trials.verdict import Verdict

DAY = 20_000  # 2024-10-04
STANDINGS = [
    Standing(DAY, (9, 8), (0.0, 0.0), 0.0, math.nan),
    Standing(DAY + 1, (1500, 1600), (0.05, 0.06), 0.001, 0.005),
    Standing(DAY + 2, (2500, 2600), (0.05, 0.07), 0.001, 0.004),
]
FOUND = Estimate(
    success=Compared(0.2, 0.25, Interval(0.05, 0.01, 0.09), Interval(0.25, 0.05, 0.45)),
    per_list=Compared(0.05, 0.07, Interval(0.02, -0.001, 0.041), Interval(0.4, -0.02, 0.82)),
)


def verdict(**changes: Any) -> Verdict:
    fields: dict[str, Any] = {
        "trial": Trial("7", "5", "films:7", 0.3, DAY * 86_400),
        "word": "undecided",
        "sentence": "no clear difference yet",
        "standings": STANDINGS,
        "estimate": FOUND,
        "ratio_p": 0.0123,
        "attribution": {COUNTED: 1234, NOT_COUNTED: 7},
        "days": 2.25,
        "days_left": 12.4,
        **changes,
    }
    return Verdict(**fields)


def sections(found: Verdict) -> dict[str, Section]:
    return {section.title: section for section in page.lay_out(found, 0.95, DAY * 86_400 + 3_720).sections}


def text(section: Section) -> str:
    return "\n".join(f"{part.lead} {part.text}" for part in section.parts if isinstance(part, Text))


def test_figures_are_in_a_hundred_lists_or_users_and_relative_ones_in_percent() -> None:
    figures = sections(verdict())["Figures"]
    [table] = [part for part in figures.parts if isinstance(part, Table)]
    assert table.head == ["", "version 5 (production)", "version 7 (challenger)", "difference", "relative"]
    assert [[f"{cell.text} {cell.detail}".strip() for cell in row] for row in table.rows] == [
        ["users", "2,500", "2,600", "", ""],
        ["successes in 100 lists", "5.00", "7.00", "+2.00 [-0.10, +4.10]", "+40.0% [-2.0%, +82.0%]"],
        ["users with a success, of 100", "20.00", "25.00", "+5.00 [+1.00, +9.00]", "+25.0% [+5.0%, +45.0%]"],
    ]
    assert "p = 0.0123 for arms of the sizes seen" in text(figures)
    assert "What was said: 1,234 good lists of the trial; 7 events without its id" in text(figures)


@pytest.mark.long
@pytest.mark.parametrize(
    ("word", "days_left", "time"),
    [
        ("undecided", 12.4, "2.2 days. At the present rate it takes about 12 more. 30% of the users get version 7."),
        (
            "undecided",
            None,
            "2.2 days. At the present rate a difference as small as this one takes more than a year to be sure. "
            "30% of the users get version 7.",
        ),
        ("better", None, "2.2 days. 30% of the users get version 7."),
    ],
)
def test_the_time_that_is_left_is_told_or_why_it_is_not(word: str, days_left: float | None, time: str) -> None:
    said = text(sections(verdict(word=word, days_left=days_left))["Verdict"])
    assert f"\nTime: {time}\n" in said
    assert said.endswith("Written: 2024-10-04 01:02 UTC.")


def test_a_verdict_of_two_words_is_written_as_words() -> None:
    found = sections(verdict(word="too_few", sentence="too little is known", estimate=None, days_left=None))
    assert text(found["Verdict"]).startswith("Too few: too little is known.\nTo do: Wait.")
    assert text(found["Figures"]).strip() == "There are not yet users in both arms."


def test_the_plot_begins_at_the_first_day_and_shows_the_difference_in_a_hundred_lists_where_there_is_a_band(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[Axes] = []

    def keep(axes: Axes) -> bytes:
        drawn.append(axes)
        return b""

    monkeypatch.setattr(page, "png", keep)
    sections(verdict())
    [axes] = drawn
    days, difference = (np.asarray(values) for values in axes.lines[0].get_data(orig=True))
    assert [str(day) for day in days] == ["2024-10-05", "2024-10-06"]
    assert difference.tolist() == pytest.approx([1, 2])
    band = np.asarray(axes.collections[0].get_paths()[0].vertices)
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((0.5, 2.4))
    assert np.asarray(axes.lines[1].get_ydata()).tolist() == [0, 0]
    assert axes.get_xlim()[0] == DAY
