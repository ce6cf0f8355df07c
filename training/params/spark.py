"""The section `spark`, which only `engine: spark` reads."""

from typing import Annotated

from pydantic import Field

from training.params.section import AtLeastOne, Section

Memory = Annotated[str, Field(pattern=r"^[1-9][0-9]*[mg]$")]


class SparkParams(Section):
    """Where Spark runs, how much of it is used, and into how many files of users the data is divided."""

    master: Annotated[str, Field(pattern=r"^(local|spark://\S+)$")]
    driver_memory: Memory
    executor_memory: Memory
    cores: AtLeastOne
    buckets: AtLeastOne
    sample_users: Annotated[int, Field(ge=100)]
