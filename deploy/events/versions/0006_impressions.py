"""Impressions: which items of which list were on whose screen."""

from alembic import op

revision, down_revision = "0006", "0005"

# The same table as in app/events/sqlite_tables.py. The day comes first in its key, so that rows of a day lie together
# and old days are deleted as a range: to make partitions takes the right to make tables, which nobody who logs in has.
TABLE = """
CREATE TABLE impression (
  day date NOT NULL,
  recommendation_id text NOT NULL CHECK (length(recommendation_id) <= 64),
  item_id text NOT NULL CHECK (length(item_id) BETWEEN 1 AND 200),
  user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  rank smallint NOT NULL,
  placement text,
  source text,
  PRIMARY KEY (day, recommendation_id, item_id));
CREATE INDEX impression_of_user ON impression (user_id);
GRANT SELECT, INSERT ON impression TO events_service;
GRANT SELECT ON exposure TO events_service;
GRANT SELECT ON impression TO events_training;
GRANT SELECT, DELETE ON impression TO events_keeper;
"""


def upgrade() -> None:
    """Make the table, to which the service only adds; it reads what a person is to be told."""
    op.execute(TABLE)


def downgrade() -> None:
    """Drop the table with all impressions."""
    op.execute("DROP TABLE impression")
    op.execute("REVOKE SELECT ON exposure FROM events_service")
