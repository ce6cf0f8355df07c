"""What the service answers about items and lists of items."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict, JsonValue

ItemId = Annotated[
    int | str, Field(description="A number if the catalogue's ids are numbers, else a text.", examples=[1])
]
Title = Annotated[str, Field(description="As the catalogue has it.", examples=["Toy Story (1995)"])]
ModelVersion = Annotated[
    str, Field(description="The version that answered, as numbered in the registry.", examples=["3"])
]
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
UserId = Annotated[str, Field(description="The id as it was sent.", examples=["42"])]


_TYPES: list[JsonValue] = [{"type": kind} for kind in ("string", "number", "boolean", "null")]
COLUMN_VALUE: JsonDict = {
    "anyOf": [*_TYPES, {"type": "array", "items": {"type": "string"}}],
    "description": "The value of a column: `year` and `genres`, or what the catalogue has.",
}


class Item(BaseModel):
    """A film with its id, and every column that `/columns` calls shown: null, or no tags, where it has no value."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": COLUMN_VALUE})

    id: ItemId
    title: Title


class ItemDetails(Item):
    """A film with the number of its interactions."""

    model_version: ModelVersion
    interactions: int = Field(
        description="Number of positives in the training data; of a film with 0, the model knows only year and genres.",
        examples=[215],
    )
    available: bool = Field(
        description="Whether lists may hold it: false if it is withdrawn, or its time has not come or is over.",
        examples=[True],
    )
    withdrawn: bool = Field(
        default=False, description="True if somebody has withdrawn it, else absent.", examples=[True]
    )
    available_from: str | None = Field(
        default=None, description="When its time comes; absent without a limit.", examples=["2026-12-01T18:00:00Z"]
    )
    available_until: str | None = Field(
        default=None, description="When its time is over; absent without a limit.", examples=["2027-03-01T00:00:00Z"]
    )


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


class FoundItem(Item):
    """A film that a search has found."""

    interactions: int = Field(description="Number of positives in the training data.", examples=[215])


class FoundItems(BaseModel):
    """Films whose title matches: exactly, then by its beginning, its words, any part; popular ones first."""

    model_version: ModelVersion
    total: int = Field(description="How many films match, on all pages.", examples=[1])
    items: list[FoundItem] = Field(description="The films of this page.")


class SeenItem(Item):
    """A film that a user has seen."""

    liked: bool = Field(description="Whether the user liked it.", examples=[True])


class History(BaseModel):
    """The films that a user has seen."""

    user_id: UserId
    model_version: ModelVersion
    total: int = Field(description="How many films the user has seen, on all pages.", examples=[74])
    items: list[SeenItem] = Field(
        description="First what the model has not learned from yet, the latest first; then what it has, ordered by id."
    )


class TagCount(BaseModel):
    """A tag of a column, such as a genre."""

    name: str = Field(description="The tag, as the catalogue has it.", examples=["Comedy"])
    films: int = Field(description="How many films have the tag.", examples=[187])


class ColumnDetails(BaseModel):
    """A column of the catalogue."""

    name: str = Field(description="What a filter and an answer call it.", examples=["genres"])
    type: Literal["tag", "tags", "number", "time", "flag", "text", "link", "vector"] = Field(
        description="What its values are.", examples=["tags"]
    )
    filter: bool = Field(description="Whether `filter` may name it.", examples=[True])
    shown: bool = Field(description="Whether answers show it of each film.", examples=[True])
    tags: list[TagCount] = Field(description="Of a column to filter by: the 100 most frequent tags.")


class AttributeDetails(BaseModel):
    """An attribute of people."""

    name: str = Field(description="What `attributes` of `POST /recommendations` calls it.", examples=["age"])
    type: Literal["tag", "tags", "number", "time", "flag", "vector"] = Field(
        description="What its values are.", examples=["number"]
    )
    values: list[str] = Field(description="Of a tag: those that the model knows; others say nothing.", examples=[["M"]])


class ColumnList(BaseModel):
    """The columns of the catalogue, and the attributes of people."""

    model_version: ModelVersion
    columns: list[ColumnDetails] = Field(description="In the order of the catalogue.")
    attributes: list[AttributeDetails] = Field(
        description="What the model can tell from of somebody without a history."
    )


class GenreList(BaseModel):
    """All genres in the catalogue, in alphabetical order."""

    model_version: ModelVersion
    genres: list[TagCount] = Field(description="In alphabetical order.")


class ExampleUser(BaseModel):
    """A user to try the service with."""

    kind: Literal["short", "medium", "long", "unknown"] = Field(
        description="How long the history is, compared with those of all users; `unknown` has none.",
        examples=["medium"],
    )
    user_id: str = Field(description="The id to ask with.", examples=["42"])
    seen: int = Field(description="How many films the user has seen.", examples=[17])


class ExampleUsers(BaseModel):
    """A few users of different kinds."""

    model_version: ModelVersion
    users: list[ExampleUser] = Field(description="One of each kind that there is.")
