"""Exposures: how many lists of which arm of a trial each user got on each day."""

from alembic import op

revision, down_revision = "0002", "0001"

# The same table as in app/events/sqlite_tables.py.
TABLE = """
CREATE TABLE exposure (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  day date NOT NULL,
  user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  experiment text NOT NULL,
  arm smallint NOT NULL,
  version text NOT NULL,
  lists integer NOT NULL,
  films integer NOT NULL);
CREATE INDEX exposure_of_user ON exposure (experiment, user_id);
GRANT INSERT ON exposure TO events_service;
GRANT SELECT ON exposure TO events_training;
GRANT SELECT, DELETE ON exposure TO events_keeper;
"""


def upgrade() -> None:
    """Make the table, to which the service only adds."""
    op.execute(TABLE)


def downgrade() -> None:
    """Drop the table with all exposures."""
    op.execute("DROP TABLE exposure")
