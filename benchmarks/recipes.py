"""What each recipe reaches and costs: on ml-latest-small, on simulated data whose best possible ranking is known.

usage: MOVIELENS_DIR=<folder> python -m benchmarks.recipes [--source ml-latest-small] [--recipes small,fast] [--seeds 4]
       python -m benchmarks.recipes --source dense --recipes dense,former --metric ndcg@20 --threads 2
       python -m benchmarks.recipes --source catalogue --recipes sparse,dense --threads 2

A recipe is decided on validation, fitted on train and validation, and ranks the test users, in a process of its own;
`seconds` and `GiB` are of all three. The differences are paired by user, under both masks. `catalogue` is made up, for
its cost. `former` is the blend that was documented for large data before there were recipes. It prints Markdown tables.
"""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.environments import PROJECT
from benchmarks.options import options
from benchmarks.quality import hiding_positives_only, prepared
from benchmarks.simulated import MADE_UP, SIZES, best_possible, made_up, simulated
from training.data.dataset import Dataset
from training.evaluation.ranking import rank_test
from training.fitting.candidate import fit_candidate
from training.metrics.bootstrap import confidence_interval
from training.params.train import with_whole_members
from training.params.whole import Params, load_params
from training.project import Project
from training.tuning.params_file import read_changes
from training.tuning.recipe import recipes

FORMER: dict[str, Any] = {
    "candidates": ["blend"],
    "models": {
        "ease": {"embedding_size": 256, "regularization": 200.0, "recency_power": 0.0},
        "implicit_als": {"embedding_size": 128, "alpha": 10.0, "regularization": 100.0, "recency_power": 0.0},
        "lightfm": {
            "embedding_size": 128,
            "epochs": 10,
            "patience": None,
            "learning_rate": 0.05,
            "encode_users": False,
            "recency_power": 0.0,
            "init": "als",
            "als": {"alpha": 10.0, "regularization": 100.0, "epochs": 15, "norm": 1.0},
        },
        "blend": {"members": {"ease": {}, "implicit_als": {}, "lightfm": {}}, "weights": None},
    },
}
PerUser = npt.NDArray[np.float64]
MASKS = ("positives_hidden", "ratings_hidden")


@dataclass(frozen=True)
class Result:
    """One recipe with one seed: the metric per user under both masks, and what it cost."""

    validation: float
    positives_hidden: PerUser
    ratings_hidden: PerUser
    dim: int
    seconds: float
    processor: float  # seconds of all threads, which other work on the machine hardly changes
    gib: float


def main() -> None:
    """Print the tables, row by row."""
    known = (*recipes(Project(PROJECT)), "former")
    given = options(__doc__, source="ml-latest-small", recipes=known, seeds=1, metric="ndcg@10", threads=1)
    params = _with_metric(load_params(PROJECT / "params.yaml"), given.metric, given.threads)
    if given.source in SIZES:
        dataset, simulation = simulated(SIZES[given.source], params, params.seed)
        best = rank_test(best_possible(dataset, simulation, params.threads), dataset, params.evaluate)
        best_mean = float(best.per_user(given.metric).mean())
        print(f"The best possible ranking reaches {best_mean:.4f} where all earlier ratings are hidden.\n")
    elif given.source in MADE_UP:
        dataset, best_mean = made_up(MADE_UP[given.source], params, params.seed), float("nan")
    else:
        dataset, best_mean = prepared(given.source, params), float("nan")
    for line in tables(dataset, params, given.recipes, given.seeds, best_mean):
        print(line, flush=True)


def _with_metric(params: Params, metric: str, threads: int) -> Params:
    select = params.select.model_copy(update={"metric": metric})
    return params.model_copy(update={"select": select, "threads": threads})


def tables(dataset: Dataset, params: Params, names: list[str], seeds: int, best: float) -> Iterator[str]:
    """A row per recipe; then the paired difference of each from the first."""
    cost = "seconds | of processors | GiB"
    yield f"| recipe | validation | test | 95 % | low ratings hidden too | of the best | numbers | {cost} |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    per_user: dict[str, dict[str, PerUser]] = {mask: {} for mask in MASKS}
    for name in names:
        runs = [_apart(dataset, params, name, params.seed + run) for run in range(seeds)]
        for mask, values in per_user.items():
            values[name] = np.mean([getattr(run, mask) for run in runs], axis=0)
        validation = np.mean([run.validation for run in runs])
        test, hidden = per_user["positives_hidden"][name], float(per_user["ratings_hidden"][name].mean())
        low, high = _interval(test, params.seed)
        seconds, processor = (np.mean([getattr(run, kind) for run in runs]) for kind in ("seconds", "processor"))
        gib = max(run.gib for run in runs)
        share = "" if np.isnan(best) else f"{hidden / best:.1%}"
        yield (
            f"| `{name}` | {validation:.4f} | **{test.mean():.4f}** | {low:.4f} to {high:.4f} "
            f"| {hidden:.4f} | {share} | {runs[0].dim} | {seconds:.0f} | {processor:.0f} | {gib:.2f} |"
        )
    yield ""
    for mask, name in product(MASKS, names[1:]):
        ours, other = per_user[mask][names[0]], per_user[mask][name]
        low, high = _interval(ours - other, params.seed)
        gain = ours.mean() - other.mean()
        yield (
            f"`{names[0]}` − `{name}`, {mask.replace('_', ' ')}: {gain:+.4f} ({low:+.4f} to {high:+.4f}), "
            f"{gain / other.mean():+.1%}"
        )


def _interval(values: PerUser, seed: int) -> tuple[float, float]:
    interval = confidence_interval(values[:, None], 1000, 0.95, np.random.default_rng(seed))[0]
    return interval.low, interval.high


def _apart(dataset: Dataset, params: Params, name: str, seed: int) -> Result:
    """`measure` in a process of its own, whose memory is that of this recipe."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, dataset, params, name, seed).result()


def measure(dataset: Dataset, params: Params, name: str, seed: int) -> Result:
    """Fit a recipe and rank the test users."""
    changes = FORMER if name == "former" else read_changes(Project(PROJECT).recipe(name))
    models = {**params.models}
    for family, section in changes["models"].items():
        models[family] = {**models.get(family, {}), **section}
    params = params.model_copy(update={"models": with_whole_members(models), "seed": seed})

    def test(artifact: Any) -> PerUser:  # noqa: ANN401
        return rank_test(artifact, dataset, params.evaluate).per_user(params.select.metric)

    start, processor = time.perf_counter(), time.process_time()
    trained = fit_candidate(dataset, params, changes["candidates"][0])
    ratings_hidden = test(trained.artifact)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    return Result(
        validation=trained.metric,
        positives_hidden=test(hiding_positives_only(trained.artifact, dataset)),
        ratings_hidden=ratings_hidden,
        dim=trained.artifact.item_embeddings.shape[1],
        seconds=seconds,
        processor=processor,
        gib=_peak_gib(),
    )


def _peak_gib() -> float:
    """The largest resident memory of this process; that of getrusage may be its parent's."""
    status = Path("/proc/self/status").read_text()
    return float(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 2**20


if __name__ == "__main__":
    main()
