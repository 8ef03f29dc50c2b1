"""Alembic runs this for every command: our caller has the connection already, and commits."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
with context.begin_transaction():
    context.run_migrations()
