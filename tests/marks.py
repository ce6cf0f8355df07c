"""Values of a parameter of a test."""

from collections.abc import Iterable

import pytest


def long(values: Iterable[object]) -> list[object]:
    """Values that `make test-long` alone tries."""
    return [pytest.param(each, marks=pytest.mark.long) for each in values]
