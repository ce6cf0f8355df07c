"""Reads format 1 as if it were format 2. To be deleted in the release after the first that writes format 2.

Format 1 has `catalogue.json` in place of the packed catalogue, `ranked_items` in place of `ready_items`, scores of
ready lists that are float64, and no `seen_liked`. Its `user_biases.npy` and `ranked_scores.npy` are not opened.
A sentence about what an array holds names the file that format 2 has for it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.artifact_files import check_hash, load_arrays, read_json
from app.contract.artifact_format import ARRAYS, CATALOGUE_ARRAYS, MANIFEST, Arrays, check_listed, refuse
from app.contract.catalogue import NO_YEAR, Catalogue, Film, pack
from app.contract.ready_scores import NO_SCORE

CATALOGUE = "catalogue.json"
READY = "ranked_items"
MAX_CATALOGUE_BYTES = 1 << 28
NEW = {*CATALOGUE_ARRAYS, "seen_liked"}


def load(directory: Path, files: Mapping[str, Any]) -> Arrays:
    """The arrays of format 2: every seen item counts as liked, every score of a ready list is to be computed."""
    names = [name for name in ARRAYS if name not in NEW] + [READY] * (f"{READY}.npy" in files)
    check_listed(directory / MANIFEST, files, [*(f"{name}.npy" for name in names), CATALOGUE])
    arrays = load_arrays(directory, files, names)
    arrays["seen_liked"] = np.broadcast_to(np.True_, arrays["seen_indices"].shape)
    if READY in arrays:
        ready = arrays["ready_items"] = arrays.pop(READY)
        arrays["ready_scores"] = np.broadcast_to(np.int32(NO_SCORE), ready.shape)
    return arrays | vars(_catalogue(directory / CATALOGUE, files[CATALOGUE], arrays["item_ids"]))


def _catalogue(path: Path, listed: Mapping[str, Any], item_ids: npt.NDArray[Any]) -> Catalogue:
    films = read_json(path, MAX_CATALOGUE_BYTES)
    check_hash(path, listed)
    ids = [str(item_id) for item_id in item_ids.tolist()]
    if missing := [item_id for item_id in ids if item_id not in films]:
        refuse(path, f"lacks {len(missing)} items, the first is {missing[0]!r}")
    return pack([_film(path, item_id, films[item_id]) for item_id in ids])


def _film(path: Path, item_id: str, content: object) -> Film:
    if not isinstance(content, dict):
        refuse(path, f"holds {content!r} for {item_id!r}; expected an object")
    title, year, genres = content.get("title"), content.get("year"), content.get("genres", [])
    if not isinstance(title, str):
        refuse(path, f"holds the title {title!r} for {item_id!r}; expected text")
    if year is not None and not (isinstance(year, int) and NO_YEAR < year < -NO_YEAR):
        refuse(path, f"holds the year {year!r} for {item_id!r}; expected a whole number")
    if not isinstance(genres, list) or not all(isinstance(genre, str) for genre in genres):
        refuse(path, f"holds the genres {genres!r} for {item_id!r}; expected a list of texts")
    try:
        "".join([title, *genres]).encode()
    except UnicodeEncodeError as error:
        refuse(path, f"holds text for {item_id!r} that UTF-8 can't express: {error.reason}")
    return Film(title, year, genres)
