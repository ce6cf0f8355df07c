"""Small artifacts, written as training writes them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from app.contract.artifact import Artifact, Recipe
from app.contract.artifact_directory import write_artifact
from app.contract.catalogue import Catalogue, pack
from app.contract.columns import Column

YEAR, GENRES = Column("year", "number"), Column("genres", "tags")


class Film(NamedTuple):
    """An item with two columns."""

    title: str
    year: int | None = None
    genres: Sequence[str] = ()


def pack_films(films: Sequence[Film]) -> Catalogue:
    """The catalogue of films, whose columns are year and genres."""
    columns = YEAR.filled(film.year for film in films), GENRES.filled(film.genres for film in films)
    return pack([film.title for film in films], columns)


def film_of(catalogue: Catalogue, row: int) -> Film:
    """The film of a row."""
    year, genres = (column.reader()(row) for column in catalogue.columns)
    return Film(catalogue.title(row), year, genres)  # type: ignore[arg-type]


def make_artifact(
    user_ids: npt.ArrayLike = (1, 2, 3, 4),
    item_ids: npt.ArrayLike = (10, 20, 30, 40, 50, 60),
    *,
    dim: int = 3,
    seed: int = 0,
    seen: dict[int, list[int]] | None = None,
    films: Sequence[Film] | None = None,
    **replaced: Any,
) -> Artifact:
    """Random embeddings; `seen` is user row → item rows, all of them liked; `replaced` are fields of Artifact."""
    rng = np.random.default_rng(seed)
    users, items = np.sort(np.asarray(user_ids)), np.sort(np.asarray(item_ids))
    rows = [sorted((seen or {}).get(row, [])) for row in range(len(users))]
    artifact = Artifact(
        recipe=Recipe(family="test", params={"dim": dim}, seed=seed, data_hash="0" * 64),
        user_ids=users,
        item_ids=items,
        user_embeddings=rng.normal(size=(len(users), dim)).astype(np.float32),
        item_embeddings=rng.normal(size=(len(items), dim)).astype(np.float32),
        item_biases=rng.normal(size=len(items)).astype(np.float32),
        item_popularity=np.arange(len(items), 0, -1, dtype=np.int64),
        seen_indptr=np.cumsum([0, *map(len, rows)]).astype(np.int64),
        seen_indices=np.array([item for row in rows for item in row], dtype=np.int32),
        seen_liked=np.ones(sum(map(len, rows)), dtype=bool),
        encoder=np.zeros((len(items), dim), dtype=np.float32),
        encoder_intercept=np.zeros(dim, dtype=np.float32),
        catalogue=pack_films(films or [make_film(str(item)) for item in items]),
    )
    return replace(artifact, **replaced)


def make_film(item_id: str) -> Film:
    """Any film."""
    return Film(f"Film {item_id}", 1990, ["Comedy", "Drama"])


def write(directory: Path, artifact: Artifact | None = None) -> Path:
    """The artifact, or any, on disk."""
    write_artifact(directory, artifact or make_artifact())
    return directory


def damage(path: Path, offset: int = -1) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
