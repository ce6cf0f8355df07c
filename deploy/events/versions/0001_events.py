"""Events, and the id of the store that holds them."""

from alembic import op

revision, down_revision = "0001", None

# The same tables as in app/events/sqlite_tables.py.
TABLES = """
CREATE TABLE event (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id uuid NOT NULL UNIQUE,
  user_id text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
  item_id text CHECK (length(item_id) BETWEEN 1 AND 200),
  type text NOT NULL CHECK (type IN ('rating', 'like', 'dislike', 'watch', 'click', 'hide', 'retract', 'forget')),
  value real CHECK ((type = 'rating') = (value IS NOT NULL) AND (value IS NULL OR value BETWEEN 0.5 AND 5)),
  occurred_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  recommendation_id text CHECK (length(recommendation_id) <= 64),
  CHECK ((type = 'forget') = (item_id IS NULL)));
CREATE INDEX event_of_user ON event (user_id, position);
CREATE TABLE store (id uuid NOT NULL);
INSERT INTO store VALUES (gen_random_uuid());
GRANT SELECT, INSERT ON event TO events_service;
GRANT SELECT ON event TO events_training;
GRANT SELECT, DELETE ON event TO events_keeper;
GRANT SELECT ON store TO events_service, events_training, events_keeper;
"""


def upgrade() -> None:
    """Make the tables, and let each role do its part and nothing else."""
    op.execute(TABLES)


def downgrade() -> None:
    """Drop the tables with all events."""
    op.execute("DROP TABLE event, store")
