"""Reports of what pleased: training writes one a day, and the service shows it."""

from alembic import op

revision, down_revision = "0010", "0009"

# The same table as in app/events/sqlite_tables.py.
TABLE = """
CREATE TABLE pleased (last date PRIMARY KEY, body text NOT NULL);
GRANT SELECT ON pleased TO events_service;
GRANT SELECT, INSERT, UPDATE ON pleased TO events_training;
"""


def upgrade() -> None:
    """Make the table, the only one that training writes."""
    op.execute(TABLE)


def downgrade() -> None:
    """Drop the table with all reports; training can make them again."""
    op.execute("DROP TABLE pleased")
