"""The options of benchmarks: a line says their names and defaults, and the docstring of each what they mean."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any


def options(description: str | None, **defaults: Any) -> argparse.Namespace:  # noqa: ANN401
    """Read `--name VALUE` for each default, of the default's type.

    A type is an option of this type that may be missing, None then. A list takes values with commas between them, and
    so does a tuple, which holds all that there may be.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in defaults.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(default, type):
            parser.add_argument(flag, type=default)
        elif isinstance(default, list | tuple):
            known = default if isinstance(default, tuple) else ()
            parser.add_argument(flag, type=_listed(type(default[0]), known), default=[*default])
        else:
            parser.add_argument(flag, type=type(default), default=default)
    return parser.parse_args()


def _listed(kind: Callable[[str], Any], known: Sequence[object]) -> Callable[[str], list[Any]]:
    def values(text: str) -> list[Any]:
        found = [kind(part) for part in text.split(",") if part]
        if known and (others := [each for each in found if each not in known]):
            raise argparse.ArgumentTypeError(f"{others[0]} is none of {', '.join(map(str, known))}")
        return found

    return values
