"""Writes files and folders whole or not at all."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from training.errors import DataError

REPRODUCE = "run: dvc repro"
DIGITS = 10


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary path; the file or folder there becomes `target` if the block ends without an error."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        partial = Path(folder) / target.name
        yield partial
        if target.is_dir():
            shutil.rmtree(target)
        partial.replace(target)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object with sorted keys."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def significant(content: Any) -> Any:  # noqa: ANN401
    """Round every float of a JSON value to 10 significant digits, so that another processor writes the same bytes."""
    if isinstance(content, float):
        return float(f"{content:.{DIGITS}g}")
    if isinstance(content, Mapping):
        return {key: significant(value) for key, value in content.items()}
    return [significant(value) for value in content] if isinstance(content, list) else content


def read_json(path: Path, remedy: str) -> dict[str, Any]:
    """Read a JSON object; raise DataError that ends with `remedy`."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} can't be read ({error}); {remedy}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} holds no JSON object; {remedy}")
    return content


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write a table for people and plots, its figures with 10 significant digits."""
    with replacing(path) as partial:
        frame.to_csv(partial, index=False, float_format=f"%.{DIGITS}g")


def read_parquet(path: Path, remedy: str, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table; raise DataError that ends with `remedy`."""
    try:
        return pd.read_parquet(path, columns=columns)
    except (OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{path} can't be read ({reason}); {remedy}") from error


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    """Write a table."""
    with replacing(path) as partial:
        frame.to_parquet(partial, index=False)
