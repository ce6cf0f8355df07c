"""Climbing to better numbers."""

from collections.abc import Callable

import pytest

from training.models.climb import climb
from training.models.ease import EASE


def test_the_way_back_from_a_better_number_is_not_tried_again_though_rounding_makes_it_another() -> None:
    tried: list[float | None] = []
    worths = {434.0: 0.2, 1300.0: 0.3, 3900.0: 0.2}

    def worth(family: EASE) -> float:
        tried.append(family.regularization)
        return worths[family.regularization or 0]

    family = EASE(embedding_size=8, regularization=434.0, max_items=100, validate_rule=True)
    decided = climb(family, worth)  # 1300 / 3 is 433
    assert (decided.regularization, decided.validate_rule) == (1300, False)
    assert tried == [434, 1300, 3900]


@pytest.mark.parametrize(
    ("worth_of", "tried", "decided"),
    [
        (lambda number: number, [1, 3, 9, 27], 27),  # three steps and no more
        (lambda number: -number, [1, 3, 0.333, 0.111, 0.037], 0.037),
        (lambda number: 1.0, [1, 3, 0.333], 1),  # what is no better is not taken
    ],
)
def test_a_number_moves_as_long_as_it_gets_better(
    worth_of: Callable[[float], float], tried: list[float], decided: float
) -> None:
    seen: list[float] = []

    def worth(family: EASE) -> float:
        assert family.regularization is not None
        seen.append(family.regularization)
        return worth_of(family.regularization)

    family = EASE(embedding_size=8, regularization=1.0, max_items=100, validate_rule=True)
    assert climb(family, worth).regularization == decided
    assert seen == tried


def test_a_number_beside_a_cliff_is_not_taken() -> None:
    worths = {1.0: 0.2, 3.0: 0.29, 9.0: 0.3, 27.0: 0.1, 0.333: 0.1}
    family = EASE(embedding_size=8, regularization=1.0, max_items=100, validate_rule=True)
    assert climb(family, lambda each: worths[each.regularization or 0]).regularization == 3
