"""The `export` command on Spark: executors write the buckets of lists."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache, partial
from pathlib import Path

import pandas as pd

from app.contract.artifact_directory import load_artifact
from app.contract.recommender import Recommender
from training.lists.bucket import Lists, file_name
from training.params.spark import SparkParams
from training.project import Project
from training.spark.session import session

SECONDS_BETWEEN_LOOKS = 1
BUCKET = "bucket"


def in_executors(
    project: Project, params: SparkParams, lists: Lists, artifact: Path, folder: Path, buckets: list[int]
) -> Iterator[int]:
    """Write the buckets of lists of the artifact in a folder, which executors share, into another; yield each one."""
    if not buckets:
        return
    with session(project, params) as spark:
        make = partial(Lists, version=lists.version, k=lists.k, allowed=lists.allowed, rules=lists.rules)
        task = partial(write, artifact.resolve(), folder.resolve(), make)
        numbers = spark.createDataFrame([(bucket,) for bucket in buckets], f"{BUCKET} int").repartition(len(buckets))
        with ThreadPoolExecutor(1) as pool:
            job, waiting = pool.submit(numbers.mapInPandas(task, f"{BUCKET} int").count), set(buckets)
            while waiting:
                wait([job], timeout=SECONDS_BETWEEN_LOOKS)
                if job.done():
                    job.result()  # raises what went wrong
                written = {bucket for bucket in waiting if (folder / file_name(bucket)).is_file()}
                waiting -= written
                yield from sorted(written)


def write(
    artifact: Path, folder: Path, make: Callable[[Recommender], Lists], batches: Iterable[pd.DataFrame]
) -> Iterator[pd.DataFrame]:
    """Write the buckets whose numbers come in; give the numbers back."""
    lists = make(_recommender(artifact))
    for batch in batches:
        for bucket in batch[BUCKET]:
            lists.write(int(bucket), folder)
        yield batch


@lru_cache(maxsize=1)
def _recommender(artifact: Path) -> Recommender:
    """The ranking, which each process of an executor loads once."""
    return Recommender(load_artifact(artifact))
