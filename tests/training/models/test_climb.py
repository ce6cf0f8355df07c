"""Climbing to better numbers."""

from training.models.climb import climb
from training.models.ease import EASE


def test_the_way_back_from_a_better_number_is_not_tried_again_though_rounding_makes_it_another() -> None:
    tried: list[float | None] = []
    worths = {434.0: 0.2, 1300.0: 0.3, 3900.0: 0.1}

    def worth(family: EASE) -> float:
        tried.append(family.regularization)
        return worths[family.regularization or 0]

    family = EASE(embedding_size=8, regularization=434.0, max_items=100, validate_rule=True)
    decided = climb(family, worth)  # 1300 / 3 is 433
    assert (decided.regularization, decided.validate_rule) == (1300, False)
    assert tried == [434, 1300, 3900]
