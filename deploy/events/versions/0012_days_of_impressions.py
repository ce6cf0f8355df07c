"""Impressions by day: each day is a table of its own, so that old days are dropped, and not searched for."""

from alembic import op

revision, down_revision = "0012", "0011"

GRANTS = """
GRANT SELECT, INSERT ON impression TO events_service;
GRANT SELECT ON impression TO events_training;
GRANT SELECT, DELETE ON impression TO events_keeper;
"""
KEYS = """
ALTER TABLE impression ADD CONSTRAINT impression_pkey PRIMARY KEY (day, recommendation_id, item_id);
CREATE INDEX impression_of_user ON impression (user_id);
CREATE INDEX impression_explored ON impression (day, item_id) WHERE odds IS NOT NULL;
"""
# A partition is named by its last day. What there was before is the first one, until tomorrow: nothing is copied, and
# replicas of the former release, which make no days, can go on so long.
RENAMED = """
ALTER TABLE impression RENAME TO former;
ALTER INDEX impression_pkey RENAME TO former_pkey;
ALTER INDEX impression_of_user RENAME TO former_of_user;
ALTER INDEX impression_explored RENAME TO former_explored;
REVOKE ALL ON former FROM events_service, events_training, events_keeper;
CREATE TABLE impression (LIKE former INCLUDING CONSTRAINTS) PARTITION BY RANGE (day)
"""
ATTACHED = """
DO $$
DECLARE
  last date := greatest((SELECT max(day) FROM former), (now() AT TIME ZONE 'UTC')::date + 1);
BEGIN
  EXECUTE 'ALTER TABLE impression ATTACH PARTITION former FOR VALUES FROM (MINVALUE) TO ('
    || quote_literal(last + 1) || ')';
  EXECUTE 'ALTER TABLE former RENAME TO impression_' || to_char(last, 'YYYYMMDD');
END $$;
"""
# These act with the rights of the tables' owner, so no role that logs in may make or drop other tables. To attach a
# table holds up neither readers nor writers, which to make a partition would.
FUNCTIONS = """
CREATE FUNCTION make_impression_days(days date[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one date;
  partition text;
BEGIN
  PERFORM pg_advisory_xact_lock(7310303);
  FOR one IN SELECT DISTINCT unnest(days) LOOP
    partition := 'impression_' || to_char(one, 'YYYYMMDD');
    CONTINUE WHEN EXISTS (
      SELECT FROM pg_inherits JOIN pg_class ON oid = inhrelid
      WHERE inhparent = 'public.impression'::regclass AND (relname::text = partition
        OR (relname::text > partition AND pg_get_expr(relpartbound, oid) ~ 'MINVALUE')));
    IF one > (now() AT TIME ZONE 'UTC')::date + 7 THEN
      RAISE EXCEPTION USING MESSAGE = 'no impression can be of the day ' || one;
    END IF;
    EXECUTE 'CREATE TABLE public.' || partition || ' (LIKE public.impression INCLUDING ALL)';
    EXECUTE 'ALTER TABLE public.impression ATTACH PARTITION public.' || partition
      || ' FOR VALUES FROM (' || quote_literal(one) || ') TO (' || quote_literal(one + 1) || ')';
  END LOOP;
END $$;
CREATE FUNCTION drop_impression_days(before date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  partition text;
BEGIN
  FOR partition IN
    SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid
    WHERE inhparent = 'public.impression'::regclass AND relname::text < 'impression_' || to_char(before, 'YYYYMMDD')
  LOOP
    EXECUTE 'DROP TABLE public.' || partition;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION make_impression_days, drop_impression_days FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_impression_days TO events_service;
GRANT EXECUTE ON FUNCTION drop_impression_days TO events_keeper;
"""
WHOLE = """
CREATE TABLE whole (LIKE impression INCLUDING CONSTRAINTS);
INSERT INTO whole SELECT * FROM impression;
DROP TABLE impression;
ALTER TABLE whole RENAME TO impression;
DROP FUNCTION make_impression_days, drop_impression_days;
"""


def upgrade() -> None:
    """Make the former table the first partition of a new one."""
    for statements in (RENAMED, KEYS, GRANTS, ATTACHED, FUNCTIONS):
        op.execute(statements)


def downgrade() -> None:
    """Copy all days into one table."""
    for statements in (WHOLE, KEYS, GRANTS):
        op.execute(statements)
