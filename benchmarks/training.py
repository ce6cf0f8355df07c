"""What training costs: each stage of the pipeline, LightFM's full fit, each family against its library alone.

    python -m benchmarks.training [--source ml-latest-small] [--families lightfm,implicit_als] [--candidates lightfm,…]
    python -m benchmarks.training --source generated --epochs 2 --threads 2 --families ''

The second takes 25 million made-up ratings, and half an hour. A stage is a process of its own. A family's fit and
the bare call of its library, on the same matrix and without early stopping, take turns; each one's best time counts.
"""

import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from benchmarks.environments import PROJECT
from benchmarks.libraries import CALLS
from benchmarks.options import options
from benchmarks.report import table
from benchmarks.stages import stages, write_params
from benchmarks.timing import best_of
from training.data.dataset import load_dataset
from training.fitting.assembly import Knowledge
from training.fitting.candidate import fit_artifact
from training.fitting.validation import LEARNED_FROM, Validation
from training.models import make_family
from training.models.base import Factors, Family, TrainingData
from training.params.whole import Params, load_params
from training.project import Project

MARK = 1.15
MOST_EPOCHS = 50  # of a family that is compared with its library
WATCHED_EPOCHS = 3  # from which a full fit is reckoned


def main() -> None:
    """Print Markdown tables."""
    given = options(
        __doc__, source="ml-latest-small", candidates=["lightfm", "popularity"], epochs=int, threads=1,
        families=tuple(CALLS), repeats=3,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        params = write_params(project, given.source, given.candidates, given.epochs, given.threads)
        for line in stages(project, params):
            print(line, flush=True)
        print(f"\n{_full_fit(project, params)}", flush=True)
        if given.families:
            print(f"\n{_overhead(project, params, given.families, given.repeats)}")


def _full_fit(project: Project, params: Params) -> str:
    """How long LightFM's `epochs` of params.yaml take, reckoned from a few of them."""
    dataset = load_dataset(project.prepared, LEARNED_FROM)
    validation = Validation.of(dataset, params, "lightfm")
    given = load_params(PROJECT / "params.yaml").models["lightfm"]
    began, ended = [time.perf_counter()], []

    def watch(_: int, factors: Callable[[], Factors]) -> bool:
        ended.append(time.perf_counter())
        validation.measure(factors())
        began.append(time.perf_counter())
        return False

    family = make_family("lightfm", {**given, "epochs": WATCHED_EPOCHS, "patience": None})
    family.fit(validation.knowledge.training_data, np.random.default_rng(0), watch)
    epoch = min(end - begin for begin, end in zip(began, ended, strict=False))
    ranking = min(begin - end for begin, end in zip(began[1:], ended, strict=True))
    learned = [len(dataset.interactions(*splits).positives()) for splits in (("train",), LEARNED_FROM)]
    watched, again = given["epochs"] * (epoch + ranking), given["epochs"] * epoch * learned[1] / learned[0]
    return (
        f"LightFM, {learned[0]:,} positives, {params.threads} threads: an epoch {epoch:.2f} s, ranking the validation "
        f"users {ranking:.2f} s.\nAll {given['epochs']} epochs, watched: {watched / 60:.1f} min; the fit to train and "
        f"validation afterwards: {again / 60:.1f} min."
    )


def _overhead(project: Project, params: Params, families: list[str], repeats: int) -> str:
    """Seconds of each family's fit, of its library alone, and of the fit with encoder and artifact."""
    knowledge = Knowledge(load_dataset(project.prepared, LEARNED_FROM), LEARNED_FROM, params.threads)
    data = knowledge.training_data
    rows = []
    for name in families:
        family = _without_early_stopping(name, params)
        whole = partial(fit_artifact, knowledge, name, family, params.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            ours, alone, artifact = best_of(
                repeats, partial(_fitted, family, data), partial(_alone, name, family, data), whole
            )
        reached = "yes" if ours <= MARK * alone else "no"
        rows.append([name, f"{ours:.2f}", f"{alone:.2f}", f"{ours / alone:.2f}", reached, f"{artifact:.2f}"])
    header = ["family", "fit, s", "library alone, s", "ratio", f"at most {MARK:g}", "with encoder and artifact, s"]
    return table(header, rows)


def _without_early_stopping(name: str, params: Params) -> Family:
    given = params.models[name]
    fixed = {"epochs": min(given["epochs"], MOST_EPOCHS), "patience": None} if "patience" in given else {}
    return make_family(name, {**given, **fixed})


def _fitted(family: Family, data: TrainingData) -> Factors:
    with threadpool_limits(data.threads):
        return family.fit(data, np.random.default_rng(0))


def _alone(name: str, family: Family, data: TrainingData) -> object:
    with threadpool_limits(data.threads):
        return CALLS[name](data, family)


if __name__ == "__main__":
    main()
