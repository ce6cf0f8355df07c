"""An item as a change of the catalogue has it."""

from dataclasses import dataclass

from app.contract.item_document import ItemDocument


@dataclass(frozen=True)
class ChangedItem(ItemDocument):
    """What the change at a position has made of an item."""

    position: int

    @classmethod
    def at(cls, position: int, text: str) -> "ChangedItem":
        """Parse a change; raises ValueError for a text that isn't an item."""
        item = ItemDocument.read(text)
        return cls(item.content, item.available_from, item.available_until, position)
