"""What the service answers about films."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

ItemId = Annotated[
    int | str, Field(description="A number where the catalogue's ids are numbers, else text.", examples=[1])
]
Title = Annotated[str, Field(examples=["Toy Story (1995)"])]
Year = Annotated[int | None, Field(examples=[1995])]
Genres = Annotated[list[str], Field(examples=[["Animation", "Comedy"]])]
ModelVersion = Annotated[str, Field(description="The version in the registry that answered.", examples=["3"])]
UserId = Annotated[str, Field(description="As asked for.", examples=["42"])]


class Item(BaseModel):
    """A film."""

    id: ItemId
    title: Title
    year: Year
    genres: Genres


class ItemDetails(Item):
    """A film, and how much the model has learned from."""

    model_version: ModelVersion
    interactions: int = Field(
        description="How often the training data has it; of a film with 0 the model knows year and genres only.",
        examples=[215],
    )


class FilmTitle(BaseModel):
    """A film of somebody's history."""

    id: ItemId
    title: Title


class RecommendedItem(BaseModel):
    """One place of a list."""

    rank: int = Field(description="1 is the best.", examples=[1])
    id: ItemId
    title: Title
    year: Year
    genres: Genres
    score: float = Field(
        description="The higher the better, comparable within one answer only: the model's score, "
        "or the number of interactions where `source` is `popular`.",
        examples=[2.718282],
    )
    because: list[FilmTitle] = Field(
        default=[],
        description="With `explain`: up to three films that the user has liked, or of `liked`, closest to this one.",
        examples=[[{"id": 601, "title": "Heavenly Creatures"}]],
    )


Places = Annotated[
    list[RecommendedItem], Field(description="Best first; fewer than k where no more films are possible.")
]
Shortage = Annotated[
    Literal["unknown_genre", "filtered", "seen", "end_of_catalogue"] | None,
    Field(
        description="There only where `items` is shorter than k, why: no film has any of the genres (`unknown_genre`); "
        "without the filters there would be more (`filtered`); all others are seen, liked or disliked (`seen`); "
        "the catalogue has no more (`end_of_catalogue`).",
        examples=["filtered"],
    ),
]


class Recommendations(BaseModel):
    """What to watch next."""

    user_id: UserId
    model_version: ModelVersion
    source: Literal["personalised", "popular"] = Field(
        description="`popular` where the model has learned nothing about the user.", examples=["personalised"]
    )
    items: Places
    reason: Shortage = None


class TasteRecommendations(BaseModel):
    """What to watch next, for somebody the model does not know."""

    model_version: ModelVersion
    source: Literal["fold_in", "popular"] = Field(
        description="`popular` where the model can't place anybody by what they like.", examples=["fold_in"]
    )
    unknown: list[ItemId] = Field(
        description="Ids in `liked` and `disliked` that the model does not know, as they were sent.",
        examples=[[900001]],
    )
    items: Places
    reason: Shortage = None


class BatchRecommendations(BaseModel):
    """One answer for each user, in the order of `user_ids`."""

    answers: list[Recommendations]


class PopularItems(BaseModel):
    """The films with most interactions; `score` is their number."""

    model_version: ModelVersion
    items: Places
    reason: Shortage = None


class SimilarItems(BaseModel):
    """The films most like one; `score` is the cosine of their embeddings."""

    item_id: ItemId
    model_version: ModelVersion
    items: Places
    reason: Shortage = None


class FoundItem(Item):
    """A film found by its title."""

    interactions: int = Field(description="How often the training data has it.", examples=[215])


class FoundItems(BaseModel):
    """Films found by title: the very title first, then its beginning, its words, any part; popular ones first."""

    model_version: ModelVersion
    total: int = Field(description="How many were found on all pages.", examples=[1])
    items: list[FoundItem]


class History(BaseModel):
    """What a user has seen, as far as the model knows."""

    user_id: UserId
    model_version: ModelVersion
    total: int = Field(description="How many there are on all pages.", examples=[74])
    items: list[Item] = Field(description="In the order of their ids: the model doesn't know when they were seen.")


class GenreCount(BaseModel):
    """A genre."""

    name: str = Field(examples=["Comedy"])
    films: int = Field(description="How many films have it.", examples=[187])


class GenreList(BaseModel):
    """Every genre that a film has, in the order of the alphabet."""

    model_version: ModelVersion
    genres: list[GenreCount]
