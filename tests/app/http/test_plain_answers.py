from hypothesis import example, given
from hypothesis import strategies as st

from app.http.plain_answers import score_texts
from app.model.item_fields import to_json


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
@example([1e-06, 0.5])
@example([0.00001, 1e16, -2.5])
@example([0.000123])
def test_scores_are_spelled_as_in_any_other_answer(scores: list[float]) -> None:
    assert b",".join(score_texts(scores)) == to_json(scores)[1:-1]
