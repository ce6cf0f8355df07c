"""Artifacts as damaged or hostile software would leave them."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.artifact_format import MANIFEST


def rewrite_manifest(directory: Path, **changes: object) -> None:
    manifest = json.loads((directory / MANIFEST).read_text())
    (directory / MANIFEST).write_text(json.dumps({**manifest, **changes}))


def list_file(directory: Path, name: str, **changes: object) -> None:
    files = json.loads((directory / MANIFEST).read_text())["files"]
    rewrite_manifest(directory, files={**files, name: {**files[name], **changes}})


def list_hash(directory: Path, name: str) -> None:
    list_file(directory, name, sha256=sha256((directory / name).read_bytes()).hexdigest())


def rewrite_array(directory: Path, name: str, array: npt.NDArray[Any]) -> None:
    """Another array, and a manifest that agrees with it: what hostile software would write."""
    np.save(directory / f"{name}.npy", array)
    list_file(directory, f"{name}.npy", shape=list(array.shape), dtype=array.dtype.str)
    list_hash(directory, f"{name}.npy")


def edit_array(directory: Path, name: str, change: Callable[[npt.NDArray[Any]], None]) -> None:
    array = np.load(directory / f"{name}.npy")
    change(array)
    rewrite_array(directory, name, array)
