"""What people like lately: the likes that a version has learned, and those since, each counting less with its age."""

from collections.abc import Sequence

import numpy as np

from app.contract.artifact_format import Float64Array
from app.contract.item_matrix import Mask, Rows
from app.contract.recommender import Recommender
from app.contract.trends import Trend, trends_of
from app.errors import InvalidParameterError
from app.events.overlay import Overlay, learned_until
from app.events.packed_events import Packed, last_of_all
from app.model.registered_version import RegisteredVersion
from app.model.store import ServedModel

KEPT_MODELS = 4  # the loaded one and that on trial, and of each the one before
UNKNOWN = -1


class Trending:
    """The trends of the versions in use."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._fresh: dict[RegisteredVersion, FreshLikes] = {}
        overlay.listeners.append(self)

    def counts(self, model: ServedModel, half_life: float | None = None) -> Float64Array:
        """Likes by item, float64 (n_items,), each halved for every half-life that it is older than the latest event.

        `half_life` is in days, one that the version keeps; None: its own.
        """
        trends = trends_of(model.artifact)
        number = 0 if half_life is None else _number(trends, half_life)
        fresh = self.follow(model)
        with self._overlay.lock:
            return fresh.counts(trends[number], number, model.recommender)

    def follow(self, model: ServedModel) -> "FreshLikes":
        """Count for a version from now on; it takes a while where people have said much since it learned."""
        with self._overlay.lock:
            found = self._fresh.get(model.registered)
            if found is None:
                kept = [*self._fresh.items()][1 - KEPT_MODELS :]
                found = FreshLikes(model, self._overlay)
                self._fresh = {**dict(kept), model.registered: found}
            return found

    def let_go(self, until: float) -> None:
        """Forget versions that need events which the overlay no longer has."""
        self._fresh = {registered: fresh for registered, fresh in self._fresh.items() if fresh.until >= until}

    def hear(self, before: Sequence[bytes], after: Sequence[bytes]) -> None:
        """Count what some users say now, instead of what they had said before."""
        for fresh in self._fresh.values():
            fresh.count(after)
            fresh.count(before, -1)


class FreshLikes:
    """Sums over the likes since a version learned, by half-life and by number of an item in the overlay.

    The sum of an item is as of its latest event: a later event makes it smaller by as much as it has aged meanwhile.
    """

    def __init__(self, model: ServedModel, overlay: Overlay) -> None:
        self._overlay, self._types = overlay, model.event_types
        self.until = learned_until(model.artifact.events, overlay.store_id)
        self._half_lives = np.array([[trend.half_life] for trend in trends_of(model.artifact)])
        self._sums, self._latest = np.zeros((len(self._half_lives), 0)), np.zeros(0)
        self._rows: Rows = np.empty(0, dtype=np.int64)  # of the items, in the model
        self._rows_of: Recommender | None = None
        self._looked_up = 0
        self.count([*overlay.users.values()])

    def count(self, users: Sequence[bytes], times: int = 1) -> None:
        """Count what users say at last about each item so many times: -1 takes back what was counted."""
        said = last_of_all(users, self.until)
        items, likes = said["item"], times * self._are_liked(said)
        self._grow()
        touched = np.unique(items)
        before = self._latest[touched]
        np.maximum.at(self._latest, items, said["time"])
        self._sums[:, touched] *= self._faded(self._latest[touched] - before)
        weights = likes * self._faded(self._latest[items] - said["time"])
        for sums, added in zip(self._sums, weights, strict=True):
            np.add.at(sums, items, added)

    def counts(self, trend: Trend, number: int, recommender: Recommender) -> Float64Array:
        """The likes of all items with one half-life, those that the version has learned among them."""
        self._grow()
        # The same on every replica that has read as far, whatever else it has heard.
        last = self._overlay.last
        now = max(trend.at, last.received_at) if last.position > self.until else trend.at
        counts = np.zeros(recommender.n_items)
        counts[: len(trend.counts)] = trend.counts * 0.5 ** ((now - trend.at) / trend.half_life)
        rows = self._rows_in(recommender)
        known = (rows != UNKNOWN) & (rows < recommender.n_items)
        counts[rows[known]] += (self._sums[number] * 0.5 ** ((now - self._latest) / trend.half_life))[known]
        return np.maximum(counts, 0)  # sums of what was taken back may be a rounding error below

    def _faded(self, seconds: Float64Array) -> Float64Array:
        faded: Float64Array = 0.5 ** (seconds / self._half_lives)
        return faded

    def _are_liked(self, said: Packed) -> Mask:
        liked = np.zeros(len(said), dtype=bool)
        for number in np.unique(said["type"]):
            of_type = said["type"] == number
            name = self._overlay.packing.type_name(int(number))
            liked[of_type] = self._types.are_liked(name, said["value"][of_type])
        return liked

    def _grow(self) -> None:
        more = len(self._overlay.packing.item_ids) - len(self._latest)
        if more > 0:
            more = max(more, len(self._latest))  # doubling keeps copies few
            self._sums = np.pad(self._sums, ((0, 0), (0, more)))
            self._latest = np.pad(self._latest, (0, more))

    def _rows_in(self, recommender: Recommender) -> Rows:
        """The rows of all items in the overlay; those of items that a version knows stay, whatever comes later."""
        ids, rows = self._overlay.packing.item_ids, np.full(len(self._latest), UNKNOWN)
        rows[: len(self._rows)] = self._rows
        is_new = recommender is not self._rows_of
        for number in np.flatnonzero(rows[: len(ids)] == UNKNOWN) if is_new else range(self._looked_up, len(ids)):
            row = recommender.item_row(ids[number])
            rows[number] = UNKNOWN if row is None else row
        self._rows, self._rows_of, self._looked_up = rows, recommender, len(ids)
        return rows


def _number(trends: Sequence[Trend], half_life: float) -> int:
    kept = [trend.days for trend in trends]
    if f"{half_life:g}" not in kept:
        raise InvalidParameterError(
            f"half_life is {half_life:g} days, and this version counts with {', '.join(kept)}: choose one of these.",
            field="half_life",
        )
    return kept.index(f"{half_life:g}")
