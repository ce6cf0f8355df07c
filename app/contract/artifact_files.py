"""Reading and writing the single files of an artifact, checked against what the manifest lists."""

import errno
import hashlib
import json
import mmap
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.contract.artifact_format import Arrays, refuse

# NumPy parses a header with `ast`; before Python 3.11.8 two threads that do so at once get a SystemError
# (github.com/python/cpython/issues/106905).
_PARSING = threading.Lock()

DAMAGED = "does not have the SHA-256 that the manifest gives: it is damaged or truncated"


def load_arrays(directory: Path, files: Mapping[str, Any], names: Iterable[str]) -> Arrays:
    """Map `<name>.npy` for each name, read-only; raises ArtifactError where one isn't what `files` lists."""
    return {name: _load_array(directory / f"{name}.npy", files[f"{name}.npy"]) for name in names}


def give_pages_back(arrays: Arrays) -> None:
    """Let the kernel take back the memory of mapped arrays; it maps again what is read again."""
    for array in arrays.values():
        mapped = _mapped(array)
        if mapped is not None and hasattr(mapped, "madvise"):
            mapped.madvise(mmap.MADV_DONTNEED)


def _load_array(path: Path, listed: Mapping[str, Any]) -> npt.NDArray[Any]:
    try:
        # The header is read and the file's size compared before a byte is allocated: a header may lie.
        with np.errstate(over="ignore"), _PARSING:
            array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        refuse(path, "is missing")
    except (ValueError, OSError, OverflowError, EOFError, SyntaxError) as error:
        _raise_if_lacking(error)
        refuse(path, f"is not a readable .npy array ({error})")
    if list(array.shape) != listed.get("shape") or array.dtype.str != listed.get("dtype"):
        was, expected = f"{array.dtype.str} {list(array.shape)}", f"{listed.get('dtype')} {listed.get('shape')}"
        refuse(path, f"holds {was}, the manifest says {expected}")
    _check_mapped(path, array, listed)
    # The base class without memmap's bookkeeping on every slice.
    return array.view(np.ndarray)


def _check_mapped(path: Path, array: npt.NDArray[Any], listed: Mapping[str, Any]) -> None:
    """Check the hash of the mapped pages themselves, since reading the file would check a copy."""
    mapped = _mapped(array)
    is_whole = mapped is not None and len(mapped) == mapped.size()
    if mapped is None or not is_whole:
        check_hash(path, listed)
    elif hashlib.sha256(mapped).hexdigest() != listed.get("sha256"):
        refuse(path, DAMAGED)


def _mapped(array: npt.NDArray[Any]) -> mmap.mmap | None:
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    return base if isinstance(base, mmap.mmap) else None


def check_hash(path: Path, listed: Mapping[str, Any]) -> None:
    """Refuse a file that is missing or whose SHA-256 is not the one listed."""
    if not path.is_file():
        refuse(path, "is missing")
    if sha256_of(path) != listed.get("sha256"):
        refuse(path, DAMAGED)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_json(path: Path, most_bytes: int) -> dict[str, Any]:
    """The JSON object in a file; raises ArtifactError where it is missing, too large to read whole, or no object."""
    if path.is_file() and path.stat().st_size > most_bytes:
        refuse(path, f"is larger than {most_bytes} bytes")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        refuse(path, "is missing")
    except (ValueError, OSError, RecursionError) as error:
        _raise_if_lacking(error)
        refuse(path, f"is not readable JSON ({error})")
    if not isinstance(content, dict):
        refuse(path, "is not a JSON object")
    return content


def _raise_if_lacking(error: Exception) -> None:
    """Raise if the process lacks memory or file descriptors: then nothing is wrong with the file."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        raise error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object with sorted keys, so that equal contents give equal bytes."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
