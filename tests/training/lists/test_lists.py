from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from app.contract.artifact import Artifact, Trends
from app.contract.artifact_directory import load_artifact
from app.contract.ranking import NO_ITEM
from app.contract.recommender import Recommender
from app.contract.trends import DAY
from app.model.registered_version import RegisteredVersion
from app.model.selection import allowed_items as of_service
from app.model.store import load_model
from app.schemas.queries import Filters
from tests.artifacts import Film, make_artifact, write
from training.errors import ParamsError
from training.lists.bucket import Lists
from training.lists.filters import ListFilters, allowed_items, parse_filters
from training.lists.placement import written_rules
from training.refit import with_ready_lists

GENRES: tuple[list[str], ...] = (["Drama"], ["Comedy", "Drama"], ["Horror"], [])
FILMS = [Film(f"Film {row}", 1960 + row, GENRES[row % 4]) for row in range(40)]


def artifact_of(ready: int = 0, **replaced: Any) -> Artifact:
    """A dozen users, one of whom has no vector, one of whom has seen all but two films."""
    seen = {row: list(range(row, 40, 5)) for row in range(10)} | {11: list(range(38))}
    artifact = make_artifact(range(100, 112), range(1000, 1040), seen=seen, films=FILMS, **replaced)
    artifact.user_embeddings[3] = 0
    return with_ready_lists(artifact, ready)


def table(artifact: Artifact, k: int, filters: str = "") -> pd.DataFrame:
    lists = Lists(Recommender(artifact), "7", k, allowed_items(artifact, parse_filters(filters)))
    rows: pd.DataFrame = lists.table(np.arange(len(artifact.user_ids))).to_pandas()
    return rows


def test_a_row_names_user_rank_item_score_and_version() -> None:
    artifact = artifact_of()
    first = table(artifact, 3).iloc[0]
    best = Recommender(artifact).recommend(np.array([0]), 3)
    assert dict(first) == {
        "user_id": 100,
        "rank": 1,
        "item_id": 1000 + best.items[0, 0],
        "score": best.scores[0, 0].round(6),
        "model_version": "7",
    }


@pytest.mark.parametrize("filters", ["", "genre=drama", "exclude_genre=Drama&year_to=1990", "exclude=1003&exclude=1"])
@pytest.mark.parametrize("k", [1, 5, 60])
def test_ready_lists_change_nothing(filters: str, k: int) -> None:
    ranked = table(artifact_of(), k, filters)
    for ready in (1, 5, 40):
        pd.testing.assert_frame_equal(table(artifact_of(ready), k, filters), ranked, check_exact=True)


def test_scores_that_a_ready_list_can_t_hold_are_computed() -> None:
    biases = np.linspace(-5000, 5000, 40).astype(np.float32)
    ranked = table(artifact_of(item_biases=biases), 10)
    assert ranked.score.max() > 2147.5
    pd.testing.assert_frame_equal(table(artifact_of(10, item_biases=biases), 10), ranked, check_exact=True)


def test_nobody_is_shown_what_they_have_seen_and_short_lists_end_early() -> None:
    artifact = artifact_of()
    rows = table(artifact, 10)
    recommender = Recommender(artifact)
    for row, user_id in enumerate(artifact.user_ids):
        items = rows[rows.user_id == user_id].item_id - 1000
        assert not set(items) & set(recommender.seen(row))
        assert len(items) == (2 if row == 11 else 10)
    assert (rows.item_id != 1000 + NO_ITEM).all()


@pytest.mark.parametrize(
    "text", ["genre=comedy&genre=HORROR", "exclude_genre=drama&year_from=1970", "year_to=1985", "exclude=1000"]
)
def test_filters_keep_what_the_service_keeps(text: str, tmp_path: Path) -> None:
    artifact, filters = load_artifact(write(tmp_path / "served", artifact_of())), parse_filters(text)
    served = load_model(tmp_path / "served", RegisteredVersion("7", 0, ""))
    asked = Filters.model_validate(filters.model_dump() | {"exclude": list(filters.exclude)}, strict=False)
    np.testing.assert_array_equal(allowed_items(artifact, filters), of_service(served, asked))


def test_the_filters_are_those_of_the_service() -> None:
    assert set(ListFilters.model_fields) == set(Filters.model_fields)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("genres=Drama", r"--filters 'genres=Drama': genres is not a known key; did you mean genre\?"),
        ("year_from=soon", "--filters 'year_from=soon': year_from: input should be a valid integer"),
        ("Drama", "--filters 'Drama': bad query field: 'Drama'; write them as genre=Drama&year_from=1990"),
    ],
)
def test_a_wrong_filter_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ParamsError, match=sentence):
        parse_filters(text)


def test_filters_that_no_film_passes_are_refused() -> None:
    with pytest.raises(ParamsError, match="none of the 40 films passes; their genres are Comedy, Drama, Horror"):
        allowed_items(artifact_of(), parse_filters("genre=western"))


def test_those_of_whom_nothing_is_known_get_first_what_trends_and_the_others_what_they_got() -> None:
    trending = np.zeros((1, 40), dtype=np.float32)
    trending[0, [31, 8, 20, 5]] = [4, 3, 2, 1]  # 8 is seen
    artifact = artifact_of(trending=trending, trends=Trends([30 * DAY], 0))
    recommender, everyone = Recommender(artifact), np.arange(12)
    rules = {each: written_rules(recommender, {"fallback": each}) for each in ("popular", "trending")}
    popular, trend = (Lists(recommender, "7", 10, None, each).table(everyone).to_pandas() for each in rules.values())
    unknown = [frame[frame.user_id == 103].item_id.tolist() for frame in (popular, trend)]
    assert unknown[0][:4] == [1000, 1001, 1002, 1004]
    assert unknown[1][:5] == [1031, 1020, 1005, 1000, 1001]
    pd.testing.assert_frame_equal(popular[popular.user_id != 103], trend[trend.user_id != 103])


def test_ids_may_be_texts(tmp_path: Path) -> None:
    artifact = replace(artifact_of(), user_ids=np.array([f"u{row:02}" for row in range(12)]))
    Lists(Recommender(artifact), "7", 2, None).write(0, tmp_path)
    assert pd.read_parquet(tmp_path / "lists-00000.parquet").user_id.tolist()[:3] == ["u00", "u00", "u01"]
