import numpy as np
import pytest

from app.contract.ids import row_of


@pytest.mark.parametrize("user_id", ["", "3", "01", "+1", " 1", "1.0", "٢", "9" * 10_000, "\0", "1\0", "-", "1_0"])
def test_a_text_that_is_no_number_among_the_ids_has_no_row(user_id: str) -> None:
    assert row_of(np.array([1, 2]), user_id) is None


@pytest.mark.parametrize("user_id", ["a", "a\0", "abc", "abcd\0", "abcde", "x" * 10_000, "ä", "\0"])
def test_a_text_that_only_resembles_an_id_has_no_row(user_id: str) -> None:
    assert row_of(np.array(["abcd", "b", "é"]), user_id) is None


def test_known_ids_are_found() -> None:
    texts = np.array(["a/b", "abcd", "b", "é"])
    assert [row_of(texts, text) for text in ("a/b", "abcd", "b", "é", "z")] == [0, 1, 2, 3, None]
    numbers = np.array([-(2**63), -5, 0, 2**63 - 1])
    assert [row_of(numbers, str(number)) for number in numbers.tolist()] == [0, 1, 2, 3]
    assert row_of(numbers, str(2**63)) is None
