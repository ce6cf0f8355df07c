"""Placements are among the events, too, as changes of the catalogue are."""

from alembic import op

revision, down_revision = "0007", "0006"

# The same check and index as in app/events/sqlite_tables.py.
PLACEMENTS = """
ALTER TABLE event DROP CONSTRAINT event_body_check;
ALTER TABLE event ADD CONSTRAINT event_body_check CHECK ((type IN ('change', 'placement')) = (body IS NOT NULL));
DROP INDEX change_of_item;
CREATE INDEX edit ON event (type, item_id, position) WHERE body IS NOT NULL
"""
CHANGES_ALONE = """
ALTER TABLE event DROP CONSTRAINT event_body_check;
ALTER TABLE event ADD CONSTRAINT event_body_check CHECK ((type = 'change') = (body IS NOT NULL));
DROP INDEX edit;
CREATE INDEX change_of_item ON event (item_id, position) WHERE type = 'change'
"""


def upgrade() -> None:
    """Make room for what a placement has become."""
    op.execute(PLACEMENTS)


def downgrade() -> None:
    """Delete all placements."""
    op.execute("DELETE FROM event WHERE type = 'placement'")
    op.execute(CHANGES_ALONE)
