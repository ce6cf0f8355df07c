"""Changes of the catalogue are among the events, so that they share the order of positions."""

from alembic import op

revision, down_revision = "0005", "0004"

# The same column and index as in app/events/sqlite_tables.py.
CHANGES = """
ALTER TABLE event ADD COLUMN body text;
ALTER TABLE event ADD CONSTRAINT event_body_check CHECK ((type = 'change') = (body IS NOT NULL));
CREATE INDEX change_of_item ON event (item_id, position) WHERE type = 'change'
"""


def upgrade() -> None:
    """Make room for what an item has become."""
    op.execute(CHANGES)


def downgrade() -> None:
    """Delete all changes."""
    op.execute("DELETE FROM event WHERE type = 'change'")
    op.execute("ALTER TABLE event DROP COLUMN body")
    op.execute("DROP INDEX change_of_item")
