"""The catalogue and the features of its items, as models know them."""

from typing import Any

import numpy as np
import pandas as pd

from training.data.dataset import FEATURE, GENRES, ITEM, ITEM_ID, TITLE, YEAR
from training.params.prepare import PrepareParams


def catalogue_of(items: pd.DataFrame) -> pd.DataFrame:
    """The items by id; without a file of items, the rated ids."""
    if TITLE not in items:
        ids = np.sort(items[ITEM_ID].unique())
        items = pd.DataFrame(
            {ITEM_ID: ids, TITLE: ids.astype(str), YEAR: pd.array([pd.NA] * len(ids), "Int64"), GENRES: ""}
        )
    return items.sort_values(ITEM_ID).reset_index(drop=True)


def features_of(items: pd.DataFrame, params: PrepareParams) -> pd.DataFrame:
    """One row per item and feature: `genre:Drama`, `decade:1990`, `year:1994`."""
    parts = [pd.DataFrame({ITEM: np.empty(0, dtype=np.int32), FEATURE: np.empty(0, dtype=object)})]
    if "genres" in params.features:
        genres = items[GENRES].str.split("|").explode()
        parts.append(_feature_rows("genre:" + genres[genres != ""].astype(str)))
    years = items[YEAR].dropna()
    if "decade" in params.features:
        parts.append(_feature_rows("decade:" + (years // 10 * 10).astype(str)))
    if "year" in params.features:
        parts.append(_feature_rows("year:" + years.astype(str)))
    return pd.concat(parts).sort_values([ITEM, FEATURE]).drop_duplicates(ignore_index=True)


def _feature_rows(features: "pd.Series[Any]") -> pd.DataFrame:
    return pd.DataFrame({ITEM: features.index.to_numpy().astype(np.int32), FEATURE: features.to_numpy(dtype=object)})
