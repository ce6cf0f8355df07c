"""The list that a user should get, worked out with plain NumPy and nothing of the service."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.contract.artifact import Artifact


class Films:
    """The films of an artifact, ranked for a user."""

    def __init__(self, artifact: Artifact, described: Sequence[Mapping[str, Any]]) -> None:
        self._artifact = artifact
        self._available = np.array([film["available"] for film in described])
        self._years = np.array([-1 if film["year"] is None else film["year"] for film in described])
        self._genres = [{genre.lower() for genre in film["genres"]} for film in described]

    def allowed(self, query: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which films pass the filters, bool (n_items,)."""
        ids, years = self._artifact.item_ids, self._years
        mask = self._available & ~np.isin(ids, query.get("exclude", []))
        wanted = {name.lower() for name in query.get("genre", [])}
        unwanted = {name.lower() for name in query.get("exclude_genre", [])}
        mask &= np.array([not wanted or bool(wanted & each) for each in self._genres])
        mask &= np.array([not unwanted & each for each in self._genres])
        if "year_from" in query:
            mask &= (years >= query["year_from"]) & (years >= 0)
        if "year_to" in query:
            mask &= (years <= query["year_to"]) & (years >= 0)
        return mask

    def best(self, user: str, query: dict[str, Any]) -> tuple[list[int], list[float]]:
        """Ids and scores of the page."""
        artifact = self._artifact
        row = {str(known): row for row, known in enumerate(artifact.user_ids)}.get(user)
        mask = self.allowed(query)
        vector = artifact.user_embeddings[row].astype(np.float64) if row is not None else np.zeros(1)
        if row is not None and not query.get("include_seen"):
            seen = artifact.seen_indices[artifact.seen_indptr[row] : artifact.seen_indptr[row + 1]]
            mask[seen] = False
        if vector.any():
            scores = artifact.item_embeddings.astype(np.float64) @ vector + artifact.item_biases
        else:
            scores = artifact.item_popularity.astype(np.float64)
        rows = np.flatnonzero(mask)
        order = rows[np.argsort(-scores[rows], kind="stable")]
        page = order[query.get("offset", 0) :][: query.get("k", 10)]
        return artifact.item_ids[page].tolist(), scores[page].tolist()
