"""Alembic's entry: it runs inside the connection and the transaction that app.migrations opened."""

from alembic import context
from sqlalchemy import Connection

connection = context.config.attributes.get("connection")
if not isinstance(connection, Connection):
    raise SystemExit("Migrate with ./shop migrate.")
context.configure(connection=connection)
context.run_migrations()
