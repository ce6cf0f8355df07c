"""Raw data of any layout, read and checked: `read_ratings` and `read_items`."""

from training.raw.items import read_items
from training.raw.ratings import read_ratings

__all__ = ["read_items", "read_ratings"]
