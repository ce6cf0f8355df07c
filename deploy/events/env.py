"""What alembic runs: the migrations in versions/, over the connection that __main__.py gives it."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
