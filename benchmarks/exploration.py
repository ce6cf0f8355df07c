"""What exploration costs and brings: people with known taste look at lists for some weeks, while new films come.

usage: python -m benchmarks.exploration [--days 21] [--seeds 4] [--family implicit_als] [--markdown FILE]

benchmarks/world.py says what people like, benchmarks/weeks.py how they live. A film has reached somebody once it was on
their screen. Ways are compared in the same worlds; brackets are 95 % intervals over these.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t
from threadpoolctl import threadpool_limits

from app.contract.artifact_format import Float64Array
from app.events.newcomers import FAIR
from benchmarks.options import options
from benchmarks.report import publish, table
from benchmarks.weeks import Weeks
from benchmarks.world import N_NEW, NEW_BELOW, World
from training.params.whole import load_params
from training.project import Project

MOST_A_DAY, WITHIN = 25, 14  # showings; days in which each film that comes can reach people
FIRST = {"rank": 3, "among": 20, "new_below": NEW_BELOW, "most_a_day": MOST_A_DAY}
WAYS: Mapping[str, dict[str, Any]] = {
    "none": {},
    "uniform, share 0.3": {"explore": {"rank": 3, "among": 20, "share": 0.3}},
    "new first, share 0.3": {"explore": {**FIRST, "share": 0.3}},
}
MARKS = ["exploration", "successes of 100 shown films", "lists with one", "good films at half of their people"]
FAIRNESS = [
    "exploration",
    "explored showings a day in the first hundred",
    "days until these",
    "most a day",
    "of bad films",
]


def main() -> None:
    """Simulate and print two tables: what it costs and brings, and how fairly new films were shown."""
    given = options(__doc__, days=N_NEW + WITHIN - 1, seeds=4, family="implicit_als", markdown=Path)
    params, runs = load_params(Project(Path()).params), dict[str, list[Weeks]]()
    with threadpool_limits(1):
        for seed in range(given.seeds):
            world = World.of(params, seed)
            for way, rules in WAYS.items():
                weeks = Weeks(world, params, given.family, rules, seed)
                weeks.run(given.days)
                runs.setdefault(way, []).append(weeks)
                print(seed, way, weeks.books.half, dict(weeks.books.shown), flush=True)
    marks = [_marks(way, found, runs["none"]) for way, found in runs.items()]
    fairness = [_fairness(way, found) for way, found in runs.items()]
    publish(f"{table(MARKS, marks)}\n\n{table(FAIRNESS, fairness)}\n", given.markdown)


def _marks(way: str, runs: list[Weeks], none: list[Weeks]) -> list[str]:
    """What all lists brought, and how soon films that are liked reached half of those who like them."""
    cells = [way]
    for part, whole in (("liked", "films"), ("good", "lists")):
        ours, theirs = (
            np.array([100 * getattr(each.books, part) / getattr(each.books, whole) for each in found])
            for found in (runs, none)
        )
        cells.append(f"{ours.mean():.2f}" + ("" if runs is none else f" ({_interval(ours - theirs)})"))
    half = sorted(each.books.half.get(film, np.inf) for each in runs for film in each.world.new[: N_NEW // 2])
    soon = sum(days <= WITHIN for days in half)
    middle = half[len(half) // 2]
    return [
        *cells,
        f"{soon} of {len(half)} in {WITHIN} days; median " + (f"{middle:.0f}" if middle < np.inf else "never"),
    ]


def _interval(differences: Float64Array) -> str:
    """The mean over worlds, with its interval by Student's t."""
    n = len(differences)
    margin = t.ppf(0.975, n - 1) * differences.std(ddof=1) / n**0.5
    mean = differences.mean()
    return f"{mean:+.2f} [{mean - margin:+.2f}, {mean + margin:+.2f}]"


def _fairness(way: str, runs: list[Weeks]) -> list[str]:
    """Least, median and most showings of a film on a whole day of its first hundred; days until it had had these."""
    a_day, until, most = list[int](), list[float](), 0
    for each in runs:
        for film in each.world.new:
            shown = each.explored(film)
            total, first = np.cumsum(shown), each.world.comes(film)
            in_first = total[first:] <= FAIR
            a_day += shown[first:][in_first].tolist()
            until.append(float(np.argmax(~in_first)) + 1 if not in_first.all() else np.inf)
            most = max(most, int(shown.max()))
    bad = [each.books.shown[film] for each in runs for film in each.world.new[N_NEW // 2 :]]
    return [way, _spread(a_day), _spread(until), f"{most}", _spread(bad)]


def _spread(values: Sequence[float]) -> str:
    """Least, median and most."""
    ends = [min(values), sorted(values)[len(values) // 2], max(values)]
    return " / ".join("never" if each == np.inf else f"{each:.0f}" for each in ends)


if __name__ == "__main__":
    main()
