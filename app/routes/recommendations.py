"""What to watch next."""

from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Path, Query

import app.routes.ids  # noqa: F401 - the convertor `any`
from app.errors import InvalidParameterError, NoModelError, error_responses
from app.recommender import NO_ITEM, Ranking
from app.routes.dependencies import CurrentModel
from app.schemas import Recommendations, RecommendedItem
from app.store import ServedModel

DEFAULT_K = 10
MAX_K = 100
SCORE_DECIMALS = 6

Source = Literal["personalised", "popular"]

router = APIRouter(tags=["recommendations"])


@router.get("/users/{user_id:any}/recommendations", responses=error_responses(InvalidParameterError, NoModelError))
async def recommend_for_user(
    model: CurrentModel,
    user_id: Annotated[str, Path(min_length=1, description="Any text; a slash as %2F.", examples=["42"])],
    k: Annotated[int, Query(ge=1, le=MAX_K, description="How many films.")] = DEFAULT_K,
) -> Recommendations:
    """The k films that the user has not seen and would like best; popular ones for an unknown user."""
    ranking, source = _rank(model, user_id, k)
    return Recommendations(user_id=user_id, model_version=model.version, source=source, items=_items(model, ranking))


def _rank(model: ServedModel, user_id: str, k: int) -> tuple[Ranking, Source]:
    recommender = model.recommender
    row = recommender.user_row(user_id)
    if row is None:
        return recommender.popular(k), "popular"
    source: Source = "personalised" if recommender.is_personalised(row) else "popular"
    return recommender.recommend(np.array([row]), k), source


def _items(model: ServedModel, ranking: Ranking) -> list[RecommendedItem]:
    rows, scores = ranking.items[0], ranking.scores[0]
    return [
        _item(model, rank, int(row), float(score))
        for rank, (row, score) in enumerate(zip(rows, scores, strict=True), start=1)
        if row != NO_ITEM
    ]


def _item(model: ServedModel, rank: int, row: int, score: float) -> RecommendedItem:
    item_id = model.artifact.item_ids[row].item()
    film = model.artifact.catalogue[str(item_id)]
    return RecommendedItem(
        rank=rank,
        id=item_id,
        title=film["title"],
        year=film.get("year"),
        genres=film.get("genres", []),
        score=round(score, SCORE_DECIMALS),
    )
