"""What exploration costs and brings: people with known taste look at lists for some weeks, with new films among others.

usage: python -m benchmarks.exploration [--days 28] [--seeds 3] [--family implicit_als] [--markdown FILE]

A world is simulated as the sample is. The ratings of three films are taken out: these are new, one of them liked by
most, one by some and one by few. Each day people get lists of the service's own code by a placement, look at them
from the top and give up somewhere, and like what they see with a chance of their own; each night the pipeline's code
learns from all likes. A film has reached somebody once it was on their screen. It is for the fifth of all people who
like it most. Without exploration, and with new films first.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from app.contract.artifact import LearnedEvents
from app.contract.placement import Placement
from app.events.newcomers import Newcomers
from app.events.overlay import Overlay
from app.events.profiles import Profiles
from app.events.showings import Showings
from app.events.trending import Trending
from app.model.selection import place, placed_page
from app.model.store import ServedModel
from app.schemas.queries import UserQuery
from benchmarks.freshness import loaded
from benchmarks.new_films import event
from benchmarks.report import table
from benchmarks.simulated import Size, simulated
from training.data.dataset import Dataset
from training.data.interactions import Interactions
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_artifact
from training.fitting.validation import LEARNED_FROM
from training.models import make_family
from training.params.whole import Params, load_params
from training.project import Project

SIZE, STORE = Size(600, 600, 100_000), "0f8fad5b-d9cb-469f-a165-70867728950e"
COMES, EXAMINED, SAYS = 1.5, 0.85, 0.6  # lists of a person and day; shares: next rank after one, likes that are said
RANK, AMONG, FANS = 3, 10, 0.2
K = 10
KINDS = ("most", "some", "few")
WAYS: Mapping[str, dict[str, Any]] = {
    "none": {},
    "new first, share 0.1": {"explore": {"rank": RANK, "among": AMONG, "share": 0.1, "new_below": 50}},
    "new first, share 0.3": {"explore": {"rank": RANK, "among": AMONG, "share": 0.3, "new_below": 50}},
}


@dataclass(frozen=True)
class World:
    """A data set without ratings of its new films, the chance that users like films, and the new films by kind."""

    dataset: Dataset
    appeal: np.ndarray
    new: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, params: Params, seed: int) -> "World":
        """Simulate one; films of a kind are neighbours by how many like them."""
        dataset, simulation = simulated(SIZE, params, seed)
        users = np.searchsorted(simulation.user_ids, dataset.user_ids)
        appeal = simulation.appeal[users][:, np.searchsorted(simulation.item_ids, dataset.item_ids)]
        order = np.argsort(-appeal.mean(axis=0))
        new = {kind: order[int(q * len(order)) :][:1].tolist() for kind, q in zip(KINDS, (0.02, 0.3, 0.8), strict=True)}
        gone = np.concatenate([*map(np.array, new.values())])
        splits = {name: part.where(~np.isin(part.items, gone)) for name, part in dataset.splits.items()}
        return cls(replace(dataset, splits=splits), appeal, new)

    def fans(self, item: int) -> set[int]:
        """The fifth of all people who like a film most."""
        order = np.argsort(-self.appeal[:, item])
        return set(order[: int(FANS * len(order))].tolist())


class Counted:
    """What a store of events says of showings, as if the simulated day was today."""

    def __init__(self) -> None:
        self._shown: Counter[tuple[int, str]] = Counter()
        self.day = 0

    def add(self, item: str) -> None:
        """Count a showing at an explored rank."""
        self._shown[self.day, item] += 1

    def explored_showings(self, since: str) -> list[tuple[str, str, int]]:
        """As EventStore has it."""
        today = datetime.now(timezone.utc).date()
        dates = {day: (today - timedelta(days=self.day - day)).isoformat() for day, _ in self._shown}
        return [(dates[day], item, n) for (day, item), n in self._shown.items() if dates[day] >= since]


class Weeks:
    """One way to explore in one world, day after day."""

    def __init__(self, world: World, params: Params, family: str, rules: dict[str, Any], seed: int) -> None:
        self.world, self._params, self._family = world, params, family
        self._rng, self._placement = np.random.default_rng(seed), Placement.of({"k": K, **rules})
        self._overlay, self._counted = Overlay(), Counted()
        self._overlay.restart(STORE)
        self._said: list[tuple[int, int]] = []
        self._position = 0
        self.reached: dict[int, set[int]] = {item: set() for films in world.new.values() for item in films}
        self.days: list[tuple[int, int]] = []  # shown, liked
        self.half: dict[int, int] = {}

    def run(self, days: int) -> None:
        """Live through some days."""
        for day in range(days):
            self._counted.day = day
            model = self._learned()
            self._overlay.drop_until(self._position)
            counts = [self._look(model, user) for user in self._coming()]
            self.days.append((sum(shown for shown, _ in counts), sum(liked for _, liked in counts)))
            for item, who in self.reached.items():
                fans = self.world.fans(item)
                if item not in self.half and 2 * len(who & fans) >= len(fans):
                    self.half[item] = day + 1

    def _coming(self) -> list[int]:
        n = self.world.dataset.n_users
        return [int(each) for each in self._rng.integers(n, size=int(COMES * n))]

    def _learned(self) -> ServedModel:
        data, params = self.world.dataset, self._params
        users, items = np.array(self._said, dtype=np.int32).reshape(-1, 2).T
        n, now = len(users), max(int(part.times.max()) for part in data.splits.values() if len(part)) + 1
        said = Interactions(users, items, np.ones(n, bool), np.full(n, 5, np.float32), np.full(n, now, np.int64))
        data = replace(data, splits={**data.splits, "train": Interactions.concatenate([data.splits["train"], said])})
        family = make_family(self._family, params.models.get(self._family, {}))
        artifact = fit_artifact(Knowledge(data, LEARNED_FROM, params.threads), self._family, family, params.seed)
        model = loaded(replace(artifact, events=LearnedEvents(STORE, self._position)), params)
        showings = Showings()
        showings.read(self._counted)  # type: ignore[arg-type]
        self._profiles = Profiles(self._overlay, Newcomers(Trending(self._overlay), showings))
        self._rules = model.placed_lists.rules(
            "home", self._placement, model.catalogue.filter, model.recommender.item_row
        )
        return model

    def _look(self, model: ServedModel, user: int) -> tuple[int, int]:
        """One list on a screen: how many films were seen, and how many somebody says to like."""
        user_id, query = str(self.world.dataset.user_ids[user]), UserQuery(k=K)
        profile, explore = self._profiles.of(model, user_id), self._placement.explore
        new = {} if explore is None else self._profiles.newcomers.weights(model, explore)
        placed = place(model, profile, query, None, self._rules, self._profiles.trending.counts, new)
        page = placed_page(model, placed, query, self._rules, profile.seen, self._rng.bytes(16))
        seen = page.rows[: int(self._rng.geometric(1 - EXAMINED))].tolist()
        items = np.searchsorted(self.world.dataset.item_ids, model.artifact.item_ids[seen]).tolist()
        if page.explored is not None and page.explored.place < len(seen):
            self._counted.add(str(model.artifact.item_ids[page.explored.row]))
        liked = [item for item in items if self._rng.random() < SAYS * self.world.appeal[user, item]]
        for item in liked:
            self._position += 1
            self._overlay.add([event(user_id, str(self.world.dataset.item_ids[item]), "like", self._position)])
        self._said += [(user, item) for item in liked]
        for item in self.reached.keys() & set(items):
            self.reached[item].add(user)
        return len(items), len(liked)


def main() -> None:
    """Simulate and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--family", default="implicit_als")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    params = load_params(Project(Path()).params)
    with threadpool_limits(1):
        runs = {way: [_run(params, options, way, seed) for seed in range(options.seeds)] for way in WAYS}
    head = ["exploration", "successes of 100 shown films", "of the last week", *(f"liked by {kind}" for kind in KINDS)]
    text = table(head, [_row(way, found, runs["none"], options.days) for way, found in runs.items()]) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


def _run(params: Params, options: argparse.Namespace, way: str, seed: int) -> Weeks:
    weeks = Weeks(World.of(params, seed), params, options.family, WAYS[way], seed)
    weeks.run(options.days)
    print(f"{way}, seed {seed}: {weeks.half}", {item: len(who) for item, who in weeks.reached.items()}, flush=True)
    return weeks


def _row(way: str, found: list[Weeks], none: list[Weeks], days: int) -> list[str]:
    rates = [f"{rate:.2f} ({rate / _rate(none, part) - 1:+.1%})" for part in (days, 7) for rate in [_rate(found, part)]]
    return [way, *rates, *(_days(found, kind) for kind in KINDS)]


def _rate(runs: list[Weeks], last: int) -> float:
    shown, liked = np.sum([each.days[-last:] for each in runs], axis=(0, 1))
    return float(100 * liked / shown)


def _days(runs: list[Weeks], kind: str) -> str:
    """Which share of those that films are for they reached in the end, and on which days they had reached half."""
    films = [(each, item) for each in runs for item in each.world.new[kind]]
    share = np.mean(
        [len(each.reached[item] & each.world.fans(item)) / len(each.world.fans(item)) for each, item in films]
    )
    days = [str(each.half.get(item, "never")) for each, item in films]
    return f"{share:.0%}; day {', '.join(days)}"


if __name__ == "__main__":
    main()
