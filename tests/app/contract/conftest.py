"""An artifact that has everything."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.contract.ready_scores import NO_SCORE
from tests.artifacts import Film, make_artifact, write

FILMS = [Film("Amélie", 2001, ["Comedy"]), Film("", None), Film("日本", -44, ["Œuvre", "Comedy"]), *[Film("x")] * 3]
READY: dict[str, Any] = {
    "ready_items": np.array([[0, 1], [2, -1], [5, 4], [-1, -1]], dtype=np.int32),
    "ready_scores": np.array([[1_500_000, NO_SCORE], [-1, 0], [0, 0], [0, 0]], dtype=np.int32),
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    artifact = make_artifact(seen={0: [1, 2], 3: [5]}, films=FILMS, **READY)
    return write(tmp_path / "with space" / "served", artifact)
