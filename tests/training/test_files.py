import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from tests.training.world import make_project
from training.evaluate import evaluate
from training.files import significant
from training.train import train


def numbers(content: Any) -> Iterator[float]:
    if isinstance(content, dict | list):
        for part in content.values() if isinstance(content, dict) else content:
            yield from numbers(part)
    elif isinstance(content, float):
        yield content


def test_figures_that_differ_in_their_last_bits_are_written_alike() -> None:
    assert significant({"a": [0.1 + 0.2, 1e-20 / 3], "b": {"n": 7, "name": "x"}, "c": None}) == {
        "a": [0.3, 3.333333333e-21], "b": {"n": 7, "name": "x"}, "c": None,
    }  # fmt: skip


def test_no_reported_figure_has_more_than_ten_digits(tmp_path: Path) -> None:
    project, params = make_project(tmp_path, candidates=["sklearn_svd"], models__sklearn_svd__embedding_size=8)
    train(project, params, "sklearn_svd")
    evaluate(project, params, "sklearn_svd")
    for path in (project.evaluation("sklearn_svd"), project.training("sklearn_svd"), project.metrics("sklearn_svd")):
        figures = list(numbers(json.loads(path.read_text())))
        assert figures
        assert figures == significant(figures)
    users = pd.read_parquet(project.users("sklearn_svd")).drop(columns="user_id")
    pd.testing.assert_frame_equal(users, users.round(10), check_exact=True)
    for kind in ("learning", "by_k", "popularity"):
        with project.plot(kind, "sklearn_svd").open(newline="") as file:
            cells = [cell for row in list(csv.reader(file))[1:] for cell in row]
        assert cells == [f"{float(cell):.10g}" for cell in cells]
