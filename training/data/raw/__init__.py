"""Reads and checks raw data of any layout, by `read_ratings`, `read_items` and `read_users`."""

from training.data.raw.items import read_items
from training.data.raw.ratings import read_ratings
from training.data.raw.users import read_users

__all__ = ["read_items", "read_ratings", "read_users"]
