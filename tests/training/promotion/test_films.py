import pandas as pd
import pytest

from training.promotion.films import are_others, some_titles


def catalogue(*titles: str, first: int = 1) -> pd.DataFrame:
    return pd.DataFrame({"item_id": range(first, first + len(titles)), "title": titles})


KEPT = {"1": "Alien", "2": "Amélie", "3": "Brazil", "4": "Heat"}


@pytest.mark.parametrize(
    ("now", "others"),
    [
        (catalogue("Alien", "Amélie", "Brazil", "Heat"), False),
        (catalogue("Alien", "Amélie", "Brazil", "Heat", "Ran", "Tenet", "Up", "Zulu"), False),
        (catalogue("Alien (1979)", "Amélie", "Brazil"), False),  # one has another title, one is gone
        (catalogue("Alien", "Amelie"), True),
        (catalogue("Ran", "Tenet", "Up", "Zulu"), True),  # the same ids
        (catalogue("Alien", "Amélie", "Brazil", "Heat", first=11), True),  # the same titles
    ],
)
def test_films_are_others_where_most_ids_mean_another_one(now: pd.DataFrame, others: bool) -> None:
    assert are_others(KEPT, now) == others


def test_a_version_that_has_kept_no_films_is_not_taken_for_one_of_others() -> None:
    assert not are_others({}, catalogue("Alien"))


def test_the_films_that_are_kept_are_from_all_over_the_catalogue() -> None:
    kept = some_titles(catalogue(*map(str, range(1000))))
    assert len(kept) == 100
    assert {"1", "1000"} < set(kept)
    assert max(map(int, kept)) == 1000
