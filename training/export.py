"""The `export` command: the best unseen items of every user, as parquet files."""

import glob
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.contract.artifact_directory import content_hash, load_artifact
from app.contract.recommender import Recommender
from app.contract.rules import Rules
from training.errors import ParamsError, TrackingError
from training.lists import folder as lists_folder
from training.lists.bucket import Lists
from training.lists.filters import ListFilters, allowed_items, withdrawn_rows, without
from training.lists.placement import stored_rules
from training.params.whole import Params
from training.progress import progress
from training.project import Project

DEFAULT_K = 50
VERSION_DIGITS = 12  # of the content hash, which is the version of a folder, as in the service


@dataclass(frozen=True)
class ExportOptions:
    """Which lists to export, and of which version; without an alias, of models/served.

    Without k it is that of the placement, or DEFAULT_K.
    """

    k: int | None
    alias: str | None
    filters: ListFilters
    placement: str | None = None


WriteBuckets = Callable[[Lists, Path, Path, list[int]], Iterable[int]]
"""Writes buckets of lists of the artifact in a folder into another; yields each that is done."""


def in_this_process(lists: Lists, _: Path, folder: Path, buckets: list[int]) -> Iterator[int]:
    """Write the buckets in this process, one by one, each on all processors."""
    for bucket in buckets:
        lists.write(bucket, folder)
        yield bucket


def export(
    project: Project, params: Params, options: ExportOptions, out: Path, write: WriteBuckets = in_this_process
) -> dict[str, Any]:
    """Write the lists into `out`, going on where a former run ended, and return the manifest.

    Raises DataError where the folder holds something else or there is no such placement, ParamsError for a k that the
    placement does not leave open, TrackingError where MLflow can't be reached.
    """
    with _artifact(project, params, options.alias, out) as (artifact, version):
        loaded = load_artifact(artifact)
        gone = withdrawn_rows(loaded, project.root)
        allowed = without(allowed_items(loaded, options.filters), gone, len(loaded.item_ids))
        recommender, name = Recommender(loaded), options.placement
        rules = None if name is None else stored_rules(recommender, project.root, name)
        lists = Lists(recommender, version, _length(options, rules), allowed, rules)
        description = lists_folder.describe(lists, artifact, options.filters, loaded.item_ids[gone].tolist())
        lists_folder.begin(out, description)
        wanted = lists_folder.missing(out, lists.n_buckets)
        for _ in progress(write(lists, artifact, out, wanted), "export", "bucket", len(wanted)):
            pass
        return lists_folder.finish(out, description, lists.n_buckets)


def _length(options: ExportOptions, rules: Rules | None) -> int:
    if rules is None:
        return options.k or DEFAULT_K
    if options.k is not None and "k" not in rules.placement.overridable:
        raise ParamsError(f"--k {options.k}: the placement {options.placement!r} says how long a list is; leave it out")
    return options.k or rules.placement.k


@contextmanager
def _artifact(project: Project, params: Params, alias: str | None, out: Path) -> Iterator[tuple[Path, str]]:
    """The folder of the artifact, and its version; one of MLflow lies beside `out` as long as it is needed."""
    if alias is None:
        yield project.served, content_hash(project.served)[:VERSION_DIGITS]
        return
    from training.tracking.aliases import version_of
    from training.tracking.connection import connect, mlflow_errors
    from training.tracking.versions import download_served

    client, name = connect(project.root, params.registration.experiment), params.registration.name
    with mlflow_errors():
        version = version_of(client, name, alias)
    if version is None:
        raise TrackingError(f"{name} has no version with the alias {alias!r}: name one with promote VERSION")
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out.name}-of-"
    for left in out.parent.glob(f"{glob.escape(prefix)}*"):
        shutil.rmtree(left)  # of a run that was killed
    with tempfile.TemporaryDirectory(prefix=prefix, dir=out.parent) as folder:
        yield download_served(client, name, version, Path(folder)), version
