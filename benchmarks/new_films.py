"""What a living catalogue is worth: films arrive at their first rating, and count at once or from the next training on.

usage: MOVIELENS_DIR=<folder> python -m benchmarks.new_films [--sources sample,ml-100k] [--families ease] [--nights 10]

The data is cut in time, and what follows the cut into nights. For each of these a model learns from everything before,
films without a rating being unknown to it, and the ratings that follow come one by one as events. Before each like the
service's own code ranks three times: with the model as it is; with the living catalogue, where a film is added just
before its first rating and moves by who likes it; and with known films, too, moving by the likes since the training. A
like of a film that a model does not know counts as 0. It prints Markdown tables: NDCG@10, and the gain over waiting.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from app.contract.events import CHANGE
from app.contract.recommender import Recommender
from app.events.catalogue_changes import CatalogueChanges
from app.events.live_catalogue import LiveCatalogue
from app.events.overlay import Overlay
from app.events.profiles import Profiles
from app.model.item_fields import ItemFields
from app.model.store import ModelStore, ServedModel
from benchmarks.freshness import Steps, cut_in_time, gain, loaded, ndcg, show, sign
from benchmarks.options import options
from benchmarks.replayed import event, of_films
from training.data.dataset import Dataset
from training.data.features import vectors_of
from training.data.interactions import Interactions
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_artifact, fit_candidate
from training.fitting.validation import LEARNED_FROM
from training.params.whole import Params, load_params
from training.project import Project

KNOWN = -1  # of a film that the night's model has learned; else the likes since it came
PARTS = {
    "all": (KNOWN, 10**9),
    "known films": (KNOWN, KNOWN),
    "new: first like": (0, 0),
    "2 to 5": (1, 4),
    "more": (5, 10**9),
}
LEAST_LIKES = 3  # since the training, for a known film to move
MOVED_EVERY = 100  # steps


@dataclass(frozen=True)
class Night:
    """A model, what it knows, and the ratings until the next one."""

    model: ServedModel
    known: Dataset
    later: Interactions


def nights(dataset: Dataset, params: Params, family: str, n: int) -> Iterator[Night]:
    """Models that have learned from all before, with the ratings that follow."""
    test = dataset.splits["test"]
    order = np.lexsort((test.items, test.times))
    before = [dataset.splits["train"], dataset.splits["validation"]]
    known = of_films(dataset, before)
    chosen = fit_candidate(replace(known, splits=of_films(dataset, before[:1], before[1:]).splits), params, family)
    for part in np.array_split(order, n):
        known = of_films(dataset, before)
        knowledge = Knowledge(known, LEARNED_FROM, params.threads)
        artifact = fit_artifact(knowledge, family, chosen.family, params.seed, chosen.newcomers)
        later = Interactions(*(column[part] for column in test.columns()))
        yield Night(loaded(artifact, params), known, later)
        before.append(later)


def replay(night: Night, dataset: Dataset) -> Iterator[tuple[int, int, float, float, float]]:
    """Of each like: the user, the likes of the film since it came, and NDCG@10 of the three ways."""
    overlay, changes = Overlay(), CatalogueChanges()
    store, films = ModelStore(LiveCatalogue(changes, overlay)), ItemFields(dataset.item_ids, dataset.packed)
    changes.stores.append(store)
    store.swap(night.model)
    waiting, living, moving = (Profiles(overlay) for _ in range(3))
    likes, fresh, live, moved = Counter[str](), Fresh(night), night.model, night.model
    rows = zip(*(column.tolist() for column in night.later.columns()[:4]), strict=True)
    for number, (user, item, positive, stars) in enumerate(rows):
        user_id, item_id = str(dataset.user_ids[user]), str(dataset.item_ids[item])
        is_new = night.model.recommender.item_row(item_id) is None
        if is_new and item_id not in changes.items:
            body = json.dumps(films.content(item))
            changes.add([event("replay", item_id, CHANGE, 2 * number + 1, body=body)])
            changes.revise()
        if positive:
            former, live = live, store.require()
            if live is not former or number % MOVED_EVERY == 0:
                moved = fresh.moved(live)
            before = likes[item_id] if is_new else KNOWN
            ways = ((waiting, night.model), (living, live), (moving, moved))
            yield user, before, *(worth(profiles, model, user_id, item_id) for profiles, model in ways)
            likes[item_id] += 1
            fresh.add(user_id, item_id)
        said = [event(user_id, item_id, "rating", 2 * number + 2, value=stars)]
        overlay.add(said)
        changes.add(said)
        if is_new and positive:
            changes.revise()


class Fresh:
    """Likes of known films since the training, and what they would move: docs/catalogue.md has the formula."""

    def __init__(self, night: Night) -> None:
        self._model, artifact = night.model, night.model.artifact
        self._likes = Counter[int]()
        assert artifact.item_fold_in is not None
        assert artifact.item_encoder is not None
        self._users = artifact.item_fold_in.scaled(artifact.user_embeddings)
        self._sums = np.zeros(artifact.item_embeddings.shape)
        learned = night.known.interactions("train", "validation").positives()
        ids = np.searchsorted(artifact.user_ids, night.known.user_ids)
        matrix = learned.matrix(night.known.n_users, night.known.n_items)
        there = np.isin(night.known.user_ids, artifact.user_ids)
        self._learned = matrix[there].T @ self._users[ids[there]]
        self._n = np.asarray(matrix[there].sum(axis=0)).ravel()
        self._made = vectors_of(night.known.item_features, artifact.item_encoder)[:, :-1]

    def add(self, user_id: str, item_id: str) -> None:
        """Count a like, if the model knows both."""
        user, item = self._model.recommender.user_row(user_id), self._model.recommender.item_row(item_id)
        if user is not None and item is not None and self._users[user].any():
            self._likes[item] += 1
            self._sums[item] += self._users[user]

    def moved(self, live: ServedModel) -> ServedModel:
        """The model with known films where their likes since the training put them."""
        embeddings = live.artifact.item_embeddings.copy(order="F")
        for item, m in self._likes.items():
            if m >= LEAST_LIKES:
                n, learned = self._n[item], self._learned[item]
                former = self._folded(item, learned, n)
                kept = n / (n + 4 * m) * (self._model.artifact.item_embeddings[item] - former)
                embeddings[item] = self._folded(item, learned + self._sums[item], n + m) + kept
        artifact = replace(live.artifact, item_embeddings=embeddings)
        added = {str(each): row for row, each in enumerate(artifact.item_ids) if row >= len(self._n)}
        return replace(live, recommender=Recommender(artifact, added=added))

    def _folded(self, item: int, total: np.ndarray, likes: float) -> np.ndarray:
        artifact = self._model.artifact
        assert artifact.item_fold_in is not None
        assert artifact.fold_in_mean is not None
        moved: np.ndarray = self._made[item] + artifact.item_fold_in.moved(total, int(likes), artifact.fold_in_mean)
        return moved


def worth(profiles: Profiles, model: ServedModel, user_id: str, item_id: str) -> float:
    """NDCG@10 of a film for a user, as they are now."""
    row = model.recommender.item_row(item_id)
    return 0.0 if row is None else ndcg(model, profiles.of(model, user_id), row)


def rows_of(name: str, steps: list[tuple[int, int, float, float, float]]) -> Iterator[str]:
    """A row for each part: NDCG@10 of waiting and of the living catalogue, and what each way gains."""
    users, likes, waiting, living, moving = (np.array(column) for column in zip(*steps, strict=True))
    for part, bounds in PARTS.items():
        live = Steps(users, likes, living, waiting).within(*bounds)
        moved = Steps(users, likes, moving, living).within(*bounds)
        if len(live.users):
            gains = [f"{each.mean:+.4f}{sign(each)}" for each in (gain(live), gain(moved))]
            counts = f"{len(live.users)} / {len(np.unique(live.users))}"
            cells = [f"{name} {part}", counts, f"{live.stale.mean():.4f}", f"{live.fresh.mean():.4f}", *gains]
            yield f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a table."""
    given = options(__doc__, sources=["sample", "ml-100k"], families=["ease"], nights=10)
    params = load_params(Project(Path()).params)
    show("| likes | steps / users | waiting | living | gain | known films move, too |\n|---|---|---|---|---|---|")
    for source in given.sources:
        dataset, cut = cut_in_time(source, params)
        for family in given.families:
            with threadpool_limits(1):
                steps = [
                    step for night in nights(dataset, cut, family, given.nights) for step in replay(night, dataset)
                ]
            show("\n".join(rows_of(f"{source} {family}", steps)))


if __name__ == "__main__":
    main()
