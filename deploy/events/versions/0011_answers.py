"""Answers: lists that users got, a share of all, for figures where nobody tells what was on screens."""

from alembic import op

revision, down_revision = "0011", "0010"

# The same table as in app/events/sqlite_tables.py.
TABLE = """
CREATE TABLE answer (
  day date NOT NULL,
  recommendation_id text NOT NULL CHECK (length(recommendation_id) <= 64),
  user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  share double precision NOT NULL CHECK (share > 0 AND share <= 1),
  item_ids text NOT NULL,
  rank smallint NOT NULL,
  placement text,
  source text NOT NULL,
  PRIMARY KEY (day, recommendation_id));
CREATE INDEX answer_of_user ON answer (user_id);
GRANT SELECT, INSERT ON answer TO events_service;
GRANT SELECT ON answer TO events_training;
GRANT SELECT, DELETE ON answer TO events_keeper;
"""


def upgrade() -> None:
    """Make the table, to which the service only adds; it reads what a person is to be told."""
    op.execute(TABLE)


def downgrade() -> None:
    """Drop the table with all answers."""
    op.execute("DROP TABLE answer")
