"""Whether two catalogues hold the same films: equal ids may mean different films."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from training.data.dataset import ITEM_ID, TITLE

SAMPLED = 100
LEAST_COMMON = 0.5

Titles = Mapping[str, str]


def some_titles(catalogue: pd.DataFrame) -> Titles:
    """Pick films from all over a catalogue, by which it can be recognised: the title of each id."""
    rows = np.linspace(0, len(catalogue) - 1, min(SAMPLED, len(catalogue))).astype(int)
    return _titles(catalogue.iloc[rows])


def are_others(films: Titles, catalogue: pd.DataFrame) -> bool:
    """Whether the ids of most of these films mean other films in a catalogue, or nothing.

    Films come, go and get new titles, but never half of them at once.
    """
    titles = _titles(catalogue)
    return sum(titles.get(item) == title for item, title in films.items()) < LEAST_COMMON * len(films)


def _titles(catalogue: pd.DataFrame) -> Titles:
    return dict(zip(catalogue[ITEM_ID].astype(str), catalogue[TITLE].astype(str), strict=True))
