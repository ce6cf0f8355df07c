"""What the arrays of an artifact must hold; shapes and types are checked by the format."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.artifact_format import AGED, TRENDING, Arrays, check_shapes, refuse, table_of
from app.contract.catalogue import BREAK
from app.contract.columns import FIRST_TIME, LAST_TIME, NO_FLAG, NO_TIME
from app.contract.packed_text import texts_of

# Far beyond what any model learns, and small enough that no sum of products leaves float32.
MAX_MAGNITUDE = 1e12
MAX_TEXT_BYTES = 1 << 28
LAST_CODE_POINT = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)
PADDING = -1


def check_contents(directory: Path, arrays: Arrays, columns: Sequence[Mapping[str, Any]] = ()) -> None:
    """Refuse contradicting arrays, numbers that no model learns, unsorted ids, and text that isn't UTF-8."""
    check_shapes(directory, arrays, table_of(columns, arrays))
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not name.endswith("_values"):
            _check_numbers(directory / f"{name}.npy", array)
    for name in ("user_ids", "item_ids"):
        _check_ids(directory / f"{name}.npy", arrays[name])
    for name in ("item_popularity", AGED, TRENDING):
        if name in arrays and arrays[name].min() < 0:
            refuse(directory / f"{name}.npy", "holds a negative number")
    _check_seen(directory, arrays)
    _check_titles(directory, arrays)
    for number, column in enumerate(columns):
        if column["filter"] or column["shown"]:
            _check_column(directory, arrays, f"column_{number}_", column["type"])
        if f"column_{number}_words" in arrays:
            _check_words(directory, arrays, f"column_{number}_")
    if "ready_items" in arrays:
        _check_ready(directory / "ready_items.npy", arrays["ready_items"], len(arrays["item_ids"]))


def check_features(
    path: Path, features: object, encoder: npt.NDArray[Any] | None, columns: Sequence[Mapping[str, Any]], arrays: Arrays
) -> None:
    """Refuse features that don't match the columns, their words, or the encoder's rows; the last is the constant."""
    n_features = 0 if encoder is None else len(encoder) - 1
    types = {column["name"]: column["type"] for column in columns}
    components = Counter[str]()
    if not isinstance(features, list):
        refuse(path, "has features that aren't a list")
    for each in features:
        kind = types.get(str(each.get("column"))) if isinstance(each, dict) else None
        if kind is None or not _is_feature(each, kind, components):
            refuse(path, f"has the feature {each!r:.80}, which follows from no column")
    if len(features) != n_features:
        refuse(path, f"has {len(features)} features for an encoder of {n_features}")
    for number, column in enumerate(columns):
        vectors, n_components = arrays.get(f"column_{number}_word_vectors"), components[column["name"]]
        if n_components and vectors is not None and n_components != vectors.shape[1]:
            refuse(path, f"has {n_components} components of {column['name']}, whose words have {vectors.shape[1]}")


def _is_feature(feature: Mapping[str, Any], kind: str, components: Counter[str]) -> bool:
    """Whether it can follow from a column of this type; `components` are those of each column so far."""
    if "value" in feature:
        return type(feature["value"]) is {"tag": str, "tags": str, "flag": bool}.get(kind)
    if "component" in feature:
        components[feature["column"]] += 1
        is_next = feature["component"] == components[feature["column"]] - 1
        return kind in ("vector", "text") and is_next and _is_number(feature.get("scale"))
    limits = [feature[key] for key in ("from", "to") if feature.get(key) is not None]
    return all(map(_is_number, limits)) and (kind in ("number", "time") or not limits)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_MAGNITUDE


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


def _check_titles(directory: Path, arrays: Arrays) -> None:
    _check_texts(directory, arrays, "titles", "title_offsets")
    folded, breaks = arrays["folded_titles"], arrays["folded_breaks"]
    _check_text(directory / "folded_titles.npy", folded, breaks)
    found = np.flatnonzero(folded == ord(BREAK))
    if not np.array_equal(found, breaks) or breaks[0] != 0 or breaks[-1] != len(folded) - 1:
        refuse(
            directory / "folded_breaks.npy",
            "is not where folded_titles.npy has line breaks: one before each title, one at the end",
        )


def _check_column(directory: Path, arrays: Arrays, prefix: str, kind: str) -> None:
    if kind in ("text", "link"):
        _check_texts(directory, arrays, f"{prefix}text", f"{prefix}text_offsets")
    elif kind in ("tag", "tags"):
        _check_tags(directory, arrays, prefix, one=kind == "tag")
    elif kind != "vector":
        _check_values(directory / f"{prefix}values.npy", arrays[f"{prefix}values"], kind)


def _check_words(directory: Path, arrays: Arrays, prefix: str) -> None:
    _check_texts(directory, arrays, f"{prefix}words", f"{prefix}word_offsets")
    words = texts_of(arrays[f"{prefix}words"], arrays[f"{prefix}word_offsets"])
    if any(first >= second for first, second in pairwise(words)):
        refuse(directory / f"{prefix}words.npy", "is not sorted, or holds a word twice")


def _check_tags(directory: Path, arrays: Arrays, prefix: str, *, one: bool) -> None:
    _check_texts(directory, arrays, f"{prefix}names", f"{prefix}name_offsets")
    _check_offsets(directory, arrays, f"{prefix}indptr", f"{prefix}codes")
    codes, n_tags = arrays[f"{prefix}codes"], len(arrays[f"{prefix}name_offsets"]) - 1
    _check_rows(directory / f"{prefix}codes.npy", codes, n_tags, "tags")
    if one and np.diff(arrays[f"{prefix}indptr"]).max() > 1:
        refuse(directory / f"{prefix}indptr.npy", "gives an item two tags; use the type tags for that")


def _check_values(path: Path, values: npt.NDArray[Any], kind: str) -> None:
    if kind == "number" and np.isinf(values).any():
        refuse(path, "holds infinity")
    if kind == "flag" and not np.isin(values, (NO_FLAG, 0, 1)).all():
        refuse(path, "holds numbers other than -1, 0 and 1")
    if kind == "time" and not ((values == NO_TIME) | ((values >= FIRST_TIME) & (values < LAST_TIME))).all():
        refuse(path, "holds a time outside of the years 1 to 9998")


def _check_texts(directory: Path, arrays: Arrays, text: str, offsets: str) -> None:
    _check_offsets(directory, arrays, offsets, text)
    _check_text(directory / f"{text}.npy", arrays[text], arrays[offsets])


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
