"""The model that serves."""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from app.contract.artifact import CATALOGUE, Artifact, ArtifactError, content_hash, load_artifact
from app.contract.recommender import Recommender
from app.errors import ModelRefusedError, NoModelError
from app.model.catalogue import CHUNK, CatalogueIndex
from app.model.release import Release
from app.model.similarity import Similarity
from app.schemas.items import Film

FILMS = TypeAdapter(list[Film])
WARM_USERS = 16
WARM_K = 100


@dataclass(frozen=True)
class ServedModel:
    """A version of the registered model, ready to answer."""

    release: Release
    content_hash: str
    recommender: Recommender
    similarity: Similarity
    catalogue: CatalogueIndex
    loaded_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    @property
    def version(self) -> str:
        """Its number in the registry; of a folder, the start of the content hash."""
        return self.release.version

    @property
    def artifact(self) -> Artifact:
        """The arrays behind the recommender; the films are in `catalogue`, packed."""
        return self.recommender.artifact


class ModelStore:
    """Holds the current model. A request takes one reference and keeps it, so a swap can't disturb it."""

    def __init__(self) -> None:
        self._current: ServedModel | None = None

    @property
    def current(self) -> ServedModel | None:
        """The model that serves, or None before the first."""
        return self._current

    def require(self) -> ServedModel:
        """The model that serves; raises NoModelError before the first."""
        if self._current is None:
            raise NoModelError("No model has been loaded yet; /model says what is missing.")
        return self._current

    def swap(self, model: ServedModel) -> None:
        """Let the next request be answered by `model`; the former is freed with its last request."""
        self._current = model


def load_model(directory: Path, release: Release) -> ServedModel:
    """Verify, map and warm the artifact; raises ModelRefusedError saying what is wrong with it."""
    try:
        artifact = load_artifact(directory)
        catalogue = CatalogueIndex(artifact.item_ids.tolist(), _films(artifact), artifact.item_popularity)
        # The films as dictionaries would take ten times the memory of the index, and nobody needs both.
        artifact = replace(artifact, catalogue={})
        recommender = Recommender(artifact)
        _warm(recommender)
        model = ServedModel(release, content_hash(directory), recommender, Similarity(artifact), catalogue)
    except ArtifactError as error:
        # The path is a temporary one; the file's name is what matters.
        raise ModelRefusedError(str(error).replace(f"{directory}/", "")) from error
    except Exception as error:
        # The artifact came from outside: whatever it makes fail, the model that serves goes on serving.
        raise ModelRefusedError(f"The artifact does not load: {type(error).__name__}: {error}") from error
    _give_memory_back()
    return model


def _give_memory_back() -> None:
    # glibc would keep what reading the catalogue took, 10 MB for 60,000 films; other C libraries have no such function.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _films(artifact: Artifact) -> Iterator[Film]:
    """The items' films, each checked: it has the fields of Film, and text that UTF-8 can express."""
    ids = [str(item_id) for item_id in artifact.item_ids.tolist()]
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        yield from _checked(chunk, [artifact.catalogue[item_id] for item_id in chunk])


def _checked(ids: list[str], contents: list[dict[str, Any]]) -> list[Film]:
    try:
        films = FILMS.validate_python(contents)
        for item_id, film in zip(ids, films, strict=True):
            "".join([item_id, film.title, *film.genres]).encode()
    except ValidationError as error:
        problem = error.errors()[0]
        row, *place = problem["loc"]
        where = "".join(f" → {part!r}" for part in place)
        sentence = f"{CATALOGUE}, {ids[int(row)]!r}{where}, is {problem['input']!r}: {problem['msg']}"
        raise ArtifactError(sentence) from None
    except UnicodeEncodeError as error:
        raise ArtifactError(f"{CATALOGUE}, {item_id!r}, holds text that can't be answered: {error}") from None
    return films


def _warm(recommender: Recommender) -> None:
    # Real queries bring the pages into memory and show that the model ranks.
    n_queries = min(WARM_USERS, recommender.n_users)
    for user_id in recommender.artifact.user_ids[np.linspace(0, recommender.n_users - 1, n_queries, dtype=np.int64)]:
        row = recommender.user_row(str(user_id))
        if row is None:
            raise ArtifactError(f"user_ids.npy holds {str(user_id)!r}, which can't be found again")
        recommender.recommend(np.array([row]), WARM_K)
    recommender.popular(WARM_K)
