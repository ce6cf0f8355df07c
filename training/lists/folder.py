"""The folder that lists are exported to: a file for each bucket of users, and a manifest once all are there."""

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from app.contract.artifact_directory import content_hash
from app.contract.artifact_files import sha256_of
from training.errors import DataError
from training.files import read_json, write_json
from training.lists.bucket import Lists, file_name
from training.lists.filters import ListFilters

MANIFEST = "_manifest.json"  # readers of a folder of parquet files pass over names with _
UNFINISHED = "_unfinished.json"


def describe(lists: Lists, artifact: Path, filters: ListFilters, withdrawn: list[Any]) -> dict[str, Any]:
    """Say which lists these are, as the manifest does; `withdrawn` are the ids of items that none of them holds."""
    return {
        "kind": "recommendation-lists",
        "model_version": lists.version,
        "artifact_hash": content_hash(artifact),
        "k": lists.k,
        "filters": {name: value for name, value in filters.model_dump(mode="json").items() if value},
        **({"placement": lists.rules.placement.content} if lists.rules else {}),
        "users": lists.recommender.n_users,
        **({"withdrawn": withdrawn} if withdrawn else {}),
    }


def begin(folder: Path, description: dict[str, Any]) -> None:
    """Prepare the folder, or find it as a run for the same lists has left it.

    Raises DataError where the folder holds anything but these lists.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in (path for name in ("lists", UNFINISHED, MANIFEST) for path in [*folder.glob(f".{name}-*")]):
        shutil.rmtree(left)  # of a run that was killed
    for name in (MANIFEST, UNFINISHED):
        if (folder / name).is_file():
            found = read_json(folder / name, "choose another folder")
            if {key: found.get(key) for key in description} != description:
                raise DataError(
                    f"{folder} holds lists of version {found.get('model_version')}, k {found.get('k')}, filters "
                    f"{found.get('filters')}: choose another folder, or remove it"
                )
            return
    if any(folder.iterdir()):
        raise DataError(f"{folder} holds other files than lists: choose another folder, or remove them")
    write_json(folder / UNFINISHED, description)


def missing(folder: Path, n_buckets: int) -> list[int]:
    """The buckets that no run has written yet."""
    return [bucket for bucket in range(n_buckets) if not (folder / file_name(bucket)).is_file()]


def finish(folder: Path, description: dict[str, Any], n_buckets: int) -> dict[str, Any]:
    """Write the manifest, with rows and SHA-256 of every file, and return it."""
    names = [file_name(bucket) for bucket in range(n_buckets)]
    files: dict[str, dict[str, Any]] = {
        name: {"rows": _rows(folder / name), "sha256": sha256_of(folder / name)} for name in names
    }
    manifest = {**description, "rows": sum(file["rows"] for file in files.values()), "files": files}
    write_json(folder / MANIFEST, manifest)
    (folder / UNFINISHED).unlink(missing_ok=True)
    return manifest


def _rows(file: Path) -> int:
    try:
        return int(pq.read_metadata(file).num_rows)
    except (OSError, ValueError) as error:
        raise DataError(f"{file} can't be read ({error}): remove it and run the same command again") from error
