"""The catalogue and what models learn of its items, as files of the prepared data."""

from pathlib import Path

import numpy as np
import pandas as pd

from training.data.dataset import COLUMNS_FILE, FEATURE, ITEM, ITEM_ID, TITLE, VALUE
from training.data.features import features_of
from training.data.raw.items import column_names
from training.data.values import column_of, missing
from training.files import write_json, write_parquet
from training.params.catalogue import ItemColumns
from training.params.prepare import PrepareStage


def catalogue_of(items: pd.DataFrame, columns: ItemColumns) -> pd.DataFrame:
    """The items by id; without a file of items, the rated ids."""
    if TITLE not in items:
        ids = np.sort(items[ITEM_ID].unique())
        empty = {name: column_of([missing(each.type)] * len(ids), each.type) for name, each in columns.items()}
        items = pd.DataFrame({ITEM_ID: ids, TITLE: ids.astype(str), **empty})
    return items.sort_values(ITEM_ID).reset_index(drop=True)


def write_features(folder: Path, items: pd.DataFrame, stage: PrepareStage) -> None:
    """Write the features of the items, one row for each that isn't 0, and what columns and features are."""
    columns = stage.catalogue.items
    matrix, entries = features_of(items, columns, stage.seed)
    rows = np.repeat(np.arange(len(items), dtype=np.int32), np.diff(matrix.indptr))
    table = {ITEM: rows, FEATURE: matrix.indices.astype(np.int32), VALUE: matrix.data}
    write_parquet(folder / "features.parquet", pd.DataFrame(table))
    described = [column.described(name).described for name, column in columns.items()]
    write_json(folder / COLUMNS_FILE, {"columns": described, "item_features": entries})


def unread(raw: Path, columns: ItemColumns) -> str:
    """A clause that names columns that the file of items has and nobody lists, and the other way round."""
    names = column_names(raw)
    if names is None:
        return ""
    left_out = [name for name in names if name not in columns]
    lacking = [name for name in columns if name not in names]
    said = f"; in no list of catalogue.items, so left out: {', '.join(left_out)}" if left_out else ""
    return said + (f"; listed, but not in the file of items: {', '.join(lacking)}" if lacking else "")
