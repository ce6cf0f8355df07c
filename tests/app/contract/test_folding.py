import pytest

from app.contract.folding import fold, fold_all


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Amélie", "amelie"), ("ÅNGSTRÖM", "angstrom"), ("Straße", "strasse"), ("İstanbul", "istanbul"),
        ("Łódź", "lodz"), ("Don't", "dont"), ("WALL·E", "wall e"), ("Alien³", "alien3"), ("ﬁlm", "film"), ("Ⅳ", "iv"),
        ("", ""), ("!?", "!?"),
    ],
)  # fmt: skip
def test_texts_are_compared_without_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_many_texts_are_folded_as_one_by_one_whatever_is_beside_them() -> None:
    texts = ["Spider-Man", "a\nb", "", "Ødipus", "…", "Σίσυφος", "\x85 \0"]
    assert fold_all(texts) == [fold(text) for text in texts]
