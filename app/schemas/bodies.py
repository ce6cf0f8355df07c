"""Bodies that a client may send, and their limits."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from app.contract.artifact_format import MAX_COLUMNS
from app.contract.item_document import MAX_NUMBER, MAX_TAG
from app.schemas.queries import DEFAULT_K, MAX_IDS, Filters, Id, Items, K, PersonalQuery, PlacedQuery

MAX_UNKNOWN_FIELDS = 20

_TAG = {"type": "string", "minLength": 1, "maxLength": MAX_TAG}
_NUMBER = {"type": "number", "minimum": -MAX_NUMBER, "maximum": MAX_NUMBER}
_LISTS = [{"type": "array", "items": each, "maxItems": MAX_IDS} for each in (_TAG, _NUMBER)]
AttributeValue = Annotated[
    Any, WithJsonSchema({"anyOf": [_TAG, _NUMBER, {"type": "boolean"}, {"type": "null"}, *_LISTS]})
]


class Body(BaseModel):
    """A body of JSON. It may hold no unknown field, and one of many is refused before each of them is described."""

    model_config = ConfigDict(strict=True, extra="forbid")
    # The longest lists of a body together have fewer values, of all levels.
    max_values: ClassVar[int] = 5000
    max_unknown_fields: ClassVar[int] = MAX_UNKNOWN_FIELDS

    @model_validator(mode="before")
    @classmethod
    def _has_few_fields(cls, content: object) -> object:
        # To describe 90,000 unknown fields takes tenths of a second.
        if isinstance(content, dict) and len(content) > len(cls.model_fields) + cls.max_unknown_fields:
            known = ", ".join(cls.model_fields)
            raise PydanticCustomError(
                "too_many_fields",
                "It has {count} fields; the known ones are {known}",
                {"count": len(content), "known": known},
            )
        return content


class FoldInRequest(Body, PersonalQuery):
    """A new user's likes, dislikes and attributes: one film that the model knows, or an attribute, at least."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"liked": [1, 601], "disliked": [93], "k": 5, "genre": ["Comedy", "Drama"]}]}
    )

    liked: Items = Field(
        default=[],
        description="Ids of films that the user likes, in the order in which the user came to like them: the newest "
        "last. A film that is named twice counts where it is named last.",
        examples=[[1, 601]],
    )
    disliked: Items = Field(default=[], description="Ids of films to leave out as disliked.", examples=[[93]])
    attributes: dict[str, AttributeValue] = Field(
        default={},
        max_length=MAX_COLUMNS,
        description="What is known of the user, by the names that `/columns` lists; null says nothing.",
        examples=[{}],
    )

    @property
    def has_ids(self) -> bool:
        """Whether a film is named, known or not."""
        return bool(self.liked or self.disliked)


class BatchRequest(Body, PlacedQuery, Filters):
    """Many users, with the same filters for all."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"user_ids": [42, "nobody"], "k": 3}]})

    user_ids: list[Id] = Field(
        min_length=1,
        max_length=MAX_IDS,
        description="Ids of the users, in the order of the answers.",
        examples=[[42, "nobody"]],
    )
    k: K = DEFAULT_K
    include_seen: bool = Field(default=False, description="Allows films that the users have seen.", examples=[False])
