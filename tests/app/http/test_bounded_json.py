"""The bounded decoder reads what the standard library's reads, and refuses the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.http.bounded_json import BoundedDecoder

MAX_VALUES = 5000
# Without its default, the characters that UTF-8 has, which takes seconds to find.
TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(VALUES)
def test_it_reads_what_the_standard_library_reads(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert json.loads(text, cls=BoundedDecoder, max_values=MAX_VALUES) == json.loads(text)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet='{}[]",: 1e-n\\u\n'))
def test_it_refuses_what_the_standard_library_refuses_with_the_same_words(text: str) -> None:
    def outcome(**options: Any) -> object:
        try:
            return json.loads(text, **options)
        except json.JSONDecodeError as error:
            return error.msg, error.pos

    assert outcome(cls=BoundedDecoder, max_values=MAX_VALUES) == outcome()


@pytest.mark.parametrize("text", ["[%s]", '{"a": [%s]}', "[[%s]]"])
def test_it_counts_values_of_all_levels(text: str) -> None:
    around = text.count("[") - 1 + text.count("{")
    most = MAX_VALUES - around
    assert json.loads(text % ",".join("1" * most), cls=BoundedDecoder, max_values=MAX_VALUES)
    with pytest.raises(json.JSONDecodeError, match="It has more than 5000 values"):
        json.loads(text % ",".join("1" * (most + 1)), cls=BoundedDecoder, max_values=MAX_VALUES)
