"""A world for simulations: films with history, new ones that come later, and who likes which of them.

It is simulated as the sample is. Whether somebody likes a film is drawn once. All films of the catalogue have history;
half of the new ones are of the fifth that most people like, half of the fifth that fewest like, and one comes each day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.big_artifact import Size
from benchmarks.simulated import simulated
from training.data.dataset import Dataset
from training.data.interactions import Interactions
from training.params.whole import Params

SIZE = Size(1_500, 600, 120_000)
VIEWERS, N_NEW = 300, 8
NEW_BELOW = 30  # likes: an old film has as many at least


@dataclass(frozen=True)
class World:
    """Old films with ratings, viewers, what users like, bool (n_users, n_items), and the new films: good, then bad."""

    dataset: Dataset
    viewers: np.ndarray
    likes: np.ndarray
    new: Sequence[int]

    @classmethod
    def of(cls, params: Params, seed: int) -> "World":
        """Simulate one."""
        dataset, simulation = simulated(SIZE, params, seed)
        rng, users = np.random.default_rng(seed), np.searchsorted(simulation.user_ids, dataset.user_ids)
        appeal = simulation.appeal[users][:, np.searchsorted(simulation.item_ids, dataset.item_ids)]
        likes = rng.random(appeal.shape) < appeal
        order, fifth = np.argsort(-likes.mean(axis=0)), dataset.n_items // 5
        new = [*rng.choice(order[:fifth], N_NEW // 2, False), *rng.choice(order[-fifth:], N_NEW // 2, False)]
        rated = Interactions.concatenate(dataset.splits.values())
        is_old = np.bincount(rated.positives().items, minlength=dataset.n_items) >= NEW_BELOW
        is_old[new] = False
        nothing = rated.where(np.zeros(len(rated), dtype=bool))
        splits = dict.fromkeys(dataset.splits, nothing) | {"train": rated.where(is_old[rated.items])}
        viewers = rng.choice(dataset.n_users, VIEWERS, False)
        return cls(replace(dataset, splits=splits), viewers, likes, [int(each) for each in new])

    def comes(self, item: int) -> int:
        """The day on which a new film comes: good and bad ones take turns."""
        is_bad, number = divmod(self.new.index(item), N_NEW // 2)
        return 2 * number + is_bad

    def fans(self, item: int) -> set[int]:
        """The viewers who like a film."""
        return {int(user) for user in self.viewers if self.likes[user, item]}
