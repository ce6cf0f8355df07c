"""Merges events with the ratings in executors, the users of a part at a time: no machine holds all of either."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from app.contract.events import EventTypes
from training.data.dataset import USER_ID
from training.data.events.files import POSITION, REMEDY
from training.data.events.merging import merge
from training.data.events.sifting import Sifted, sift
from training.files import read_parquet

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

EVENT = "position long, user_id string, item_id string, type string, value float, occurred_at long, received_at long"


@dataclass(frozen=True)
class Merging:
    """What an executor has to know beside the rows of its users: `item_ids` are those of the catalogue, as texts."""

    numeric_users: bool
    item_ids: npt.NDArray[np.str_]
    types: EventTypes

    def merged(self, ratings: "DataFrame", files: list[Path], parts: int) -> tuple["DataFrame", dict[str, int]]:
        """The ratings with what the events in some files change, and `Sifted.figures` of all events."""
        from pyspark.sql import functions as f

        paths = ratings.sparkSession.createDataFrame([(str(file.resolve()),) for file in files], "path string")
        part = f.pmod(f.hash(f.col(USER_ID).cast("string")), f.lit(parts))
        events = paths.mapInPandas(_read, EVENT).persist().groupBy(part)

        # Spark would take the `self` of a method for one more argument.
        def merge_part(ratings: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
            return self._merge(ratings, events)

        def count_part(events: pd.DataFrame) -> pd.DataFrame:
            return pd.DataFrame(self._sift(events).figures.items(), columns=["name", "count"])

        merged = ratings.groupBy(part).cogroup(events).applyInPandas(merge_part, ratings.schema)
        figures = events.applyInPandas(count_part, "name string, count long").toPandas()
        return merged, figures.groupby("name", sort=False)["count"].sum().to_dict()

    def _sift(self, events: pd.DataFrame) -> Sifted:
        return sift(events.sort_values(POSITION, ignore_index=True), self.numeric_users, self.item_ids)

    def _merge(self, ratings: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
        place: dict[str, Any] = {"source": "Int64", "start": "Int64", "row": "Int64"}  # which may be missing
        rows = merge(ratings.astype(place), self._sift(events), self.types)
        return _for_spark(rows.fillna({"source": 1, "file": "", "start": 0, "row": pd.Series(np.arange(len(rows)))}))


def _read(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        for path in batch["path"]:
            yield _for_spark(read_parquet(Path(path), REMEDY))


def _for_spark(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with texts as objects: Spark can't take Arrow's in several pieces, which joining frames makes."""
    texts = [name for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.StringDtype)]
    return frame.astype(dict.fromkeys(texts, object))
