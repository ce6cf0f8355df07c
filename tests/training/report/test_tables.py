"""What a cell shows of a figure that is known."""

from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest

from tests.training.report.made import candidate, comparison
from training.metrics.bootstrap import Interval
from training.promotion.checks import Check
from training.report import tables
from training.report.contents import lay_out
from training.report.differences import Difference, Opponent
from training.report.example_users import ExampleUser, Suggestion
from training.report.page import Cell, Table

EASE = candidate("ease", 0.5, [0.1], fit_seconds=1234.56, size=2_345_678)
POPULARITY = candidate("popularity", 0.3, [0.1], fit_seconds=None)


def texts(table: Table) -> list[list[str]]:
    return [[f"{cell.text} {cell.detail}".strip() for cell in row] for row in table.rows]


def marks(table: Table) -> list[list[bool]]:
    return [[cell.mark == "best" for cell in row[1:]] for row in table.rows]


def test_accuracy_is_that_at_the_headline_s_k_with_its_interval_and_a_dash_where_there_is_none() -> None:
    table = tables.accuracy_table(comparison(EASE, POPULARITY))
    assert table.head == ["candidate", "precision@10", "recall@10", "ndcg@10", "map@10", "mrr@10", "hit_rate@10", "auc"]
    assert texts(table) == [
        ["ease", *["0.5000 [0.4500, 0.5500]"] * 6, "–"],
        ["popularity", *["0.3000 [0.2500, 0.3500]"] * 6, "–"],
    ]
    assert marks(table) == [[True] * 6 + [False], [False] * 7]


def test_beyond_accuracy_less_may_be_better() -> None:
    table = tables.beyond_accuracy_table(comparison(EASE, POPULARITY))
    assert table.head[1:3] == ["coverage@10", "novelty@10"]
    assert texts(table)[0] == ["ease", *["0.250"] * 5]
    assert marks(table) == [[True, True, False, False, False], [False, False, True, True, True]]


def test_what_reads_alike_is_marked_for_all_that_have_it_or_for_none() -> None:
    assert [cell.mark for cell in tables._column([0.12341, 0.12342, 0.1], ["0.1234", "0.1234", "0.1000"])] == [
        "best", "best", "",
    ]  # fmt: skip
    assert [cell.mark for cell in tables._column([1, 1], ["1", "1"])] == ["", ""]
    assert [cell.mark for cell in tables._column([None, 2, 1], ["–", "2", "1"], min)] == ["", "", "best"]
    assert [cell.mark for cell in tables._column([None], ["–"])] == [""]


def test_segments_name_their_users_and_cold_films_have_chance_below() -> None:
    both = comparison(EASE, POPULARITY)
    activity = tables.activity_table(both)
    assert activity.head == ["candidate", "few, 1,200 users", "many, 30 users"]
    assert marks(activity) == [[True, False], [False, False]]
    cold = tables.cold_table(both)
    assert cold.head == ["candidate", "recall@10", "recall@5"]
    assert texts(cold)[-1] == ["chance", "0.1000", "0.0500"]


def test_a_difference_has_its_sign_and_a_tiny_p_is_below_a_bound() -> None:
    interval = Interval(0.0123, -0.001, 0.0246)
    against = Opponent("popularity", pd.DataFrame({"ndcg@10": [0.25, 0.5]}), "popularity")
    found = [Difference("ease", "popularity", interval, p, 0.95) for p in (0.00009, 0.0001, 0.04)]
    table = tables.difference_table(comparison(EASE, differences=found, opponents=[against]))
    assert texts(table)[0] == [
        "ease", "popularity with 0.3750", "+0.0123 [-0.0010, +0.0246]", "< 0.0001", "no clear difference",
    ]  # fmt: skip
    assert [row[3].text for row in table.rows] == ["< 0.0001", "0.0001", "0.0400"]


def test_checks_are_listed_with_their_outcome() -> None:
    checks = [Check("size", True, "as before"), Check("age", False, "too old")]
    assert texts(tables.check_table(comparison(EASE, checks=checks))) == [
        ["size", "passed", "as before"],
        ["age", "failed", "too old"],
    ]


def test_costs_are_seconds_and_megabytes_and_the_cheaper_one_is_marked() -> None:
    table = tables.cost_table(comparison(EASE, POPULARITY))
    assert texts(table) == [
        ["ease", "0.5000", "1,234.6", "2.35", "8", "–"],
        ["popularity", "0.3000", "not measured", "1.50", "8", "–"],
    ]
    assert marks(table) == [[True, True, False, False, False], [False, False, True, False, False]]
    seen = replace(EASE, training={**EASE.training, "other_seeds": [0.48, 0.51]})
    assert texts(tables.cost_table(comparison(seen)))[0][1] == "0.5000 other seeds 0.4800, 0.5100"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"a": 0.1 + 0.2, "b": 1e-5, "c": None, "d": True, "e": "cosine"}, "a 0.3, b 1e-05, c null, d true, e cosine"),
        ({"members": {"ease": {"k": 8}, "als": {}}}, "members (ease (k 8), als ())"),
        ({}, ""),
    ],
)
def test_parameters_are_spelled_as_in_params_yaml(params: dict[str, object], text: str) -> None:
    assert tables._parameters(params) == text


def test_lists_stand_side_by_side_hits_marked_and_a_short_one_ends_in_empty_cells() -> None:
    lists = {"ease": [Suggestion(f"film {n}", n == 1) for n in range(10)], "cold": [Suggestion("film", False)]}
    table = tables.lists_table(ExampleUser("1", 3, [], [], lists))
    assert table.head == ["", "ease", "cold"]
    assert [row[0].text for row in table.rows] == [str(rank) for rank in range(1, 11)]
    assert table.rows[0][1:] == [Cell("film 0"), Cell("film")]
    assert table.rows[1][1:] == [Cell("film 1", mark="hit"), Cell("")]
    assert [row[1].text for row in table.rows] == [f"film {n}" for n in range(10)]


@pytest.mark.long
def test_strangers_are_shown_where_they_were_measured() -> None:
    found = {"ndcg": 0.3, "without": 0.2, "confidence_95": [0.05, 0.15]}
    measured, other = candidate("als", 0.5, [0.5]), candidate("popularity", 0.2, [0.2])
    for each in (measured, other):
        each.cold["among_all"] = {**found, "share": 0.25}  # type: ignore[index]
    measured.evaluation["newcomers"] = {**found, "users": 7}  # type: ignore[index]
    both = comparison(measured, other, data=Counter())
    assert [cell.text for cell in tables.among_all_table(both).rows[1]] == [
        "popularity",
        "0.3000",
        "0.2000",
        "+0.1000",
        "0.25",
    ]
    assert [cell.text for cell in tables.newcomers_table(both).rows[0]] == ["als", "0.3000", "0.2000", "+0.1000", "7"]
    assert [cell.text for cell in tables.newcomers_table(both).rows[1]] == ["popularity", *["–"] * 4]
    (section,) = [section for section in lay_out(both).sections if section.title == "Cold films"]
    shown = [part for part in section.parts if isinstance(part, Table)]
    assert len(shown) == 3
