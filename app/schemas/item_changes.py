"""Changes of the catalogue: what an editor may send, and what the service answers."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from app.contract.artifact_format import MAX_COLUMNS
from app.schemas.bodies import Body
from app.schemas.events import StoredId
from app.schemas.items import COLUMN_VALUE, ItemId

MAX_ITEMS = 1000
When = Annotated[str | None, Field(description="ISO 8601; without it, no limit.", examples=["2026-12-01T18:00:00Z"])]


class _Content(Body):
    """Columns by name beside the fields."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": COLUMN_VALUE})
    max_unknown_fields: ClassVar[int] = MAX_COLUMNS

    available_from: When = None
    available_until: When = None
    withdrawn: bool | None = Field(default=None, description="In no list until somebody says otherwise.")

    @property
    def content(self) -> dict[str, Any]:
        """What was sent."""
        return self.model_dump(exclude_unset=True)


class ItemContent(_Content):
    """All of an item: what is not sent has no value."""

    title: str = Field(min_length=1, description="The title.", examples=["Paths of Glory"])


class ItemPatch(_Content):
    """What becomes of an item (RFC 7396): null takes a value away, what is not sent stays."""

    title: str | None = Field(default=None, description="The title.", examples=["Paths of Glory"])


class NewItem(ItemContent):
    """An item with its id."""

    id: StoredId = Field(description="The item's id.", examples=[601])


class NewItems(Body):
    """Many items."""

    max_values: ClassVar[int] = 100_000
    items: list[NewItem] = Field(min_length=1, max_length=MAX_ITEMS, description="Each of them whole.")


class ItemChange(BaseModel):
    """What an item has become."""

    position: int = Field(description="Its place among events and changes.", examples=[1209])
    id: ItemId
    item: dict[str, Any] = Field(
        description="All that the item has.", examples=[{"title": "Paths of Glory", "year": 1957, "genres": ["War"]}]
    )


class RecentChange(ItemChange):
    """A change in the list of them."""

    editor: str = Field(description="Whose key it came with.", examples=["ann"])
    made_at: float = Field(description="Seconds since 1970, UTC.", examples=[1796029200.5])
    etag: str = Field(description="The `ETag` of what it became.", examples=['"5f1d7a84db00d2fc"'])
    before: dict[str, Any] | None = Field(
        description="All that the item had before; null for a new one, or where the version has learned it.",
        examples=[{"title": "Paths of Glory", "year": 1956}],
    )


class RecentChanges(BaseModel):
    """The latest changes."""

    total: int = Field(description="How many there are, of the latest 10,000, or fewer with long texts.", examples=[1])
    changes: list[RecentChange] = Field(description="The latest first.")


class ChangedItems(BaseModel):
    """Items that are stored."""

    accepted: int = Field(description="How many.", examples=[2])
    position: int = Field(description="The store's last position: it holds all of them.", examples=[1211])
