"""Reads and checks raw data of any layout, by `read_ratings` and `read_items`."""

from training.data.raw.items import read_items
from training.data.raw.ratings import read_ratings

__all__ = ["read_items", "read_ratings"]
