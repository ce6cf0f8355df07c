"""How much items are liked of late, as far as training knows."""

from typing import NamedTuple

import numpy as np

from app.contract.artifact import Artifact
from app.contract.artifact_format import Float32Array

DAY = 86_400.0
HALF_LIVES = (30 * DAY, 7 * DAY, DAY)  # which training counts with, beside the one of aged popularity


class Trend(NamedTuple):
    """Positives by item, float32 (n_items,), each halved for every `half_life` that it is older than `at`.

    Both are seconds, `at` since 1970. Items that came after training follow, and may be missing.
    """

    half_life: float
    at: float
    counts: Float32Array

    @property
    def days(self) -> str:
        """The half-life in days, as a client writes it."""
        return f"{self.half_life / DAY:g}"


def trends_of(artifact: Artifact) -> list[Trend]:
    """The trends that a model keeps; the first is that of a list where nobody asks for another."""
    found = []
    if artifact.aging is not None and artifact.aged_popularity is not None and artifact.aging.half_life > 0:
        found.append(Trend(*artifact.aging, artifact.aged_popularity))
    if artifact.trends is not None and artifact.trending is not None:
        half_lives, at = artifact.trends
        found += [Trend(half_life, at, counts) for half_life, counts in zip(half_lives, artifact.trending, strict=True)]
    # Without times training knows no trend, and what people say from now on makes one.
    return found or [Trend(HALF_LIVES[0], 0.0, np.zeros(len(artifact.item_ids), dtype=np.float32))]
