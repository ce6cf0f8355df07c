"""Simulates trials, to see how often their verdict is wrong and how often a better version is found.

    python -m benchmarks.trials [--trials 500] [--processes 2] [--markdown FILE]

Users come now and then for four weeks, each likes what they are shown with a chance of their own, and training's own
code judges after each day. Exits with 1 if a mark is missed.
"""

import math
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from app.contract.trial import Trial
from benchmarks.options import options
from benchmarks.report import publish, table
from tests.training.trials.simulation import FIRST_DAY, simulate
from training.params.register import TrialParams
from training.trials.attribution import Observations
from training.trials.records import DAY, Records
from training.trials.sequence import standings
from training.trials.verdict import judge

DAYS, CONFIDENCE = 28, 0.95
SIZE = 15_000  # people, of whom 12,300 come within four weeks: the documented size
SIZES, LIFTS = (3000, SIZE, 45_000), (0.1, 0.2, 0.4)
TRIAL = Trial("7", "5", "films:7", 0.5, FIRST_DAY * DAY)
PARAMS = TrialParams(share=0.5, days=14, success=("like",), max_loss=0.05)


@dataclass(frozen=True)
class Case:
    """Trials of one kind, and the mark for the share in which `counted` happens."""

    name: str
    counted: str
    mark: str
    is_reached: Callable[[float], bool]
    users: int = SIZE
    lift: float = 0.0
    lost: float = 0.0


CASES = (
    Case("alike", "the ordinary interval at the end leaves out 0", "at most 7 %", lambda share: share <= 0.07),
    Case("alike", "the ordinary interval of some day leaves out 0", "none: do not do this", lambda _: True),
    Case("alike", "the band of some day leaves out 0", "at most 5 %", lambda share: share <= 0.05),
    Case("+20 %", "better", "at least 85 %", lambda share: share >= 0.85, lift=0.2),
    Case("+10 %", "better", "", lambda _: True, lift=0.1),
    Case("-20 %", "worse", "at least 85 %", lambda share: share >= 0.85, lift=-0.2),
    Case("+20 %, every fifth user of an arm lost", "broken", "all", lambda share: share == 1, lift=0.2, lost=0.2),
)


@dataclass(frozen=True)
class Run:
    """What came of one simulated trial; `day` is the first on which the band leaves out 0, None without one."""

    word: str
    at_end: bool
    on_some_day: bool
    day: int | None
    half: float


def main() -> None:
    """Simulate and print a table."""
    given = options(__doc__, trials=500, processes=2, markdown=Path)
    rows, is_good = [], True
    with ProcessPoolExecutor(given.processes) as pool:
        kinds = dict.fromkeys((case.users, case.lift, case.lost) for case in CASES)
        runs = {kind: list(pool.map(partial(run, *kind), range(given.trials), chunksize=10)) for kind in kinds}
    for case in CASES:
        found = runs[case.users, case.lift, case.lost]
        share = float(np.mean([happened(case, each) for each in found]))
        is_good &= case.is_reached(share)
        days = [each.day for each in found if each.day is not None]
        rows.append(
            [case.name, case.counted, f"{share:.1%}", case.mark, f"{np.median(days):.0f}" if days else "–",
             f"±{np.mean([each.half for each in found]):.0%}"]
        )  # fmt: skip
    head = ["true difference", "counted", "share of trials", "mark", "day when the band leaves out 0, median",
            "band at the end"]  # fmt: skip
    publish(f"{table(head, rows)}\n\n{_sizes(given.trials // 5)}\n", given.markdown)
    sys.exit(not is_good)


def _sizes(trials: int) -> str:
    """How often a difference is found within four weeks, and on which day, by the number of people."""
    rows = []
    for users in SIZES:
        cells = []
        for lift in LIFTS:
            days = [found_on(users, lift, seed) for seed in range(trials)]
            known = [day for day in days if day is not None]
            when = f", day {np.median(known):.0f}" if known else ""
            cells.append(f"{len(known) / trials:.0%}{when}")
        rows.append([f"{users:,}", *cells])
    return table(["people", *(f"{lift:+.0%} found" for lift in LIFTS)], rows)


def found_on(users: int, lift: float, seed: int) -> int | None:
    """The day on which the band says that a better version is better, None if on none of the four weeks."""
    seen = standings(simulate(np.random.default_rng(seed), users, DAYS, TRIAL.share, lift), 1 - CONFIDENCE)
    return next((standing.day - FIRST_DAY + 1 for standing in seen if standing.low > 0), None)


def happened(case: Case, one: Run) -> bool:
    """Whether what the case counts has come of a run."""
    if "some day" in case.counted:
        return one.day is not None if "band" in case.counted else one.on_some_day
    if case.counted == "worse":
        return one.word in ("worse", "harmful")
    return one.at_end if "end" in case.counted else one.word == case.counted


def run(users: int, lift: float, lost: float, seed: int) -> Run:
    """Simulate one trial and judge it after four weeks."""
    daily = simulate(np.random.default_rng(seed), users, DAYS, TRIAL.share, lift, lost)
    records = Records(TRIAL.experiment, pd.DataFrame(), pd.DataFrame(), mixed=False)
    now = (FIRST_DAY + DAYS) * DAY
    verdict = judge(TRIAL, records, Observations(daily, {}, 0.0), PARAMS, CONFIDENCE, now)
    known = [standing for standing in verdict.standings if not math.isnan(standing.half)]
    found = verdict.estimate
    assert found is not None
    ordinary = found.per_list.difference
    first = next((standing.day - FIRST_DAY + 1 for standing in known if not standing.low <= 0 <= standing.high), None)
    return Run(
        verdict.word,
        not ordinary.low <= 0 <= ordinary.high,
        any(abs(standing.difference) > 1.96 * standing.standard_error for standing in known),
        first,
        known[-1].half / known[-1].rates[0],
    )


if __name__ == "__main__":
    main()
