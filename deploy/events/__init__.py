"""Makes the database of events in PostgreSQL: `python -m deploy.events` creates roles and database, and its tables."""
