import pytest

from app.contract.artifact import Recipe
from training.promotion.checks import Check
from training.promotion.gate import Ruling
from training.promotion.summary import Registration, registration_table

RECIPE = Recipe("ease", {}, 1, "")
FIGURES = {
    "candidate": 0.25,
    "popularity": 0.1,
    "gain_over_popularity": 0.15,
    "gain_over_popularity_low": 0.1,
    "gain_over_popularity_high": 0.2,
    "live": 0.26,
}


@pytest.mark.parametrize(
    ("version", "ruling", "lines"),
    [
        ("3", None, ["films version 3 (ease): challenger, decided before; nothing to do"]),
        (
            None,
            Ruling(False, "no reason", FIGURES),
            [
                "films not registered (ease): challenger",
                "  ndcg@10         mean   difference to the candidate",
                "  candidate     0.2500",
                "  popularity    0.1000   +0.1500 [+0.1000, +0.2000]",
                "  live          0.2600   ",
                "  no reason",
            ],
        ),
        (
            "5",
            Ruling(False, "a reason", {}, (Check("size", True, "as before"), Check("age", False, "too old"))),
            [
                "films version 5 (ease): challenger",
                "  ndcg@10         mean   difference to the candidate",
                "  a reason",
                "  ok      size: as before",
                "  FAILED  age: too old",
            ],
        ),
        (
            "6",
            Ruling(False, "a reason", {}, (Check("size", False, "shrunk"),)),
            [
                "films version 6 (ease): refused",
                "  ndcg@10         mean   difference to the candidate",
                "  a reason",
                "  FAILED  size: shrunk",
                "  promote it all the same: python -m training promote 6",
            ],
        ),
        (
            "4",
            Ruling(True, "a reason", {}),
            [
                "films version 4 (ease): challenger",
                "  ndcg@10         mean   difference to the candidate",
                "  a reason",
            ],
        ),
    ],
)
def test_the_table_holds_a_line_for_each_figure_that_is_known(
    version: str | None, ruling: Ruling | None, lines: list[str]
) -> None:
    decision = "refused" if "refused" in lines[0] else "challenger"
    registration = Registration("films", version, RECIPE, "ndcg@10", decision, ruling)
    assert registration_table(registration).split("\n") == lines


@pytest.mark.parametrize(
    ("live", "more"),
    [("3", ""), (None, ""), ("6", ". Version 6 is live; to go back: python -m training promote 3")],
)
def test_a_version_that_was_decided_about_before_is_not_taken_for_the_live_one(live: str | None, more: str) -> None:
    registration = Registration("films", "3", RECIPE, "ndcg@10", "production", None, live)
    said = f"films version 3 (ease): production, decided before; nothing to do{more}"
    assert registration_table(registration) == said
