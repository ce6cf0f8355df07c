"""Types of events are listed in app/contract/events.py alone."""

from alembic import op

revision, down_revision = "0003", "0002"

# NOT VALID: rows of newer types stay.
LIST = """
ALTER TABLE event ADD CONSTRAINT event_type_check
CHECK (type IN ('rating', 'like', 'dislike', 'watch', 'click', 'hide', 'retract', 'forget')) NOT VALID
"""


def upgrade() -> None:
    """Take the list off the table."""
    op.execute("ALTER TABLE event DROP CONSTRAINT event_type_check")


def downgrade() -> None:
    """Put it back."""
    op.execute(LIST)
