"""Impressions of explored ranks are counted each minute: an index finds them among all others."""

from alembic import op

revision, down_revision = "0009", "0008"


def upgrade() -> None:
    """Make the index; SQLite does without."""
    op.execute("CREATE INDEX impression_explored ON impression (day, item_id) WHERE odds IS NOT NULL")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP INDEX impression_explored")
