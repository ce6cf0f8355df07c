"""Weeks in which people with known taste look at lists, and new films come, as one state of the service sees them.

Each day every viewer gets a list of the service's own code by a placement, looks at it from the top, gives up
somewhere, and says of some films whether they like them. All is told to the service as the store of events tells it, by
the clock of the simulation; each night the pipeline's code learns from all that was said.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch

import numpy as np

from app.contract.artifact import LearnedEvents
from app.contract.events import CHANGE
from app.contract.placement import Placement
from app.contract.trends import DAY
from app.events.catalogue_changes import CatalogueChanges
from app.events.live_catalogue import LiveCatalogue
from app.events.newcomers import Newcomers
from app.events.overlay import Overlay
from app.events.profiles import Profiles
from app.events.showings import Showings
from app.events.trending import Trending
from app.model.item_fields import ItemFields
from app.model.selection import place, placed_page
from app.model.store import ModelStore, ServedModel
from app.schemas.queries import UserQuery
from benchmarks.freshness import loaded
from benchmarks.replayed import event, of_films
from benchmarks.world import VIEWERS, World
from training.data.interactions import Interactions
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_artifact
from training.fitting.validation import LEARNED_FROM
from training.models import make_family
from training.params.whole import Params

STORE, K = "0f8fad5b-d9cb-469f-a165-70867728950e", 10
EXAMINED, SAYS = 0.85, 0.6  # shares: next rank after one, films on a screen of which somebody says it
MODULES = "newcomers.time", "showings.time", "showings.datetime", "catalogue_changes.time"


class Clock:
    """The time of the simulation, in seconds since 1970, as the service's modules ask for it."""

    def __init__(self, at: float) -> None:
        self.at = at

    def monotonic(self) -> float:
        """As time.monotonic."""
        return self.at

    time = monotonic

    def now(self, zone: timezone) -> datetime:
        """As datetime.now."""
        return datetime.fromtimestamp(self.at, zone)

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Inside, showings, draws and revisions of the catalogue go by this clock."""
        with ExitStack() as stack:
            for each in MODULES:
                stack.enter_context(patch(f"app.events.{each}", self))
            yield


class Books:
    """What happened: explored showings, as a store of events says them, all showings of new films, and successes."""

    def __init__(self, new: Sequence[int]) -> None:
        self.explored: Counter[tuple[str, str]] = Counter()  # by day and id
        self.shown = Counter[int]()
        self.reached: dict[int, set[int]] = {item: set() for item in new}
        self.half: dict[int, int] = {}
        self.films = self.liked = self.lists = self.good = 0

    def explored_showings(self, since: str) -> list[tuple[str, str, int]]:
        """As EventStore has it."""
        return [(day, item, n) for (day, item), n in self.explored.items() if day >= since]


class Weeks:
    """One way to explore in one world, day after day."""

    def __init__(self, world: World, params: Params, family: str, rules: dict[str, Any], seed: int) -> None:
        self.world, self._params, self._family = world, params, family
        self._rng, self._placement = np.random.default_rng(seed), Placement.of({"k": K, **rules})
        self._begins = (int(world.dataset.splits["train"].times.max()) // int(DAY) + 1) * DAY
        self.clock, self.books, self._position = Clock(self._begins), Books(world.new), 0
        self._said = list[tuple[int, int, bool, int]]()
        self._overlay, self._changes, self._showings = Overlay(), CatalogueChanges(), Showings()
        self._overlay.restart(STORE)
        trending = Trending(self._overlay)
        self._profiles = Profiles(self._overlay, Newcomers(trending, self._showings))
        self._store = ModelStore(LiveCatalogue(self._changes, self._overlay, trending))
        self._changes.stores.append(self._store)

    def run(self, days: int) -> None:
        """Live through some days."""
        with self.clock.ticking():
            for day in range(days):
                self.clock.at = self._begins + day * DAY
                self._store.swap(self._learned(day))
                self._overlay.drop_until(self._position)
                for item in [each for each in self.world.new if self.world.comes(each) == day]:
                    self._add(item)
                for user in self._rng.permutation(self.world.viewers).tolist():
                    self.clock.at += DAY / (VIEWERS + 1)
                    self._look(user)
                for item in self.books.reached.keys() - self.books.half.keys():
                    fans = self.world.fans(item)
                    if 2 * len(self.books.reached[item] & fans) >= len(fans):
                        self.books.half[item] = day + 1 - self.world.comes(item)

    def explored(self, item: int) -> np.ndarray:
        """How often a film was shown at an explored rank, by day."""
        begins, item_id = datetime.fromtimestamp(self._begins, timezone.utc), str(self.world.dataset.item_ids[item])
        n_days = round((self.clock.at - self._begins) / DAY + 0.5)
        days = [(begins + timedelta(days=number)).date().isoformat() for number in range(n_days)]
        return np.array([self.books.explored[day, item_id] for day in days])

    def _learned(self, day: int) -> ServedModel:
        params, train = self._params, self.world.dataset.splits["train"]
        if self._said:
            users, items, liked, times = (np.array(column) for column in zip(*self._said, strict=True))
            stars = np.where(liked, 5, 1).astype(np.float32)
            said = Interactions(users.astype(np.int32), items.astype(np.int32), liked, stars, times)
            train = Interactions.concatenate([train, said])
        family = make_family(self._family, params.models.get(self._family, {}))
        knowledge = Knowledge(of_films(self.world.dataset, [train]), LEARNED_FROM, params.threads)
        artifact = fit_artifact(knowledge, self._family, family, params.seed)
        return loaded(replace(artifact, events=LearnedEvents(STORE, self._position)), params, str(day + 1))

    def _add(self, item: int) -> None:
        """A new film comes into the catalogue."""
        body = json.dumps(ItemFields(self.world.dataset.item_ids, self.world.dataset.packed).content(item))
        self._tell("editor", item, CHANGE, body)
        self._changes.revise()

    def _tell(self, user_id: str, item: int, kind: str, body: str | None = None) -> None:
        self._position += 1
        told = event(user_id, str(self.world.dataset.item_ids[item]), kind, self._position, body=body)
        stored = [replace(told, occurred_at=self.clock.at, received_at=self.clock.at)]
        self._overlay.add(stored)
        self._changes.add(stored)

    def _look(self, user: int) -> None:
        """One list on a screen."""
        self._changes.revise_if_due()
        self._showings.read(self.books)  # type: ignore[arg-type]
        model, explore, query = self._store.require(), self._placement.explore, UserQuery(k=K)
        rules = model.placed_lists.rules("home", self._placement, model.catalogue.filter, model.recommender.item_row)
        user_id = str(self.world.dataset.user_ids[user])
        profile = self._profiles.of(model, user_id)
        new = {} if explore is None else self._profiles.newcomers.weights(model, explore)
        placed = place(model, profile, query, None, rules, self._profiles.trending.counts, new)
        page = placed_page(model, placed, query, rules, profile.seen, self._rng.bytes(16))
        seen = model.artifact.item_ids[page.rows[: int(self._rng.geometric(1 - EXAMINED))]]
        if page.explored is not None and page.explored.place < len(seen):
            day = self.clock.now(timezone.utc).date().isoformat()
            self.books.explored[day, str(seen[page.explored.place])] += 1
        self._say(user, np.searchsorted(self.world.dataset.item_ids, seen).tolist())

    def _say(self, user: int, items: list[int]) -> None:
        """Keep books of what was on the screen, and say of some of it how one likes it."""
        said = [item for item in items if self._rng.random() < SAYS]
        liked = [bool(self.world.likes[user, item]) for item in said]
        for item, is_liked in zip(said, liked, strict=True):
            self._tell(str(self.world.dataset.user_ids[user]), item, "like" if is_liked else "dislike")
            self._said.append((user, item, is_liked, int(self.clock.at)))
        for item in self.books.reached.keys() & set(items):
            self.books.shown[item] += 1
            self.books.reached[item].add(user)
        self.books.films += len(items)
        self.books.liked += sum(liked)
        self.books.lists += 1
        self.books.good += any(liked)
