"""Progress of long loops on standard error: a bar on a terminal; in a log file a line now and then."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")
SECONDS_BETWEEN_LINES = 30


class _Lines:
    """Standard error, on which a bar that is drawn again begins a new line."""

    def write(self, text: str) -> None:
        if line := text.strip():
            sys.stderr.write(f"{line}\n")

    def flush(self) -> None:
        sys.stderr.flush()


def progress(steps: Iterable[T], name: str, unit: str, total: int | None = None) -> Iterable[T]:
    """Go through the steps; `total` is their number where they have no length."""
    bar: Iterable[T] = tqdm(steps, desc=name, unit=unit, total=total, **_options())
    return bar


@contextmanager
def counter(name: str, unit: str, total: int | None, **options: Any) -> Iterator["tqdm[None]"]:  # noqa: ANN401
    """Give a bar whose `update(n)` counts n more steps; `options` are tqdm's."""
    with tqdm(desc=name, unit=unit, total=total, **options, **_options()) as bar:
        yield bar


def say(text: str) -> None:
    """Write a line about a fit that a person should know, without breaking a bar."""
    tqdm.write(text, file=sys.stderr)


def _options() -> dict[str, Any]:
    if sys.stderr.isatty():
        return {}
    return {"file": _Lines(), "mininterval": SECONDS_BETWEEN_LINES, "maxinterval": SECONDS_BETWEEN_LINES, "ncols": 0}
