"""Each stage of the pipeline as a process of its own in a temporary project: seconds and peak memory."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ruamel.yaml import YAML

from benchmarks.big_artifact import MOVIELENS_25M
from benchmarks.environments import CACHE, PROJECT
from benchmarks.ratings import write
from training.params.whole import Params, load_params
from training.project import Project

GENERATED = "generated"
GIB = 2**30


def write_params(project: Project, source: str, candidates: Sequence[str], epochs: int | None, threads: int) -> Params:
    """The project's params.yaml: the default one with changes; with `epochs`, nothing stops early."""
    yaml = YAML()
    content = yaml.load(PROJECT / "params.yaml")
    content.update({"candidates": list(candidates), "threads": threads})
    content["fetch"]["source"] = source
    if source == GENERATED:
        content["fetch"].update({"source": "csv", "csv_folder": str(_generated())})
    for family in content["models"].values() if epochs else ():
        if "patience" in family:
            family.update({"epochs": epochs, "patience": None})
    yaml.dump(content, project.params)
    return load_params(project.params)


def _generated() -> Path:
    folder = CACHE / f"ratings-{MOVIELENS_25M.seen}"
    if not (folder / "items.csv").exists():
        print(f"Making {MOVIELENS_25M.seen:,} ratings in {folder} (once)", file=sys.stderr)
        write(folder, MOVIELENS_25M, seed=0)
    return folder


def stages(project: Project, params: Params) -> Iterator[str]:
    """A row for each stage, as soon as it has ended."""
    each = [[stage, candidate] for candidate in params.candidates for stage in ("train", "evaluate")]
    yield "| stage | seconds | peak memory, GiB |\n|---|---|---|"
    for command in (["fetch"], ["prepare"], *each, ["refit"], ["register"]):
        seconds, peak = _measured(project.root, [sys.executable, "-m", "training", *command])
        yield f"| {' '.join(command)} | {seconds:.1f} | {peak / GIB:.2f} |"


def _measured(folder: Path, command: Sequence[str]) -> tuple[float, float]:
    """Seconds and the largest resident memory, bytes, of a process; exits where it fails."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "MLFLOW_TRACKING_URI": ""}
    start = time.perf_counter()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{(folder / 'log').read_text()[-2000:]}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024
