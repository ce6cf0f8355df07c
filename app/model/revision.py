"""A loaded version with the catalogue of now: what has changed, come or gone since it learned."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact, Float32Array
from app.contract.catalogue import Catalogue, pack
from app.contract.ids import as_number
from app.contract.item_document import TITLE, ItemDocument
from app.contract.item_features import features_of
from app.contract.merged_catalogue import merged_catalogue
from app.contract.recommender import Recommender
from app.model.catalogue import CatalogueIndex
from app.model.item_subsets import ItemSubsets
from app.model.ready_lists import ReadyLists
from app.model.similarity import Similarity
from app.model.store import ServedModel


class _Changed(NamedTuple):
    """Changed items: the rows of those that the model knows, and of further ones, from the number of its items on."""

    rows: list[int]
    ids: list[str]
    documents: list[ItemDocument]


def revised(base: ServedModel, items: Mapping[str, ItemDocument], now: float) -> ServedModel:
    """The version as it answers at a time, seconds since 1970, where these items, by id, have changed.

    The rows of what the model knows stay; further items come after them. `base` itself where nothing has changed.
    """
    if not items:
        return base
    changed = _changed(base.recommender, items)
    n_items, added = base.recommender.n_items, changed.ids
    artifact = _artifact(base.artifact, changed, n_items)
    withdrawn = np.array(
        [row for row, each in zip(changed.rows, changed.documents, strict=True) if not each.is_available(now)],
        dtype=np.int64,
    )
    recommender = Recommender(artifact, np.sort(withdrawn), {name: n_items + n for n, name in enumerate(added)})
    catalogue = CatalogueIndex(artifact, recommender.withdrawn)
    return replace(
        base,
        recommender=recommender,
        similarity=Similarity(artifact, recommender.withdrawn),
        catalogue=catalogue,
        subsets=ItemSubsets(recommender.all_items, catalogue),
        ready_lists=ReadyLists(artifact, recommender, n_items),
    )


def _changed(recommender: Recommender, items: Mapping[str, ItemDocument]) -> _Changed:
    rows = {item_id: recommender.item_row(item_id) for item_id in items}
    known = [item_id for item_id, row in rows.items() if row is not None]
    ids = recommender.artifact.item_ids
    # An id that the next model could not have comes from another service alone.
    added = sorted(
        each for each in rows if rows[each] is None and (ids.dtype.kind != "i" or as_number(each) is not None)
    )
    all_rows = [row for row in rows.values() if row is not None] + [*range(len(ids), len(ids) + len(added))]
    return _Changed(all_rows, added, [items[each] for each in (*known, *added)])


def _artifact(base: Artifact, changed: _Changed, n_items: int) -> Artifact:
    columns = base.catalogue.columns
    titles = [each.content[TITLE] for each in changed.documents]
    filled = [column.filled([each.value(column) for each in changed.documents]) for column in columns]
    rows = np.arange(n_items + len(changed.ids))
    rows[changed.rows] = n_items + np.arange(len(changed.documents))
    catalogue = merged_catalogue(base.catalogue, pack(titles, filled), rows)
    if not changed.ids:
        return replace(base, catalogue=catalogue)
    return _with_items(base, catalogue, changed.ids, changed.documents[-len(changed.ids) :])


def _with_items(
    base: Artifact, catalogue: Catalogue, ids: Sequence[str], documents: Sequence[ItemDocument]
) -> Artifact:
    """The artifact with items whose vectors and biases follow from their columns, where it can tell."""
    vectors, biases = _learned_from_columns(base, documents)
    numbers = [as_number(each) for each in ids] if base.item_ids.dtype.kind == "i" else ids
    zeros = np.zeros((len(ids), base.encoder.shape[1]), dtype=np.float32)
    return replace(
        base,
        catalogue=catalogue,
        item_ids=np.concatenate([base.item_ids, np.array(numbers)]),
        item_embeddings=np.asfortranarray(np.concatenate([base.item_embeddings, vectors])),
        item_biases=np.concatenate([base.item_biases, biases]),
        item_popularity=np.concatenate([base.item_popularity, np.zeros(len(ids), dtype=np.int64)]),
        encoder=np.concatenate([base.encoder, zeros]),
    )


def _learned_from_columns(base: Artifact, documents: Sequence[ItemDocument]) -> tuple[Float32Array, Float32Array]:
    """Vectors, float32 (n, dim), and biases, float32 (n,); without an encoder zero, and the bias of the middle item."""
    if base.item_encoder is None:
        biases = np.full(len(documents), np.median(base.item_biases), dtype=np.float32)
        return np.zeros((len(documents), base.item_embeddings.shape[1]), dtype=np.float32), biases
    columns = base.catalogue.columns
    values: list[dict[str, Any]] = [{each.name: one.value(each) for each in columns} for one in documents]
    features: npt.NDArray[np.float32] = np.stack([features_of(each, base.item_features) for each in values])
    made: Float32Array = features @ base.item_encoder
    return made[:, :-1], np.ascontiguousarray(made[:, -1])
