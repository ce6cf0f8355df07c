"""What the manifest of an artifact must say."""

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from app.contract.artifact_format import (
    AGED,
    BY_ITEM,
    BY_TIME,
    COLUMN_ARRAYS,
    FORMAT_VERSION,
    KIND,
    MAX_COLUMNS,
    OLDEST_VERSION,
    TRENDING,
    refuse,
)
from app.contract.events import types_problem

MAX_MIN_RATING = 1e12
MAX_WEIGHT = 1000  # of the mean user, in likes
MAX_RECENCY = 10
MAX_FOLD_IN = 1e6
MAX_SECONDS = 1e12
FOLD_IN = {"kappa", "length", "half"}
MAX_HALF_LIVES = 20
MAX_POSITION = 2**63 - 1  # the highest that a database counts to
MAX_NAME = 200
AGING = {"half_life", "at"}
FILTERED_TYPES = ("tag", "tags", "number", "time", "flag")
COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
# Fields of answers, and words of the language of filters.
RESERVED = {"id", "item_id", "title", "rank", "score", "because", "interactions", "liked", "model_version"}
RESERVED |= {"AND", "OR", "NOT"}


def check_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a manifest of another kind or a newer format, without a key, or with text that no answer can hold."""
    if manifest.get("kind") != KIND:
        refuse(path, f"describes a {manifest.get('kind')!r}, not a {KIND!r}")
    version = manifest.get("format_version")
    if not isinstance(version, int) or version < 1:
        refuse(path, f"has the format version {version!r}; expected {OLDEST_VERSION} to {FORMAT_VERSION}")
    if version < OLDEST_VERSION:
        refuse(path, f"is of format {version}, which is no longer read: train again, or serve it with release 1.0")
    if version > FORMAT_VERSION:
        refuse(path, f"is of format {version}, newer than {FORMAT_VERSION}: upgrade the software that reads it")
    for key, kind in {"family": str, "params": dict, "seed": int, "data_hash": str, "files": dict}.items():
        if not isinstance(manifest.get(key), kind):
            refuse(path, f"lacks {key!r} ({kind.__name__})")
    for key in ("family", "data_hash"):
        if len(manifest[key]) > MAX_NAME:
            refuse(path, f"has a {key} of more than {MAX_NAME} characters: {manifest[key]!r}")
    _check_text(path, json.dumps(manifest, ensure_ascii=False))
    if "events" in manifest:
        _check_events(path, manifest["events"])
    if version > OLDEST_VERSION:
        check_columns(path, manifest.get("columns", []))
        check_columns(path, manifest.get("user_columns", []))
    if problem := types_problem(manifest.get("event_types", {})):
        refuse(path, f"has impossible event_types: {problem}")
    least = manifest.get("min_rating")
    if least is not None and (type(least) not in (int, float) or not abs(least) < MAX_MIN_RATING):
        refuse(path, f"has the min_rating {least!r}; expected a number of stars")
    weight = manifest.get("newcomer_weight", 0)
    if type(weight) not in (int, float) or not 0 <= weight <= MAX_WEIGHT:
        refuse(path, f"has the newcomer_weight {weight!r:.80}; expected a number from 0 to {MAX_WEIGHT}")
    if weight and "mean_user.npy" not in manifest["files"]:
        refuse(path, "has a newcomer_weight, and does not list mean_user.npy")
    _check_order(path, manifest.get("seen_order", BY_ITEM), manifest.get("recency", 0))
    if "item_fold_in" in manifest:
        _check_fold_in(path, manifest["item_fold_in"])
        if "fold_in_mean.npy" not in manifest["files"]:
            refuse(path, "has an item_fold_in, and does not list fold_in_mean.npy")
    if AGED in manifest:
        _check_aging(path, manifest[AGED])
    if TRENDING in manifest or f"{TRENDING}.npy" in manifest["files"]:
        _check_trending(path, manifest.get(TRENDING), manifest["files"].get(f"{TRENDING}.npy"))


def check_columns(path: Path, columns: object) -> None:
    """Refuse columns that aren't described as the format wants."""
    if not isinstance(columns, list) or len(columns) > MAX_COLUMNS:
        refuse(path, f"has columns that aren't a list of at most {MAX_COLUMNS}")
    for column in columns:
        flags = [column.get(key) for key in ("filter", "shown", "learn")] if isinstance(column, dict) else []
        if not flags or not all(isinstance(flag, bool) for flag in flags):
            refuse(path, f"has the column {column!r:.80}; expected a name, a type, and filter, shown and learn")
        if problem := name_problem(column.get("name")):
            refuse(path, f"has the column {column.get('name')!r:.80}, {problem}")
        if column.get("type") not in COLUMN_ARRAYS:
            refuse(
                path,
                f"has the column {column['name']} of type {column.get('type')!r:.80}; known are "
                f"{', '.join(COLUMN_ARRAYS)}",
            )
        if column["filter"] and column["type"] not in FILTERED_TYPES:
            refuse(path, f"has the column {column['name']} to filter by, which a {column['type']} is not for")
        if column["shown"] and column["type"] == "vector":
            refuse(path, f"has the column {column['name']} to show, which a vector is not for")
    names = [column["name"] for column in columns]
    if len(set(names)) < len(names):
        refuse(path, "has two columns of one name")


def name_problem(name: object) -> str | None:
    """What is wrong with the name of a column; None if nothing is."""
    if not isinstance(name, str) or not COLUMN_NAME.fullmatch(name):
        return "whose name should be 1 to 64 letters, digits and underscores, and begin with no digit"
    return "whose name has another meaning in answers or filters" if name in RESERVED else None


def _check_events(path: Path, events: object) -> None:
    until = events.get("until") if isinstance(events, dict) else None
    if not isinstance(events, dict) or events.keys() != {"store", "until"}:
        refuse(path, f"has the events {events!r}; expected a store and until")
    if not _is_uuid(events["store"]):
        refuse(path, f"has the events' store {events['store']!r}; expected a UUID in lower case with hyphens")
    if type(until) is not int or not 0 <= until <= MAX_POSITION:
        refuse(path, f"has events until {until!r:.80}; expected a whole number from 0 to {MAX_POSITION}")


def _check_order(path: Path, order: object, recency: object) -> None:
    if order not in (BY_ITEM, BY_TIME):
        refuse(path, f"has the seen_order {order!r:.80}; expected {BY_ITEM} or {BY_TIME}")
    if type(recency) not in (int, float) or not 0 <= recency <= MAX_RECENCY:  # type: ignore[operator]
        refuse(path, f"has the recency {recency!r:.80}; expected a number from 0 to {MAX_RECENCY}")
    if recency and order != BY_TIME:
        refuse(path, f"has a recency, and not the seen_order {BY_TIME}")


def _check_fold_in(path: Path, described: object) -> None:
    if not _are_numbers(described, FOLD_IN, 0, MAX_FOLD_IN):
        expected = f"expected kappa, length and half, numbers from 0 to {MAX_FOLD_IN:g}"
        refuse(path, f"has the item_fold_in {described!r:.80}; {expected}")


def _check_aging(path: Path, described: object) -> None:
    if not _are_numbers(described, AGING, -MAX_SECONDS, MAX_SECONDS):
        refuse(path, f"has the {AGED} {described!r:.80}; expected half_life and at, numbers of seconds")


def _check_trending(path: Path, described: object, file: object) -> None:
    lives = described.get("half_lives") if isinstance(described, dict) else None
    if not isinstance(described, dict) or described.keys() != {"half_lives", "at"}:
        refuse(path, f"has the {TRENDING} {described!r:.80}; expected half_lives and at")
    if not isinstance(lives, list) or not 1 <= len(lives) <= MAX_HALF_LIVES:
        refuse(path, f"has the {TRENDING} {described!r:.80}; expected 1 to {MAX_HALF_LIVES} half_lives")
    numbers = {"at": described.get("at"), **{str(n): each for n, each in enumerate(lives)}}
    if not _are_numbers(numbers, numbers.keys(), -MAX_SECONDS, MAX_SECONDS) or min(lives) <= 0:
        refuse(path, f"has the {TRENDING} {described!r:.80}; expected numbers of seconds, half_lives above 0")
    shape = file.get("shape") if isinstance(file, dict) else None
    if not isinstance(shape, list) or shape[:1] != [len(lives)]:
        refuse(path, f"has {len(lives)} half_lives of {TRENDING}, and lists no {TRENDING}.npy with a row for each")


def _are_numbers(described: object, keys: Collection[str], least: float, most: float) -> bool:
    """Whether there is a number from the least to the most for each key, and nothing else."""
    if not isinstance(described, dict) or described.keys() != set(keys):
        return False
    return all(type(each) in (int, float) and least <= each <= most for each in described.values())


def _check_text(path: Path, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        start = max(0, error.start - MAX_NAME // 2)
        refuse(path, f"holds text that UTF-8 can't express: {text[start : error.end]!r}")


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False
