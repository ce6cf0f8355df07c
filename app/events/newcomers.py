"""Which new items are shown to learn whether people like them: by Thompson sampling over likes and showings."""

import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from app.contract.artifact_format import Float64Array
from app.contract.item_matrix import Rows
from app.contract.placed import NOTHING_NEW
from app.contract.placement_rules import Exploration
from app.contract.trends import trends_of
from app.events.showings import Counts, Showings
from app.events.trending import Trending
from app.model.registered_version import RegisteredVersion
from app.model.store import ServedModel

SECONDS = 60.0
FAIR = 100  # showings; before, nothing that is known of an item counts
MOST = 3 * FAIR  # showings in 30 days; an item that few like would go on being shown where no other is new
DRAWS = 1000
KEPT = 16  # of versions and placements

logger = logging.getLogger(__name__)


class _Kept(NamedTuple):
    weights: Mapping[int, float]
    until: float


class Newcomers:
    """The chances of new items to get an explored rank, drawn anew each minute, in a thread.

    Thompson sampling takes an item as often as it wins a draw from what its rate of likes may be. Here a minute's draws
    are made at once, and a list has one of them by lot: so an item's odds are exactly its share of these draws.
    """

    def __init__(self, trending: Trending, showings: Showings | None = None) -> None:
        self.trending, self._showings = trending, showings or Showings()
        self._kept: dict[tuple[RegisteredVersion, Exploration], _Kept] = {}
        self._rng = np.random.default_rng()
        self._thread = ThreadPoolExecutor(1, "newcomers")

    def weights(self, model: ServedModel, exploration: Exploration) -> Mapping[int, float]:
        """The share of draws that new items win, by row; items that win none are not among them."""
        if not exploration.new_below:
            return NOTHING_NEW
        kept, now = self._kept.get((model.registered, exploration)), time.monotonic()
        if kept is None:
            return self._draw(model, exploration)
        if now >= kept.until:  # the former draws hold until there are new ones
            self._keep(model, exploration, kept.weights)
            self._thread.submit(self._try_to_draw, model, exploration)
        return kept.weights

    def _try_to_draw(self, model: ServedModel, exploration: Exploration) -> None:
        try:
            self._draw(model, exploration)
        except Exception:
            logger.exception("New items could not be drawn: the former draws hold for another minute")

    def _draw(self, model: ServedModel, exploration: Exploration) -> Mapping[int, float]:
        return self._keep(model, exploration, self._drawn(model, exploration))

    def _keep(self, model: ServedModel, exploration: Exploration, weights: Mapping[int, float]) -> Mapping[int, float]:
        kept = [*self._kept.items()][1 - KEPT :]
        self._kept = {**dict(kept), (model.registered, exploration): _Kept(weights, time.monotonic() + SECONDS)}
        return weights

    def _drawn(self, model: ServedModel, exploration: Exploration) -> Mapping[int, float]:
        """What a minute's draws say; likes and showings count less with their age, alike."""
        is_new = model.artifact.item_popularity < exploration.new_below
        is_new[model.recommender.withdrawn] = False
        rows = np.flatnonzero(is_new)
        ids = [str(each) for each in model.artifact.item_ids[rows].tolist()]
        counts = self._showings.counts(ids, trends_of(model.artifact)[0].half_life)
        has_room = (counts.today < exploration.most_a_day) & (counts.all < MOST)
        rows, counts = rows[has_room], counts.where(has_room)
        wins = won(self.trending.counts(model)[rows], counts, exploration.among, self._rng)
        return dict(zip(rows[wins > 0].tolist(), wins[wins > 0].tolist(), strict=True))


def won(likes: Float64Array, counts: Counts, most: int, rng: np.random.Generator) -> Float64Array:
    """The share of draws that each item wins, float64 (n,), above 0 for `most` at most.

    An item's rate is drawn from Beta(1 + likes, 1 + showings without a like), and before its first hundred showings
    from Beta(1, 1), so all of these have the same chance.
    """
    likes = np.minimum(likes, counts.faded) * (counts.all >= FAIR)
    others = counts.faded * (counts.all >= FAIR) - likes
    shares = np.zeros(len(likes))
    best: Rows = np.argsort(-rng.beta(1 + likes, 1 + others))[:most]
    if len(best):
        winners = rng.beta(1 + likes[best], 1 + others[best], (DRAWS, len(best))).argmax(axis=1)
        shares[best] = np.bincount(winners, minlength=len(best)) / DRAWS
    return shares
