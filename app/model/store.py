"""The loaded model version, and the store that holds it."""

import ctypes
import gc
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from app.contract.artifact import Artifact
from app.contract.artifact_directory import content_hash, load_artifact
from app.contract.artifact_format import ArtifactError
from app.contract.events import EventTypes
from app.contract.item_document import ItemDocument
from app.contract.recommender import Recommender
from app.contract.similarity import Similarity
from app.errors import NoModelError
from app.model.catalogue_index import CatalogueIndex
from app.model.errors import ModelNotLoadedError, ModelRefusedError
from app.model.item_subsets import ItemSubsets
from app.model.placed_lists import PlacedLists
from app.model.ready_lists import ReadyLists
from app.model.registered_version import RegisteredVersion
from app.schemas.versions import LoadedVersion

WARM_USERS = 4
WARM_K = 100


@dataclass(frozen=True)
class ServedModel:
    """A version of the registered model, ready to answer requests."""

    registered: RegisteredVersion
    described: LoadedVersion
    recommender: Recommender
    similarity: Similarity
    catalogue: CatalogueIndex
    subsets: ItemSubsets
    ready_lists: ReadyLists
    items: Mapping[str, ItemDocument] = field(default_factory=dict)  # what editors have said, by id

    @property
    def version(self) -> str:
        """The number in the registry; for a folder, the start of the content hash."""
        return self.registered.version

    @cached_property
    def event_types(self) -> EventTypes:
        """What events mean to this version."""
        return EventTypes(self.artifact.event_types, self.artifact.min_rating)

    @cached_property
    def placed_lists(self) -> PlacedLists:
        """The lists of placements."""
        return PlacedLists()

    @property
    def artifact(self) -> Artifact:
        """The arrays behind the recommender."""
        return self.recommender.artifact


class Revises(Protocol):
    """Gives versions the current catalogue; the store calls it with its lock held."""

    def revised(self, model: ServedModel) -> ServedModel:
        """The version as it answers now."""

    def let_go(self) -> None:
        """Keep no version in memory."""


class ModelStore:
    """Holds the current model. A request takes one reference and keeps it, so a swap can't disturb it."""

    def __init__(self, revises: Revises | None = None) -> None:
        self._revises = revises
        self._lock = threading.Lock()
        self.loaded: ServedModel | None = None  # as it was loaded
        self._current: ServedModel | None = None

    @property
    def current(self) -> ServedModel | None:
        """The loaded model, or None before the first."""
        return self._current

    def require(self) -> ServedModel:
        """The loaded model; raises NoModelError before the first."""
        if self._current is None:
            raise NoModelError
        return self._current

    def swap(self, model: ServedModel) -> None:
        """Answer the next request from `model`; the former one is freed with its last request."""
        if self._current is None:
            # What is there by now stays: no collection needs to look at it again, which takes 40 ms.
            gc.freeze()
        with self._lock:
            self._current, self.loaded = self._revised(model), model

    def revise(self) -> None:
        """Answer the next request with the current catalogue."""
        with self._lock:
            if self.loaded is not None:
                self._current = self._revised(self.loaded)

    def clear(self) -> None:
        """Let the model go; it is freed with its last request."""
        with self._lock:
            self._current = self.loaded = None
            if self._revises is not None:
                self._revises.let_go()

    def _revised(self, model: ServedModel) -> ServedModel:
        return model if self._revises is None else self._revises.revised(model)


def load_model(directory: Path, registered: RegisteredVersion) -> ServedModel:
    """Verify, map and warm the artifact; raises ModelRefusedError saying what is wrong with it.

    Raises ModelNotLoadedError where the process, not the artifact, is the cause.
    """
    try:
        artifact = load_artifact(directory)
        recommender, catalogue = Recommender(artifact), CatalogueIndex(artifact)
        _warm(recommender, catalogue)
        model = ServedModel(
            registered,
            _described(registered, artifact, content_hash(directory)),
            recommender,
            Similarity(artifact),
            catalogue,
            ItemSubsets(recommender.all_items, catalogue),
            ReadyLists(artifact),
        )
    except ArtifactError as error:
        # The path is a temporary one; the file's name is what matters.
        raise ModelRefusedError(str(error).replace(f"{directory}/", "")) from error
    except (MemoryError, SystemError, OSError) as error:
        raise ModelNotLoadedError(f"Loading failed with {type(error).__name__}: {error}.") from error
    except Exception as error:
        # The artifact came from outside: whatever it makes fail, the loaded model goes on answering.
        raise ModelRefusedError(f"The artifact does not load: {type(error).__name__}: {error}") from error
    _give_memory_back()
    return model


def _described(registered: RegisteredVersion, artifact: Artifact, digest: str) -> LoadedVersion:
    described = LoadedVersion(
        version=registered.version,
        family=artifact.recipe.family,
        users=len(artifact.user_ids),
        items=len(artifact.item_ids),
        dim=artifact.item_embeddings.shape[1],
        data_hash=artifact.recipe.data_hash,
        content_hash=digest,
        registered_at=registered.registered_at,
        loaded_at=datetime.now(timezone.utc),
    )
    described.model_dump_json()  # raises what an answer would
    return described


def _give_memory_back() -> None:
    # glibc would keep what the checks took, 7 MB for 60,000 films; other C libraries have no such function.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _warm(recommender: Recommender, catalogue: CatalogueIndex) -> None:
    # Real queries bring the pages into memory and show that the model ranks.
    n_queries = min(WARM_USERS, recommender.n_users)
    for user_id in recommender.artifact.user_ids[np.linspace(0, recommender.n_users - 1, n_queries, dtype=np.int64)]:
        row = recommender.user_row(str(user_id))
        if row is None:
            raise ArtifactError(f"user_ids.npy holds {str(user_id)!r}, which can't be found again")
        recommender.recommend(np.array([row]), WARM_K)
        recommender.spread.of(recommender.user_vector(row))
    for item_row in recommender.popular(WARM_K).items[0].tolist():
        catalogue.fragment(item_row)
