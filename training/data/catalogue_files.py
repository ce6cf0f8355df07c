"""The catalogue and what models learn of its items, as files of the prepared data."""

from pathlib import Path

import numpy as np
import pandas as pd

from training.data.dataset import COLUMNS_FILE, FEATURES_FILE, ITEM, ITEM_ID, TITLE
from training.data.features import features_of, write_matrix
from training.data.raw.items import column_names
from training.data.raw.layouts import Layout
from training.data.raw.users import attribute_names
from training.data.values import column_of, missing
from training.data.word_file import write_words
from training.files import write_json
from training.params.catalogue import CatalogueParams, ItemColumns
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
    matrix, entries, words = features_of(items, columns, stage.seed)
    write_matrix(folder / FEATURES_FILE, matrix, ITEM)
    write_words(folder, words)
    described = [column.described(name).described for name, column in columns.items()]
    write_json(folder / COLUMNS_FILE, {"columns": described, "item_features": entries})


def unread(raw: Path, catalogue: CatalogueParams, layout: Layout | None = None) -> str:
    """Name the columns that the files have and params.yaml doesn't list, and the other way round, each in a clause."""
    of_items = _unread("items", column_names(raw, layout), [*catalogue.items])
    return of_items + _unread("users", attribute_names(raw, layout), [*catalogue.users])


def _unread(name: str, there: list[str] | None, listed: list[str]) -> str:
    if there is None:
        return f"; catalogue.{name} lists columns, but there is no file of {name}" if listed and name == "users" else ""
    left_out = [column for column in there if column not in listed]
    lacking = [column for column in listed if column not in there]
    said = f"; in no list of catalogue.{name}, so left out: {', '.join(left_out)}" if left_out else ""
    return said + (f"; listed, but not in the file of {name}: {', '.join(lacking)}" if lacking else "")
