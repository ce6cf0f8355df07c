"""The loaded version with the current catalogue: what has changed, come or gone since it learned."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array, Float64Array
from app.contract.catalogue import Catalogue, pack
from app.contract.columns import Column
from app.contract.ids import as_number
from app.contract.item_document import TITLE, ItemDocument
from app.contract.item_features import features_of
from app.contract.item_matrix import Rows
from app.contract.merged_catalogue import merged_catalogue
from app.contract.recommender import Recommender
from app.contract.similarity import Similarity
from app.model.catalogue_index import CatalogueIndex
from app.model.item_subsets import ItemSubsets
from app.model.ready_lists import ReadyLists
from app.model.store import ServedModel

AT_ONCE = 4096  # items whose features are in memory together

Items = Mapping[str, ItemDocument]


class Crowd(NamedTuple):
    """Those who like an item: the sum of their scaled vectors, float64 (dim,), and how many they are."""

    total: Float64Array
    likes: int


class Revision:
    """A version, and what it has become by changes of items and by people's likes of new ones.

    The rows of what the model knows stay; further items come after them, in the order of their first changes. Each
    revision is made of the one before, so it costs what has changed since, and the copying of arrays.
    """

    def __init__(self, base: ServedModel) -> None:
        self.base = self.current = base
        self._n_learned = base.recommender.n_items
        self._learned_row = cache(base.recommender.item_row)
        self._items: Items = {}
        self._rows: dict[str, int] = {}  # of the changed items that this version can have
        self._added: dict[str, int] = {}
        self._timed: set[str] = set()
        self._withdrawn: frozenset[int] = frozenset()
        # What the columns of added items say: float32 (n, dim + 1), the last column being the bias.
        self._made: Float32Array = np.empty((0, base.artifact.item_embeddings.shape[1] + 1), dtype=np.float32)

    def added(self, items: Items) -> list[str]:
        """Those of these items that the model does not know, and can have.

        An id that the next model could not have comes from another service alone.
        """
        has_numbers = self.base.artifact.item_ids.dtype.kind == "i"
        unknown = [each for each in items if each in self._added or self._learned_row(each) is None]
        return [each for each in unknown if not has_numbers or as_number(each) is not None]

    def revise(self, items: Items, crowds: Mapping[str, Crowd], heard: Iterable[str], now: float) -> ServedModel:
        """The version as it answers at a time, seconds since 1970, when all changed items are `items`, by id.

        `crowds` are those of added items, of which `heard` have changed.
        """
        changed = {item_id: each for item_id, each in items.items() if self._items.get(item_id) is not each}
        added = self._take_in(changed)
        self._items = items
        changed = {each: item for each, item in changed.items() if each in self._rows}
        withdrawn = self._withdrawn_at(changed, now)
        moved = self._moved(changed, len(added), crowds, heard)
        if changed or moved or withdrawn != self._withdrawn:
            has_new_index = bool(changed) or withdrawn != self._withdrawn
            self._withdrawn = withdrawn
            self.current = self._model(self._artifact(changed, added, moved), has_new_index=has_new_index)
        return self.current

    def _take_in(self, changed: Items) -> list[str]:
        """Give the changed items rows, and return those that had none."""
        self._timed |= {
            each for each, item in changed.items() if (item.available_from, item.available_until) != (None, None)
        }
        new = {each: item for each, item in changed.items() if each not in self._rows}
        added = self.added(new)
        self._added |= {each: self._n_learned + len(self._added) + n for n, each in enumerate(added)}
        for each in new:
            row = self._added[each] if each in self._added else self._learned_row(each)
            if row is not None:
                self._rows[each] = row
        return added

    def _withdrawn_at(self, changed: Items, now: float) -> frozenset[int]:
        uncertain = {*changed, *self._timed} & self._rows.keys()
        gone = {self._rows[each] for each in uncertain if not self._items[each].is_available(now)}
        return self._withdrawn.difference(self._rows[each] for each in uncertain) | gone

    def _artifact(self, changed: Items, added: Sequence[str], moved: Mapping[int, Float32Array]) -> Artifact:
        former = self.current.artifact
        artifact = replace(former, catalogue=self._catalogue(former.catalogue, changed, len(added)))
        if not moved:
            return artifact
        embeddings, biases = _extended(former.item_embeddings, len(added)), _extended(former.item_biases, len(added))
        for row, vector in moved.items():
            embeddings[row], biases[row] = vector[:-1], vector[-1]
        artifact = replace(artifact, item_embeddings=embeddings, item_biases=biases)
        return _with_ids(artifact, added) if added else artifact

    def _catalogue(self, former: Catalogue, changed: Items, n_added: int) -> Catalogue:
        if not changed:
            return former
        n_items, columns = len(former.title_offsets) - 1, former.columns
        titles = [each.content[TITLE] for each in changed.values()]
        filled = [column.filled([each.value(column) for each in changed.values()]) for column in columns]
        rows = np.arange(n_items + n_added)
        rows[[self._rows[each] for each in changed]] = n_items + np.arange(len(changed))
        return merged_catalogue(former, pack(titles, filled), rows)

    def _moved(
        self, changed: Items, n_added: int, crowds: Mapping[str, Crowd], heard: Iterable[str]
    ) -> dict[int, Float32Array]:
        """Vectors with biases, by row, of the items that have others now."""
        artifact = self.base.artifact
        self._made = _extended(self._made, n_added)
        new = {each: item for each, item in changed.items() if each in self._added}
        rows = [self._added[each] - self._n_learned for each in new]
        self._made[rows] = _made(artifact, [*new.values()], artifact.catalogue.columns)
        moved = self._follow_features({self._rows[each]: item for each, item in changed.items() if each not in new})
        for each in dict.fromkeys([*new, *heard]):
            vector = self._made[self._added[each] - self._n_learned].copy()
            if artifact.item_fold_in is not None and artifact.fold_in_mean is not None and each in crowds:
                vector[:-1] += artifact.item_fold_in.moved(*crowds[each], artifact.fold_in_mean)
            moved[self._added[each]] = vector
        return moved

    def _follow_features(self, changed: Mapping[int, ItemDocument]) -> dict[int, Float32Array]:
        """What was learned of items, moved by the difference that their new columns make."""
        artifact, catalogue, now = self.base.artifact, self.base.catalogue, self.current.artifact
        former = [ItemDocument(catalogue.content(row)) for row in changed]
        known = [column for column in artifact.catalogue.columns if column.arrays]  # of others nothing former is known
        differences = _made(artifact, [*changed.values()], known) - _made(artifact, former, known)
        moved = {}
        for row, difference in zip(changed, differences, strict=True):
            vector = np.append(artifact.item_embeddings[row], artifact.item_biases[row]) + difference
            if difference.any() or (vector[:-1] != now.item_embeddings[row]).any():
                moved[row] = vector
        return moved

    def _model(self, artifact: Artifact, *, has_new_index: bool) -> ServedModel:
        withdrawn: Rows = np.array(sorted(self._withdrawn), dtype=np.int64)
        recommender = Recommender(artifact, withdrawn, dict(self._added), self.base.recommender.spread)
        catalogue = CatalogueIndex(artifact, recommender.withdrawn) if has_new_index else self.current.catalogue
        return replace(
            self.base,
            items=self._items,
            recommender=recommender,
            similarity=Similarity(artifact, recommender.withdrawn),
            catalogue=catalogue,
            subsets=ItemSubsets(recommender.all_items, catalogue),
            ready_lists=ReadyLists(artifact, recommender, self._n_learned),
        )


def _made(artifact: Artifact, items: Sequence[ItemDocument], columns: Iterable[Column]) -> Float32Array:
    """What these columns say of items: vectors with biases, float32 (n, dim + 1).

    Without an encoder zero, and the bias of the middle item.
    """
    if artifact.item_encoder is None:
        made = np.zeros((len(items), artifact.item_embeddings.shape[1] + 1), dtype=np.float32)
        made[:, -1] = np.median(artifact.item_biases)
        return made
    parts = [items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE)]
    values = ({each.name: each.learned([item.value(each) for item in part]) for each in columns} for part in parts)
    features = (features_of(of, artifact.item_features, len(part)) for of, part in zip(values, parts, strict=True))
    nothing: Float32Array = np.empty((0, artifact.item_encoder.shape[1]), dtype=np.float32)
    return np.concatenate([nothing, *(each @ artifact.item_encoder for each in features)])


def _extended(array: Float32Array, n: int) -> Float32Array:
    """A copy with n more rows, in the order in memory that scoring wants."""
    copy = np.empty((len(array) + n, *array.shape[1:]), dtype=array.dtype, order="F")
    copy[: len(array)] = array
    return copy


def _with_ids(artifact: Artifact, ids: Sequence[str]) -> Artifact:
    numbers = [as_number(each) for each in ids] if artifact.item_ids.dtype.kind == "i" else ids
    zeros, aged = np.zeros((len(ids), artifact.encoder.shape[1]), dtype=np.float32), artifact.aged_popularity
    return replace(
        artifact,
        item_ids=np.concatenate([artifact.item_ids, np.array(numbers)]),
        item_popularity=np.concatenate([artifact.item_popularity, np.zeros(len(ids), dtype=np.int64)]),
        aged_popularity=None if aged is None else np.concatenate([aged, zeros[:, 0]]),
        encoder=np.concatenate([artifact.encoder, zeros]),
    )
