"""What each engine costs as data grows: generated ratings, embedded against Spark in one process on two cores.

    python -m benchmarks.scale [--ratings 1000000,5000000,25000000] [--engines embedded,spark] [--plot FILE.svg]

Each stage is a process of its own. Processor seconds and memory are of it and all that it starts; `disk` is the largest
size of its project's folder, scratch files included. It prints a Markdown table; `--plot` draws processor seconds. What
was measured is kept in .cache/benchmarks/scale and not measured again.
"""

import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from ruamel.yaml import YAML

from benchmarks.big_artifact import MOVIELENS_25M, Size, histories
from benchmarks.environments import CACHE, PROJECT
from benchmarks.options import options
from benchmarks.report import table
from training.project import Project

FAMILIES = {"embedded": "implicit_als", "spark": "spark_als"}
SIZES = {
    1_000_000: Size(6_500, 8_000, 1_000_000, 0),
    5_000_000: Size(32_500, 20_000, 5_000_000, 0),
    25_000_000: MOVIELENS_25M,
}
GROUPS = 50
OWN_SHARE = 0.7  # of what a user has seen, the part that others of the group see, too
DRIVER_MEMORY = "6g"
GIB = 2**30
SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class Cost:
    """Of one stage: seconds, processor seconds, and the largest memory and disk, bytes."""

    seconds: float
    processor: float
    memory: int
    disk: int

    def texts(self) -> list[str]:
        """As the table shows them."""
        return [f"{self.seconds:.0f}", f"{self.processor:.0f}", f"{self.memory / GIB:.1f}", f"{self.disk / GIB:.1f}"]


@dataclass(frozen=True)
class Result:
    """The costs of the stages, and NDCG@10 on the test."""

    costs: dict[str, Cost]
    quality: float

    @property
    def processor(self) -> float:
        """Processor seconds of all stages."""
        return sum(cost.processor for cost in self.costs.values())


def main() -> None:
    """Measure, print and draw."""
    given = options(__doc__, ratings=tuple(SIZES), engines=tuple(FAMILIES), plot=Path)
    results = {(size, engine): _result(size, engine) for size in given.ratings for engine in given.engines}
    rows = [
        [f"{size:,}", engine, stage, *cost.texts(), f"{result.quality:.4f}" if stage == "evaluate" else ""]
        for (size, engine), result in results.items()
        for stage, cost in result.costs.items()
    ]
    header = ["ratings", "engine", "stage", "s", "processor, s", "memory, GiB", "disk, GiB", "NDCG@10"]
    print(table(header, rows))
    if given.plot:
        _draw({key: result.processor for key, result in results.items()}, given.plot)


def _generated(size: Size) -> Path:
    """Ratings by users of whom each group has its own popular items, so that there is something to learn."""
    folder = CACHE / f"groups-{size.seen}"
    if not (folder / "ratings.csv").exists():
        rng = np.random.default_rng(0)
        indptr, items = histories(size, rng)
        users = np.repeat(np.arange(size.users), np.diff(indptr))
        shift = (users % GROUPS) * (size.items // GROUPS) * (rng.random(size.seen) < OWN_SHARE)
        times = 1_000_000_000 + rng.integers(500_000_000, size=size.seen)
        columns = {"user_id": users + 1, "item_id": (items + shift) % size.items + 1, "timestamp": times}
        folder.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(columns).to_csv(folder / "ratings.csv", index=False)
    return folder


def _result(size: int, engine: str) -> Result:
    """What was measured before, else what is measured now."""
    kept = CACHE / "scale" / f"{engine}-{size}.json"
    if not kept.exists():
        data = _generated(SIZES[size])
        with tempfile.TemporaryDirectory(dir=CACHE) as root:
            result = _measured(Project(Path(root)), data, engine)
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(asdict(result)))
    content = json.loads(kept.read_text())
    return Result({stage: Cost(**cost) for stage, cost in content["costs"].items()}, content["quality"])


def _measured(project: Project, data: Path, engine: str) -> Result:
    family = FAMILIES[engine]
    _write_params(project, data, engine, family)
    commands = {"prepare": [], "train": [family], "evaluate": [family], "refit": []}
    _run(project.root, ["fetch"])
    costs = {stage: _run(project.root, [stage, *rest]) for stage, rest in commands.items()}
    return Result(costs, float(json.loads(project.metrics(family).read_text())["ndcg@10"]))


def _write_params(project: Project, data: Path, engine: str, family: str) -> None:
    yaml = YAML()
    content: dict[str, Any] = yaml.load(PROJECT / "params.yaml")
    content.update({"engine": engine, "candidates": [family], "threads": 2})
    content["fetch"].update({"source": "csv", "csv_folder": str(data)})
    content["spark"].update({"driver_memory": DRIVER_MEMORY})  # in one process it is all that Spark has
    content["prepare"]["min_rating"] = None
    content["models"]["implicit_als"]["recency_power"] = 0.0
    yaml.dump(content, project.params)


def _run(folder: Path, command: list[str]) -> Cost:
    """Run one stage and look at its processes while it runs; exit where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "SPARK_LOCAL_IP": "127.0.0.1"}
    start, memory, disk = time.perf_counter(), 0, 0
    spent = dict[int, float]()
    with (folder / "log").open("w") as log:
        stage = psutil.Popen(
            [sys.executable, "-m", "training", *command], cwd=folder, env=environment, stdout=log, stderr=log
        )
        while stage.poll() is None:
            alive = [process for process in [stage, *stage.children(recursive=True)] if process.is_running()]
            memory = max(memory, sum(_look(process, spent) for process in alive))
            disk = max(disk, _size(folder))
            time.sleep(SECONDS_BETWEEN_LOOKS)
    if stage.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{(folder / 'log').read_text()[-2000:]}")
    cost = Cost(time.perf_counter() - start, sum(spent.values()), memory, disk)
    print(command[0], *cost.texts(), sep=" | ", file=sys.stderr, flush=True)
    return cost


def _size(folder: Path) -> int:
    """The bytes of all files below a folder; those that vanish meanwhile count for nothing."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                size += Path(parent, name).lstat().st_size
    return size


def _look(process: psutil.Process, spent: dict[int, float]) -> int:
    """Note a process' processor seconds, and return its memory; 0 where it has just ended."""
    try:
        times = process.cpu_times()
        spent[process.pid] = times.user + times.system
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _draw(totals: dict[tuple[int, str], float], path: Path) -> None:
    """Processor seconds by size, both on logarithmic axes."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for engine in FAMILIES:
        sizes = sorted(size for size, each in totals if each == engine)
        axes.plot(sizes, [totals[size, engine] for size in sizes], marker="o", label=engine)
    axes.set(xscale="log", yscale="log", xlabel="ratings", ylabel="processor seconds of all stages")
    axes.legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
