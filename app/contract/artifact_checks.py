"""What the arrays of an artifact must hold; shapes and types are checked by the format."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.artifact_format import Arrays, check_shapes, refuse
from app.contract.catalogue import BREAK

# Far beyond what any model learns, and small enough that no sum of products leaves float32.
MAX_MAGNITUDE = 1e12
MAX_TEXT_BYTES = 1 << 28
LAST_CODE_POINT = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)
PADDING = -1


def check_contents(directory: Path, arrays: Arrays) -> None:
    """Refuse arrays that contradict each other, numbers no model learns, ids out of order, text that isn't UTF-8."""
    check_shapes(directory, arrays)
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            _check_numbers(directory / f"{name}.npy", array)
    for name in ("user_ids", "item_ids"):
        _check_ids(directory / f"{name}.npy", arrays[name])
    if arrays["item_popularity"].min() < 0:
        refuse(directory / "item_popularity.npy", "holds a negative number")
    _check_seen(directory, arrays)
    _check_catalogue(directory, arrays)
    if "ready_items" in arrays:
        _check_ready(directory / "ready_items.npy", arrays["ready_items"], len(arrays["item_ids"]))


def _check_numbers(path: Path, array: npt.NDArray[Any]) -> None:
    extremes = np.array([array.min(), array.max()])
    if not np.isfinite(extremes).all():
        refuse(path, "holds NaN or infinity")
    if np.abs(extremes).max() > MAX_MAGNITUDE:
        refuse(path, f"holds numbers beyond ±{MAX_MAGNITUDE:g}: the model has diverged")


def _check_ids(path: Path, ids: npt.NDArray[Any]) -> None:
    if ids.dtype.kind == "U":
        code_points = np.ascontiguousarray(ids).view(np.uint32)
        surrogates = (code_points >= SURROGATES[0]) & (code_points <= SURROGATES[1])
        if code_points.max(initial=0) > LAST_CODE_POINT or surrogates.any():
            refuse(path, "holds text that is not valid Unicode")
    if not (ids[:-1] < ids[1:]).all():
        refuse(path, "is not sorted, or holds an id twice")


def _check_seen(directory: Path, arrays: Arrays) -> None:
    _check_offsets(directory, arrays, "seen_indptr", "seen_indices")
    _check_rows(directory / "seen_indices.npy", arrays["seen_indices"], len(arrays["item_ids"]), "items")
    # NumPy trusts a bool to be 0 or 1 and would count wrongly.
    if arrays["seen_liked"].view(np.uint8).max(initial=0) > 1:
        refuse(directory / "seen_liked.npy", "holds bytes other than 0 and 1")


def _check_catalogue(directory: Path, arrays: Arrays) -> None:
    for text, offsets in (("titles", "title_offsets"), ("genre_names", "genre_name_offsets")):
        _check_offsets(directory, arrays, offsets, text)
        _check_text(directory / f"{text}.npy", arrays[text], arrays[offsets])
    _check_offsets(directory, arrays, "genre_indptr", "genre_codes")
    n_genres = len(arrays["genre_name_offsets"]) - 1
    _check_rows(directory / "genre_codes.npy", arrays["genre_codes"], n_genres, "genres")
    folded, breaks = arrays["folded_titles"], arrays["folded_breaks"]
    _check_text(directory / "folded_titles.npy", folded, breaks)
    found = np.flatnonzero(folded == ord(BREAK))
    if not np.array_equal(found, breaks) or breaks[0] != 0 or breaks[-1] != len(folded) - 1:
        refuse(
            directory / "folded_breaks.npy",
            "is not where folded_titles.npy has line breaks: one before each title, one at the end",
        )


def _check_ready(path: Path, ready: npt.NDArray[np.int32], n_items: int) -> None:
    _check_rows(path, ready, n_items, "items", least=PADDING)
    if ((ready[:, :-1] == PADDING) & (ready[:, 1:] != PADDING)).any():
        refuse(path, f"holds {PADDING} before an item; it may only pad the end of a list")


def _check_offsets(directory: Path, arrays: Arrays, name: str, of: str) -> None:
    offsets, length = arrays[name], len(arrays[of])
    if offsets[0] != 0 or offsets[-1] != length or (offsets[:-1] > offsets[1:]).any():
        refuse(directory / f"{name}.npy", f"does not rise from 0 to {length}, the length of {of}")


def _check_rows(path: Path, rows: npt.NDArray[Any], n: int, of: str, least: int = 0) -> None:
    if rows.size and not (rows.min() >= least and rows.max() < n):
        refuse(path, f"points outside the {of}")


def _check_text(path: Path, text: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
    if len(text) > MAX_TEXT_BYTES:
        refuse(path, f"is larger than {MAX_TEXT_BYTES} bytes")
    try:
        str(text.data, "utf-8")
    except UnicodeDecodeError as error:
        refuse(path, f"is not UTF-8: {error.reason} at byte {error.start}")
    # The text is whole; so is each part that begins with no continuation of a character.
    begins = text[offsets[(offsets >= 0) & (offsets < len(text))]]
    if ((begins & 0xC0) == 0x80).any():
        refuse(path, "is cut within a character by its offsets")
