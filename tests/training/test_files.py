import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.training.world import make_project
from training.errors import DataError
from training.evaluate import evaluate
from training.files import read_json, significant, write_csv, write_json, write_parquet
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


def test_a_table_is_written_without_its_row_numbers_and_replaces_what_was_there(tmp_path: Path) -> None:
    frame = pd.DataFrame({"k": [5, 10], "ndcg": [0.1 + 0.2, 1 / 3]}, index=[7, 3])
    (tmp_path / "former").mkdir()
    for path in (tmp_path / "former", tmp_path / "new"):
        write_csv(path, frame)
        assert path.read_text() == "k,ndcg\n5,0.3\n10,0.3333333333\n"
        write_parquet(path, frame)
        assert pd.read_parquet(path).to_dict("list") == frame.to_dict("list")
        assert pd.read_parquet(path).index.tolist() == [0, 1]
    assert {path.name for path in tmp_path.iterdir()} == {"former", "new"}


def test_json_is_written_in_order_and_with_its_letters(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": "ä", "a": 1})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "a": 1,\n  "b": "ä"\n}\n'
    assert read_json(tmp_path / "a.json", "") == {"a": 1, "b": "ä"}
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DataError, match=r"a\.json can't be read \(.*\); run it again"):
        read_json(tmp_path / "a.json", "run it again")


def test_what_fails_leaves_neither_a_part_nor_a_loss(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_json(path, {"a": object()})
    assert read_json(path, "") == {"a": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]
