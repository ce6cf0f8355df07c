"""The section `fetch`."""

from typing import Annotated, Literal

from pydantic import Field

from training.params.section import Section

Source = Literal[
    "sample", "csv", "parquet", "sql", "split",
    "ml-latest-small", "ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-32m",
]  # fmt: skip


class Queries(Section):
    """What a database is asked for."""

    ratings: Annotated[str, Field(pattern=r"\S")]
    items: Annotated[str, Field(pattern=r"\S")] | None
    users: Annotated[str, Field(pattern=r"\S")] | None


class FetchParams(Section):
    """The source of the ratings, and whether events join them."""

    source: Source
    csv_folder: Annotated[str, Field(pattern=r"\S")]
    sql: Queries
    events: bool
