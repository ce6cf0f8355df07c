"""A project with ratings of known structure: each group of users likes only the items of its own group."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ruamel.yaml import YAML

from training.evaluate import evaluate
from training.params.whole import Params, load_params
from training.prepare import prepare
from training.project import Project
from training.refit import refit
from training.train import train

ROOT = Path(__file__).resolve().parents[2]
GROUPS = 4
CANDIDATES = ["test_svd", "popularity"]
Trained = tuple[Project, Params]
COLUMNS = load_params(ROOT / "params.yaml").catalogue.items


def grouped_ratings(n_users: int = 80, n_items: int = 80, liked: int = 12, seed: int = 0) -> pd.DataFrame:
    """Every user rates `liked` items of the own group with 5 stars and three others with 2, in random order of time."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        own = np.arange(user % GROUPS, n_items, GROUPS)
        other = np.setdiff1d(np.arange(n_items), own)
        items = np.concatenate([rng.choice(own, liked, replace=False), rng.choice(other, 3, replace=False)])
        stars = np.repeat([5.0, 2.0], [liked, 3])
        for time, place in enumerate(rng.permutation(len(items))):
            rows.append((user + 1, items[place] + 1, stars[place], 1_000_000 + 100 * user + time))
    return pd.DataFrame(rows, columns=["user_id", "item_id", "rating", "timestamp"])


def grouped_items(n_items: int = 80) -> pd.DataFrame:
    """One film more than is rated."""
    ids = np.arange(1, n_items + 2)
    genres = np.array(["Drama", "Comedy", "Western", "Horror|Comedy"])[(ids - 1) % GROUPS]
    return pd.DataFrame(
        {"item_id": ids, "title": [f"Film {i}" for i in ids], "year": 1980 + ids % 40, "genres": genres}
    )


OF_FILMS: dict[str, Any] = {"year": {"type": "number", "widths": [10, 1]}, "genres": {"type": "tags"}}  # of these films


def make_project(folder: Path, ratings: pd.DataFrame | None = None, /, **changes: Any) -> tuple[Project, Params]:
    """A folder with params.yaml and prepared data; `changes` are dotted keys with __ for the dot."""
    project = Project(folder)
    project.raw.mkdir(parents=True)
    (grouped_ratings() if ratings is None else ratings).to_csv(project.raw / "interactions.csv", index=False)
    grouped_items().to_csv(project.raw / "items.csv", index=False)
    params = change_params(project, **{"catalogue__items": OF_FILMS, **changes})
    prepare(params, project.raw, project.prepared, project.stats)
    return project, params


def change_params(project: Project, **changes: Any) -> Params:
    """Write the project's params.yaml anew: the default one with changes."""
    shutil.copy(ROOT / "params.yaml", project.params)
    yaml = YAML()
    content = yaml.load(project.params)
    for key, value in changes.items():
        *path, last = key.split("__")
        section = content
        for part in path:
            section = section[part]
        section[last] = value
    yaml.dump(content, project.params)
    return load_params(project.params)


def run_stages(project: Project, params: Params) -> None:
    """All between `prepare` and `register`."""
    for candidate in params.candidates:
        train(project, params, candidate)
        evaluate(project, params, candidate)
    refit(project, params)
