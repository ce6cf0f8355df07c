"""How much of everybody's lists changes with a like more, or with somebody new, where the recipe stays the same.

usage: MOVIELENS_DIR=<folder> python -m benchmarks.calm [--sources sample,ml-latest-small]

A row is LightFM with some parameters: NDCG@10 on the test split, the share of top-10 lists that stays when somebody
likes one film more, and when somebody new likes ten, and the seconds of one training. Both data sets are prepared,
trained and refit as the pipeline does it, and lists are compared as the check before a promotion does. It prints a
Markdown table, and ends with 1 where the recipe of params.yaml keeps less than 90 %.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from app.contract.artifact import Artifact
from benchmarks.environments import PROJECT
from benchmarks.options import options
from benchmarks.quality import RANDOM
from training.data.dataset import SPLITS, USER_ID, Dataset, load_dataset
from training.data.raw.layouts import detect
from training.evaluation.ranking import rank_test
from training.fetch import fetch
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_artifact, fit_candidate
from training.params.whole import Params, load_params
from training.prepare import prepare
from training.project import Project
from training.promotion.lists import LENGTH, lists_of, overlap, sample_lists
from training.refit import with_ready_lists

FAMILY = "lightfm"
RECIPE = "as in params.yaml"
VARIANTS: dict[str, dict[str, Any]] = {"from random numbers": RANDOM, RECIPE: {}}
LEAST_SHARED = 0.9
NEW_LIKES = 10  # of somebody new


class Fitted(NamedTuple):
    """The metric on the test split, the artifact that would be served, and the seconds of both fits."""

    metric: float
    served: Artifact
    seconds: float


def main() -> None:
    """Print the table, row by row."""
    sources = options(__doc__, sources=["sample", "ml-latest-small"]).sources
    params = load_params(PROJECT / "params.yaml")
    print("| data | LightFM | test NDCG@10 | shared by top-10 lists | seconds |\n|---|---|---|---|---|")
    shared: list[float] = []
    for source in sources:
        datasets = with_more(source, params)
        for name, changes in VARIANTS.items():
            cells, shares = row(datasets, params, changes)
            print(f"| {source} | {name} | {cells} |", flush=True)
            shared += shares if name == RECIPE else []
    sys.exit(min(shared) < LEAST_SHARED)


def with_more(source: str, params: Params) -> list[Dataset]:
    """The prepared data set, with a like more of somebody, and with likes of somebody new."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        fetch(params.fetch.model_copy(update={"source": source}), params.seed, project.raw)
        ratings = project.raw / detect(project.raw).ratings
        before, frame, rng = ratings.read_text(), pd.read_csv(ratings), np.random.default_rng(params.seed)

        def made(more: str) -> Dataset:
            ratings.write_text(before + more)
            prepare(params, project.raw, project.prepared, project.stats)
            return load_dataset(project.prepared)

        users = frame.iloc[:, 0]
        return [
            made(""),
            made(likes(frame, rng, rng.choice(users), 1)),
            made(likes(frame, rng, users.max() + 1, NEW_LIKES)),
        ]


def likes(ratings: pd.DataFrame, rng: np.random.Generator, user: int, number: int) -> str:
    """Lines for the file: the user likes, after all else, so many films that they haven't rated."""
    users, items, _, times = (ratings[name] for name in ratings)
    unknown = items[~items.isin(items[users == user])].unique()
    return "".join(f"{user},{item},5.0,{times.max() + 60}\n" for item in rng.choice(unknown, number, replace=False))


def row(datasets: list[Dataset], params: Params, changes: dict[str, Any]) -> tuple[str, list[float]]:
    """The cells of LightFM with these parameters, and the share of lists that stays with each."""
    models = {**params.models, FAMILY: {**params.models[FAMILY], **changes}}
    before, *after = [fitted(dataset, params.model_copy(update={"models": models})) for dataset in datasets]
    theirs = sample_lists(before.served, params.seed)
    shared = [overlap(lists_of(each.served, theirs[USER_ID]), theirs) for each in after]
    shares = ", ".join(f"{share:.1%}" for share in shared)
    return f"{before.metric:.4f} | {shares} | {before.seconds:.0f}", shared


def fitted(dataset: Dataset, params: Params) -> Fitted:
    """Train, measure and refit."""
    start = time.process_time()
    trained = fit_candidate(dataset, params, FAMILY)
    knowledge = Knowledge(dataset, SPLITS, params.threads)
    served = fit_artifact(knowledge, FAMILY, trained.family, params.seed)
    seconds = time.process_time() - start
    per_user = rank_test(trained.artifact, dataset, params.evaluate).per_user(params.select.metric)
    return Fitted(float(np.nanmean(per_user)), with_ready_lists(served, LENGTH, progress=False), seconds)


if __name__ == "__main__":
    main()
