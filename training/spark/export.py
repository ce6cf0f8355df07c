"""The `export` command on Spark: executors write the buckets of lists."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import lru_cache, partial
from pathlib import Path

import pandas as pd

from app.contract.artifact_directory import load_artifact
from app.contract.item_matrix import Mask
from app.contract.recommender import Recommender
from app.contract.rules import Rules
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
        task = partial(write, artifact.resolve(), folder.resolve(), lists.version, lists.k, lists.allowed, lists.rules)
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
    artifact: Path,
    folder: Path,
    version: str,
    k: int,
    allowed: Mask | None,
    rules: Rules | None,
    batches: Iterable[pd.DataFrame],
) -> Iterator[pd.DataFrame]:
    """Write the buckets whose numbers come in; give the numbers back."""
    lists = Lists(_recommender(artifact), version, k, allowed, rules)
    for batch in batches:
        for bucket in batch[BUCKET]:
            lists.write(int(bucket), folder)
        yield batch


@lru_cache(maxsize=1)
def _recommender(artifact: Path) -> Recommender:
    """The ranking, which each process of an executor loads once."""
    return Recommender(load_artifact(artifact))
