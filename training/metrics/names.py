"""The names of metrics as people write them: `ndcg@10`, `auc`."""

import re

from training.metrics.ranking import METRICS

WITHOUT_K = ("auc",)


def parse_metric(name: str) -> tuple[str, int | None]:
    """Split `ndcg@10` into ("ndcg", 10), `auc` into ("auc", None).

    Raises ValueError for anything that is not a per-user metric.
    """
    if name in WITHOUT_K:
        return name, None
    match = re.fullmatch(r"(\w+)@([1-9]\d*)", name)
    if match is None or match[1] not in METRICS:
        known = ", ".join([*(f"{metric}@k" for metric in METRICS), *WITHOUT_K])
        raise ValueError(f"{name!r} is not a metric; known are {known}")
    return match[1], int(match[2])
