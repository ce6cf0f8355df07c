"""The `catalogue` command: looks at the file of items and proposes the section `catalogue` of params.yaml."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from app.contract.artifact_format import name_problem
from training.data.dataset import ITEM_ID, RATING, USER_ID
from training.data.features import features_of
from training.data.movielens import ARCHIVES
from training.data.raw import read_items, read_ratings
from training.data.raw.items import column_names
from training.data.values import reader
from training.errors import DataError
from training.fetch import fetch
from training.models.feature_encoder import PENALTY, fit_feature_encoder
from training.params.catalogue import ItemColumn
from training.params.whole import Params
from training.project import Project
from training.tuning.params_file import write_params

SEPARATORS = ("|", ";", ",")
REPEATED = 2.0  # how often each tag is there on average, at least
WORDS = 4  # of a text, on average
YEARS = (1800, 2200)
DIM, FOLDS, FEWEST = 32, 5, 3  # of the measurement: numbers of an item's vector, parts, likes of an item

Texts = list[str]


class Proposal(NamedTuple):
    """A column, what params.yaml should say of it, None for nothing, and what was seen."""

    name: str
    column: dict[str, Any] | None
    seen: str


def propose(project: Project, params: Params, *, apply: bool) -> str:
    """Look at the items of fetch.source; write the proposed section into params.yaml if `apply`. Returns a table.

    Raises DataError where there is no file of items.
    """
    with tempfile.TemporaryDirectory() as folder:
        raw = project.raw if params.fetch.source in ARCHIVES else Path(folder) / "raw"
        if raw != project.raw:
            fetch(params.fetch, params.seed, raw)
        proposals = list(_proposals(raw, params))
    columns = {each.name: each.column for each in proposals if each.column is not None}
    if apply:
        write_params(project.params, {"catalogue": {"items": columns}})
    written = ["written into params.yaml; run: dvc repro"] if apply else []
    return "\n".join(["catalogue:", "  items:", *map(_line, proposals), *written])


def _proposals(raw: Path, params: Params) -> Iterator[Proposal]:
    names = column_names(raw)
    if names is None:
        raise DataError("there is no file of items, so there are no columns: see data/own/README.md")
    usable = {name: ItemColumn(type="tag") for name in names if name_problem(name) is None}
    table = read_items(raw, usable)
    assert table is not None  # noqa: S101 - there are columns
    measure = _measure(read_ratings(raw), table[ITEM_ID], params.prepare.min_rating)
    for name in names:
        if problem := name_problem(name):
            yield Proposal(name, None, f"left out: a column {problem}")
            continue
        texts = table[name].tolist()
        filled = [text for text in texts if text]
        seen = f"{1 - len(filled) / len(texts):.0%} empty, {len(set(filled)):,} different values"
        if not filled:
            yield Proposal(name, None, "left out: empty")
            continue
        column = column_of(name, filled)
        share = None if column.get("learn") is False else _share(raw, name, column, measure, params.seed)
        if share is not None:
            seen += f", tells {max(share, 0):.1%} of what people like"
            column |= {} if share > 0 else {"learn": False}
        yield Proposal(name, column, seen)


def column_of(name: str, filled: Texts) -> dict[str, Any]:
    """What a column seems to be, by its texts, none of them empty."""
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


Measure = Callable[[sparse.csr_matrix], float | None]


def _share(raw: Path, name: str, column: dict[str, Any], measure: Measure, seed: int) -> float | None:
    """The share that this column tells, alone."""
    chosen = {name: ItemColumn.model_validate(column)}
    items = read_items(raw, chosen)
    assert items is not None  # noqa: S101 - there are columns
    return measure(features_of(items, chosen, seed).matrix)


def _measure(ratings: pd.DataFrame, item_ids: "pd.Series[Any]", min_rating: float | None) -> Measure:
    """What measures features: the share of the variance of items' directions that follows from them.

    Directions are those of a truncated SVD of who likes what, of length 1, so that popularity is out of it. Ridge
    regressions on four fifths of the items tell the others, of those that have a feature. None for too few items.
    """
    liked = ratings if min_rating is None else ratings[ratings[RATING] >= min_rating]
    places = (liked[USER_ID].factorize()[0], pd.Index(item_ids).get_indexer(pd.Index(liked[ITEM_ID])))
    matrix = sparse.csr_matrix((np.ones(len(liked)), places), shape=(liked[USER_ID].nunique(), len(item_ids)))
    vectors = normalize(TruncatedSVD(min(DIM, *matrix.shape), random_state=0).fit(matrix).components_.T)
    likes = np.asarray(matrix.sum(axis=0)).ravel()

    def measured(features: sparse.csr_matrix) -> float | None:
        rows = np.flatnonzero((likes >= FEWEST) & (np.diff(features.indptr) > 0))
        return _told(features[rows], vectors[rows]) if len(rows) >= 2 * FOLDS else None

    return measured


def _told(features: sparse.csr_matrix, vectors: npt.NDArray[np.float64]) -> float:
    parts: Sequence[Any] = np.array_split(np.random.default_rng(0).permutation(len(vectors)), FOLDS)
    left = total = 0.0
    for part in parts:
        rest = np.setdiff1d(np.arange(len(vectors)), part)
        encoder = fit_feature_encoder(features[rest], vectors[rest].astype(np.float32), PENALTY * len(rest))
        left += float(((vectors[part] - features[part] @ encoder[:-1] - encoder[-1]) ** 2).sum())
        total += float(((vectors[part] - vectors[rest].mean(axis=0)) ** 2).sum())
    return 1 - left / total


def _line(proposal: Proposal) -> str:
    """A column as a line of params.yaml has it."""
    if proposal.column is None:
        return f"    # {proposal.name}: {proposal.seen}"
    parts = (f"{key}: {value if key == 'type' else json.dumps(value)}" for key, value in proposal.column.items())
    return f"    {proposal.name}: {{{', '.join(parts)}}}    # {proposal.seen}"
