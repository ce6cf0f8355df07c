"""Impressions of explored ranks: with which probability an item got it, and which ones could have got it."""

from alembic import op

revision, down_revision = "0008", "0007"

# The same columns as in app/events/sqlite_tables.py.
ODDS = """
ALTER TABLE impression
  ADD COLUMN odds double precision CHECK (odds > 0 AND odds <= 1),
  ADD COLUMN among text
"""


def upgrade() -> None:
    """Make room for odds; earlier impressions have none."""
    op.execute(ODDS)


def downgrade() -> None:
    """Drop all odds."""
    op.execute("ALTER TABLE impression DROP COLUMN odds, DROP COLUMN among")
