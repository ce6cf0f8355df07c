"""What the service answers about placements."""

from typing import Any

from pydantic import BaseModel, Field

from app.schemas.queries import PlacementName as Name


class PlacementWarning(BaseModel):
    """A rule that does nothing with the current films."""

    field: str = Field(description="The rule.", examples=["filter"])
    message: str = Field(description="A sentence for people.", examples=["3 of 671 people get no film."])
    people: int | None = Field(default=None, description="How many people get no film at all.", examples=[3])


class StoredPlacement(BaseModel):
    """A placement as it is."""

    name: Name
    position: int = Field(description="Its place among events and changes.", examples=[1209])
    etag: str = Field(description="Its `ETag`, for `If-Match`.", examples=['"5f1d7a84db00d2fc"'])
    editor: str = Field(description="Whose key it came with.", examples=["ann"])
    made_at: float = Field(description="Seconds since 1970, UTC.", examples=[1796029200.5])
    placement: dict[str, Any] | None = Field(
        description="The document; null if it was deleted.",
        examples=[{"boosts": [{"filter": "genres:Comedy", "by": 0.3}]}],
    )


class ShownPlacement(StoredPlacement):
    """A placement with what its rules do not do now."""

    warnings: list[PlacementWarning] = Field(description="Rules that do nothing with the current films.")


class PlacementList(BaseModel):
    """All placements."""

    placements: list[ShownPlacement] = Field(description="By name.")


class PlacementHistory(BaseModel):
    """What a placement was."""

    name: Name
    total: int = Field(description="How many changes there are, of the latest 100.", examples=[2])
    changes: list[StoredPlacement] = Field(description="The latest first.")
