"""Verdicts about trials of placements: training writes the latest of each, and the service shows it."""

from alembic import op

revision, down_revision = "0013", "0012"

# The same table as in app/events/sqlite_tables.py.
TABLE = """
CREATE TABLE verdict (
  placement text PRIMARY KEY,
  experiment text NOT NULL,
  sentence text NOT NULL,
  gain double precision,
  low double precision,
  high double precision);
GRANT SELECT ON verdict TO events_service;
GRANT SELECT, INSERT, UPDATE ON verdict TO events_training;
"""


def upgrade() -> None:
    """Make the table, which training writes as it does reports."""
    op.execute(TABLE)


def downgrade() -> None:
    """Drop the table with all verdicts; training can make them again."""
    op.execute("DROP TABLE verdict")
