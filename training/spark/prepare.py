"""The `prepare` stage on Spark: the same splits, ids and types as `training.prepare`, in files of whole users."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from app.contract.events import EventTypes
from training.data.catalogue_files import catalogue_of, unread, write_features
from training.data.changes import merge_changes, read_changes
from training.data.dataset import ITEM, ITEM_ID, POSITIVE, RATING, SPLITS, TIMESTAMP, USER, USER_ID
from training.data.events.files import event_files, read_learned
from training.data.figures import NO_STARS, figures_of, none_left, refuse_empty, summary
from training.data.provenance import Provenance, write_provenance
from training.data.raw.ids import typed_series
from training.data.split import refuse_one_time
from training.errors import DataError, ParamsError
from training.files import replacing, write_json
from training.params.prepare import PrepareParams, PrepareStage, SplitParams
from training.params.spark import SparkParams
from training.project import Project
from training.spark.buckets import BUCKET, Buckets, Cuts, write_rows
from training.spark.merging import Merging
from training.spark.reading import ORDER, find, item_ids, read_raw
from training.spark.session import session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def prepare(project: Project, params: PrepareStage, spark_params: SparkParams) -> str:
    """Write the splits, ids, catalogue and features into data/prepared, and figures about them to reports/stats.json.

    Returns what was made, in a sentence. Raises DataError where a file is wrong or nothing is left to train on, and
    ParamsError for what only the embedded engine does.
    """
    if params.prepare.split.method == "random":
        raise ParamsError("prepare.split.method random needs engine: embedded; on Spark use per_user or global")
    if params.catalogue.users:
        raise ParamsError("catalogue.users needs engine: embedded; set it to {} in params.yaml")
    if EventTypes(params.events.types, None).weighs:
        raise ParamsError("a weight in events.types needs engine: embedded; leave it out in params.yaml")
    with session(project, spark_params) as spark, replacing(project.prepared) as folder:
        folder.mkdir()
        figures = _prepare(spark, project, params, spark_params, folder)
    write_json(project.stats, figures)
    return summary(figures) + unread(project.raw, params.catalogue, find(project.raw)[1])


def _prepare(
    spark: "SparkSession", project: Project, stage: PrepareStage, spark_params: SparkParams, folder: Path
) -> dict[str, Any]:
    params, columns = stage.prepare, stage.catalogue.items
    read = read_raw(spark, project.raw, columns, params.text_user_ids)
    changes, changed = read_changes(project.events), dict[str, Any]()
    if changes:
        items = _from_ratings(read.ratings) if read.items is None else read.items
        items, changed = merge_changes(catalogue_of(items, columns), changes, columns)
        read = read._replace(items=items)
    rated = _with_positives(_latest(read.ratings), params)
    learned, events = read_learned(project.events), None
    if learned is not None:
        known = read.items[ITEM_ID].astype(str) if read.items is not None else item_ids(read.ratings)
        merging = Merging(
            read.numeric_users, np.array(known, dtype=np.str_), EventTypes(stage.events.types, params.min_rating)
        )
        rated, events = merging.merged(rated, event_files(project.events), spark_params.buckets)
    ratings = _frequent(rated, params).persist()
    items = catalogue_of(_from_ratings(ratings) if read.items is None else read.items, columns)
    users = numbered(ratings.select(USER_ID).distinct(), USER_ID, USER).persist()
    buckets = Buckets.divide(folder, users.count(), spark_params.buckets)
    rows = _by_internal_id(spark, ratings, users, items, buckets)
    parts = write_rows(rows, folder, params.split, _cuts(ratings, params.split))
    items.to_parquet(folder / "items.parquet", index=False)
    write_features(folder, items, stage)
    buckets.write(folder)
    write_provenance(folder, Provenance(params.min_rating, learned, stage.events.types))
    positives = {name: int(parts[name].sum()) for name in SPLITS}
    refuse_empty(positives, float(parts["highest"].max()), params)
    rated_items = ratings.select(ITEM_ID).distinct().count()
    figures = figures_of(buckets.users, len(items), rated_items, int(parts["rows"].sum()), positives, events)
    return figures | ({"catalogue": changed} if changed else {})


def _latest(ratings: "DataFrame") -> "DataFrame":
    """Keep a user's last rating of an item; of equal times, the last in the files."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    last_first = [f.col(name).desc() for name in (TIMESTAMP, *ORDER)]
    age = f.row_number().over(Window.partitionBy(USER_ID, ITEM_ID).orderBy(*last_first))
    return ratings.withColumn("age", age).where("age = 1").drop("age")


def _with_positives(ratings: "DataFrame", params: PrepareParams) -> "DataFrame":
    from pyspark.sql import functions as f

    if params.min_rating is None:
        return ratings.withColumn(POSITIVE, f.lit(True))
    if ratings.where(f.isnan(RATING)).limit(1).count():
        raise DataError(NO_STARS)
    return ratings.withColumn(POSITIVE, f.col(RATING).cast("double") >= params.min_rating)


def _frequent(ratings: "DataFrame", params: PrepareParams) -> "DataFrame":
    """Keep ratings of users and items with enough of them; repeat, as dropping one can make another too rare."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    wanted = {USER_ID: params.min_user_ratings, ITEM_ID: params.min_item_ratings}
    limits = {name: least for name, least in wanted.items() if least > 1}
    before = count = ratings.count() if limits else 1
    while limits and count:
        counts = {name: f.count("*").over(Window.partitionBy(name)) for name in limits}
        counted = ratings.select("*", *(each.alias(f"n_{name}") for name, each in counts.items()))
        enough = " and ".join(f"n_{name} >= {least}" for name, least in limits.items())
        # A checkpoint, since the plan would double with each round.
        ratings = counted.where(enough).drop(*(f"n_{name}" for name in limits)).localCheckpoint()
        former, count = count, ratings.count()
        if count == former:
            break
    if not count:
        raise none_left(before, params)
    return ratings


def _from_ratings(ratings: "DataFrame") -> pd.DataFrame:
    """The items that are rated, where no file tells more of them."""
    return pd.DataFrame({ITEM_ID: typed_series(item_ids(ratings))})


def numbered(frame: "DataFrame", by: str, name: str) -> "DataFrame":
    """Add a column that numbers the rows from 0 in the order of a column, without one task that holds them all."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    parts = frame.repartitionByRange(by).withColumn("part", f.spark_partition_id()).persist()
    counts = {row["part"]: row["count"] for row in parts.groupBy("part").count().collect()}
    offsets, total = [], 0
    for part in sorted(counts):
        offsets.append((part, total))
        total += counts[part]
    place = f.row_number().over(Window.partitionBy("part").orderBy(by)) - 1
    first = f.broadcast(frame.sparkSession.createDataFrame(offsets, "part int, first long"))
    return parts.join(first, "part").withColumn(name, f.col("first") + place).drop("part", "first")


def _by_internal_id(
    spark: "SparkSession", ratings: "DataFrame", users: "DataFrame", items: pd.DataFrame, buckets: Buckets
) -> "DataFrame":
    from pyspark.sql import functions as f

    rows = pd.DataFrame({ITEM_ID: items[ITEM_ID].astype(str), ITEM: np.arange(len(items), dtype=np.int32)})
    places = f.broadcast(spark.createDataFrame(rows, f"{ITEM_ID} string, {ITEM} int"))
    numbered_rows = ratings.join(users, USER_ID).join(places, ITEM_ID).drop(ITEM_ID)
    return numbered_rows.withColumn(BUCKET, f.floor(f.col(USER) / buckets.size).cast("int"))


def _cuts(ratings: "DataFrame", params: SplitParams) -> Cuts:
    """The two moments of a global split, as `numpy.quantile` finds them among the times of all positives."""
    if params.method != "global":
        return None
    from pyspark.sql import functions as f

    times = ratings.where(POSITIVE).select(TIMESTAMP)
    ends = ratings.agg(f.min(TIMESTAMP), f.max(TIMESTAMP)).first()
    assert ends is not None  # noqa: S101 - an aggregate has one row
    refuse_one_time(*ends)
    if not (n := times.count()):
        return math.inf, math.inf
    last = n - 1
    places = [last * share for share in (1 - params.test - params.validation, 1 - params.test)]
    wanted = sorted({int(end) for place in places for end in (np.floor(place), np.ceil(place))})
    found = {
        row["place"]: row[TIMESTAMP]
        for row in numbered(times, TIMESTAMP, "place").where(f.col("place").isin(wanted)).collect()
    }
    between = [np.quantile([found[int(np.floor(place))], found[int(np.ceil(place))]], place % 1) for place in places]
    return float(between[0]), float(between[1])
