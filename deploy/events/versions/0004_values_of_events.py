"""Types of events other than ratings may have a value."""

from alembic import op

revision, down_revision = "0004", "0003"

# The same check as in app/events/sqlite_tables.py.
CHECK = "type <> 'rating' OR (value IS NOT NULL AND value BETWEEN 0.5 AND 5)"
FORMER = "(type = 'rating') = (value IS NOT NULL) AND (value IS NULL OR value BETWEEN 0.5 AND 5)"


def upgrade() -> None:
    """Ask a value of ratings alone."""
    replace_check(CHECK)


def downgrade() -> None:
    """Ask a value of ratings, and none of other types; rows of newer types stay."""
    replace_check(FORMER, "NOT VALID")


def replace_check(check: str, more: str = "") -> None:
    """Put another check on the values."""
    op.execute("ALTER TABLE event DROP CONSTRAINT event_check")
    op.execute(f"ALTER TABLE event ADD CONSTRAINT event_check CHECK ({check}) {more}")
