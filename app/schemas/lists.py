"""What the service answers about lists of items."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.schemas.items import Item, ItemId, ModelVersion, Title
from app.schemas.users import UserId

RecommendationId = Annotated[
    str | None,
    Field(
        description="The id of this list, for events about its films; absent if the service keeps no events. Also in "
        "the header X-Recommendation-ID.",
        examples=["AAEzajHwXVhZ7zKn0yY-w3ib"],
    ),
]
PlacementOfList = Annotated[
    str | None, Field(description="The placement whose rules apply; absent without one.", examples=["home"])
]


class BecauseItem(BaseModel):
    """A film that the user has liked."""

    id: ItemId
    title: Title
    shared: dict[str, list[str]] = Field(
        default={},
        description="The tags that both films have, of each column that models learn from; absent if there are none.",
        examples=[{"genres": ["Drama"]}],
    )


class RecommendedItem(Item):
    """One place in a list of recommendations."""

    rank: int = Field(description="1 is the best.", examples=[1])
    score: float = Field(
        description="Higher is better; comparable only within one answer. The model's score, "
        "or the number of likes, of which older ones count less, if `source` is `popular`.",
        examples=[2.718282],
    )
    rules: list[str] = Field(
        default=[],
        description="With `explain`, of a placement: the rules that moved this film.",
        examples=[["boost:comedies +0.3"]],
    )
    because: list[BecauseItem] = Field(
        default=[],
        description="With `explain`: up to three films that the user has liked, or of `liked`, closest to this one.",
        examples=[[{"id": 601, "title": "Heavenly Creatures", "shared": {"genres": ["Drama"]}}]],
    )


RankedItems = Annotated[list[RecommendedItem], Field(description="Best first; fewer than k if no more films qualify.")]
ShortReason = Annotated[
    Literal["unknown_genre", "filtered", "seen", "end_of_catalogue"] | None,
    Field(
        description="Why `items` is shorter than k, else absent. `unknown_genre`: no film has any of the genres; "
        "`filtered`: there would be more without the filters; `seen`: all others are seen, liked or disliked; "
        "`end_of_catalogue`: the catalogue has no more.",
        examples=["filtered"],
    ),
]


class ExploredItem(BaseModel):
    """The film that got the rank of exploration, and with which probability: send it with impressions as it is."""

    item_id: ItemId
    odds: float = Field(description="The probability with which this film got the rank.", examples=[0.01])
    among: list[ItemId] = Field(
        description="The films that could have got it, that of the plain list first.", examples=[[601, 93, 1, 7, 12]]
    )


Resting = Annotated[
    list[ItemId],
    Field(
        description="With `explain`: the films that rest for this person by the placement's rule, which are left out; "
        "absent where none does.",
        examples=[[7]],
    ),
]
Explored = Annotated[
    ExploredItem | None,
    Field(
        description="What the placement explores; absent where it doesn't.",
        examples=[{"item_id": 93, "odds": 0.01, "among": [601, 93, 1, 7, 12]}],
    ),
]


class Recommendations(BaseModel):
    """Recommendations for a user."""

    user_id: UserId
    model_version: ModelVersion
    recommendation_id: RecommendationId = None
    source: Literal["personalised", "popular"] = Field(
        description="`popular` if the model has learned nothing about the user.", examples=["personalised"]
    )
    placement: PlacementOfList = None
    resting: Resting = []
    items: RankedItems
    reason: ShortReason = None
    explored: Explored = None


class FoldInRecommendations(BaseModel):
    """Recommendations for a new user, from what they like and dislike."""

    model_version: ModelVersion
    recommendation_id: RecommendationId = None
    source: Literal["fold_in", "popular"] = Field(
        description="`popular` if the model's encoder says nothing about these films.", examples=["fold_in"]
    )
    unknown: list[ItemId] = Field(
        description="Ids in `liked` and `disliked` that the model does not know, as they were sent.",
        examples=[[900001]],
    )
    placement: PlacementOfList = None
    items: RankedItems
    reason: ShortReason = None


class BatchRecommendations(BaseModel):
    """One answer for each user, in the order of `user_ids`."""

    answers: list[Recommendations] = Field(description="One for each id, the same as if each had asked alone.")


class PopularItems(BaseModel):
    """The films with the most interactions; `score` is that number."""

    model_version: ModelVersion
    recommendation_id: RecommendationId = None
    items: RankedItems
    reason: ShortReason = None


class SimilarItems(BaseModel):
    """The films most similar to one; `score` is the cosine of their embeddings."""

    item_id: ItemId
    model_version: ModelVersion
    recommendation_id: RecommendationId = None
    placement: PlacementOfList = None
    items: RankedItems
    reason: ShortReason = None
