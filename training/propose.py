"""The `catalogue` command: looks at the files of items and people and proposes a section for params.yaml."""

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from app.contract.manifest_checks import name_problem
from training.data.dataset import ITEM_ID, USER_ID
from training.data.features import features_of
from training.data.movielens import ARCHIVES
from training.data.raw import read_items, read_ratings, read_users
from training.data.raw.items import column_names
from training.data.raw.users import attribute_names
from training.data.values import reader
from training.errors import DataError
from training.fetch import fetch
from training.fitting.feature_share import Measure, share_measure
from training.params.catalogue import Attribute, ItemColumn
from training.params.whole import Params
from training.project import Project
from training.tuning.params_file import write_params

SEPARATORS = ("|", ";", ",")
REPEATED = 1.5  # how often each tag is there on average, at least
WORDS = 4  # of a text, on average
YEARS = (1800, 2200)
SCALES = (0.5, 1.0, 2.0, 4.0)  # of a text's or a vector's numbers, beside the 1 of a tag

Texts = list[str]


class Proposal(NamedTuple):
    """A column, what params.yaml should say of it, None for nothing, and what was seen."""

    name: str
    column: dict[str, Any] | None
    seen: str


class Kind(NamedTuple):
    """A file of items or of people: its section, the ids of its rows, and how it is read."""

    section: str
    id_name: str
    model: type[ItemColumn] | type[Attribute]
    names: Callable[[Path], list[str] | None]
    read: Callable[[Path, Any], pd.DataFrame | None]


KINDS = (
    Kind("items", ITEM_ID, ItemColumn, column_names, read_items),
    Kind("users", USER_ID, Attribute, attribute_names, read_users),
)


def propose(project: Project, params: Params, *, apply: bool) -> str:
    """Look at the items and people of fetch.source; write the proposed section into params.yaml if `apply`.

    Returns a table. Raises DataError where there is no file of either.
    """
    with tempfile.TemporaryDirectory() as folder:
        raw = project.raw if params.fetch.source in ARCHIVES else Path(folder) / "raw"
        if raw != project.raw:
            fetch(params.fetch, params.seed, raw)
        found = {kind.section: _proposals(raw, kind, params) for kind in KINDS if kind.names(raw) is not None}
    if not found:
        raise DataError("there is no file of items or people, so there are no columns: see data/own/README.md")
    if apply:
        chosen = {
            section: {each.name: each.column for each in proposals if each.column is not None}
            for section, proposals in found.items()
        }
        write_params(project.params, {"catalogue": chosen})
    lines = [line for section, proposals in found.items() for line in (f"  {section}:", *map(_line, proposals))]
    return "\n".join(["catalogue:", *lines, *(["written into params.yaml; run: dvc repro"] if apply else [])])


def _proposals(raw: Path, kind: Kind, params: Params) -> list[Proposal]:
    names = kind.names(raw) or []
    table = kind.read(raw, {name: kind.model(type="tag") for name in names if name_problem(name) is None})
    if table is None:
        return []
    measure = share_measure(read_ratings(raw), kind.id_name, table[kind.id_name], params.prepare.min_rating)
    return [_proposal(raw, kind, name, table, measure, params.seed) for name in names]


def _proposal(raw: Path, kind: Kind, name: str, table: pd.DataFrame, measure: Measure, seed: int) -> Proposal:
    if problem := name_problem(name):
        return Proposal(name, None, f"left out: a column {problem}")
    filled = [text for text in table[name] if text]
    if not filled:
        return Proposal(name, None, "left out: empty")
    seen = f"{1 - len(filled) / len(table):.0%} empty, {len(set(filled)):,} different values"
    column = column_of(name, filled)
    if kind.model is Attribute and column["type"] in ("text", "link"):
        return Proposal(name, None, f"left out: a {column['type']}, of which models learn nothing about people; {seen}")
    told = None if column.get("learn") is False else _told_at(raw, kind, name, column, measure, seed)
    if told is not None:
        share, scale = told
        seen += f", tells {max(share, 0):.1%} of what people like"
        column |= {"learn": False} if share <= 0 else {"scale": scale} if scale != 1 else {}
    return Proposal(name, column, seen)


def column_of(name: str, filled: Texts) -> dict[str, Any]:
    """Guess a column's type from its texts, none of them empty."""
    if _all_are("flag", filled):
        return {"type": "flag"}
    if _all_are("number", filled):
        numbers = [float(text) for text in filled]
        years = "year" in name.lower() and all(value in range(*YEARS) for value in numbers)
        return {"type": "number", "widths": [10, 1]} if years else {"type": "number"}
    if _all_are("time", filled):
        return {"type": "time"}
    if _all_are("link", filled):
        return {"type": "link", "learn": False}
    for separator in SEPARATORS:
        if separator in filled[0] and _all_are("vector", filled, separator):
            return {"type": "vector", **_separated(separator)}
        parts = [part.strip() for text in filled for part in text.split(separator)]
        if len(parts) > len(filled) and len(parts) >= REPEATED * len(set(parts)):
            return {"type": "tags", **_separated(separator)}
    if len(filled) >= REPEATED * len(set(filled)):
        return {"type": "tag"}
    is_text = np.mean([len(re.findall(r"\w+", text)) for text in filled]) >= WORDS
    return {"type": "text"} if is_text else {"type": "text", "learn": False}


def _separated(separator: str) -> dict[str, Any]:
    return {} if separator == "|" else {"separator": separator}


def _all_are(kind: str, texts: Texts, separator: str = "|") -> bool:
    read = reader(kind, ItemColumn.model_validate({"type": kind, "separator": separator}))
    try:
        return all(read(text) is not None for text in texts)
    except ValueError:
        return False


def _told_at(
    raw: Path, kind: Kind, name: str, column: dict[str, Any], measure: Measure, seed: int
) -> tuple[float, float] | None:
    """The share that this column tells by itself, and the scale of its components at which it tells most."""
    chosen: dict[str, Any] = {name: kind.model.model_validate(column)}
    table = kind.read(raw, chosen)
    assert table is not None  # noqa: S101 - there are columns
    features = features_of(table, chosen, seed)
    component = np.array(["component" in entry for entry in features.entries], dtype=bool)
    found: list[tuple[float, float]] = []
    for scale in SCALES if component.any() else (1.0,):
        share = measure(features.matrix @ sparse.diags(np.where(component, scale, 1.0)))
        found += [] if share is None else [(share, scale)]
    return max(found, default=None)


def _line(proposal: Proposal) -> str:
    """A column as a line of params.yaml has it."""
    if proposal.column is None:
        return f"    # {proposal.name}: {proposal.seen}"
    parts = (f"{key}: {value if key == 'type' else json.dumps(value)}" for key, value in proposal.column.items())
    return f"    {proposal.name}: {{{', '.join(parts)}}}    # {proposal.seen}"
