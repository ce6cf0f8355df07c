"""Example users: a few test users, what they liked, and what each candidate recommends to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.artifact_directory import load_artifact
from app.contract.ranking import NO_ITEM
from app.contract.recommender import Recommender
from training.data.dataset import ITEM, POSITIVE, TIMESTAMP, TITLE, USER, USER_ID, Dataset
from training.evaluation.results import HISTORY
from training.files import REPRODUCE, read_parquet
from training.project import Project

USERS = 5
SHOWN = 10


@dataclass(frozen=True)
class Suggestion:
    """A film in a list, and whether the user liked it in the test split."""

    film: str
    hit: bool


@dataclass(frozen=True)
class ExampleUser:
    """A test user; `history` is the number of known ratings, `lists` holds a list per candidate."""

    user_id: str
    history: int
    liked_before: list[str]
    liked_in_test: list[str]
    lists: dict[str, list[Suggestion]]


def gather_example_users(
    project: Project, dataset: Dataset, candidates: Sequence[str], users: pd.DataFrame, seed: int
) -> list[ExampleUser]:
    """Choose a few of the test users in the table `users`, from the least to the most active."""
    chosen = spread_over_activity(users, seed)
    rows = np.searchsorted(dataset.user_ids, chosen[USER_ID].to_numpy())
    films = _labels(dataset)
    before = _liked(project, ("train", "validation"), rows)
    test = _liked(project, ("test",), rows)
    lists = {name: _first_ten(project, name, chosen[USER_ID].to_numpy()) for name in candidates}
    return [
        ExampleUser(
            user_id=str(user_id),
            history=int(history),
            liked_before=[films[item] for item in before[row][-SHOWN:]],
            liked_in_test=[films[item] for item in test[row]],
            lists={
                name: [Suggestion(films[item], item in test[row]) for item in items[place] if item != NO_ITEM]
                for name, items in lists.items()
            },
        )
        for place, (row, user_id, history) in enumerate(zip(rows, chosen[USER_ID], chosen[HISTORY], strict=True))
    ]


def spread_over_activity(users: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Draw one user from each fifth of the table, from the shortest histories to the longest."""
    ordered = users.sort_values([HISTORY, USER_ID])
    rng = np.random.default_rng(seed)
    parts = np.array_split(np.arange(len(ordered)), min(USERS, len(ordered)))
    return ordered.iloc[[int(rng.choice(part)) for part in parts]]


def _liked(project: Project, splits: Sequence[str], rows: npt.NDArray[np.int64]) -> dict[int, list[int]]:
    """The items that each user liked in some splits, in order of time: item rows by user row."""
    columns = [USER, ITEM, POSITIVE, TIMESTAMP]
    frames = [read_parquet(project.prepared / f"{split}.parquet", REPRODUCE, columns) for split in splits]
    positives = pd.concat([frame[frame[POSITIVE] & frame[USER].isin(rows)] for frame in frames])
    liked = positives.sort_values(TIMESTAMP, kind="stable")
    return {int(row): liked.loc[liked[USER] == row, ITEM].tolist() for row in rows}


def _first_ten(project: Project, candidate: str, user_ids: npt.NDArray[Any]) -> list[list[int]]:
    artifact = load_artifact(project.model(candidate))
    rows = np.searchsorted(artifact.user_ids, user_ids)
    lists: list[list[int]] = Recommender(artifact).recommend(rows, SHOWN).items.tolist()
    return lists


def _labels(dataset: Dataset) -> list[str]:
    """Titles, each with its value of the first column that shows a number or a tag, such as a year."""
    titles: list[str] = dataset.catalogue[TITLE].tolist()
    column = next((each for each in dataset.packed.columns if each.shown and each.type in ("number", "tag")), None)
    if column is None:
        return titles
    values = map(column.reader(), range(len(titles)))
    return [title if value is None else f"{title} ({value})" for title, value in zip(titles, values, strict=True)]
