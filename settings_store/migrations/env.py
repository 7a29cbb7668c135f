"""Alembic's entry: runs the revisions on the connection it is given, inside the caller's transaction."""

from alembic import context

from settings_store.schema import metadata

_connection = context.config.attributes["connection"]

context.configure(
    connection=_connection,
    target_metadata=metadata,
    # SQLite alters a table only by copying it.
    render_as_batch=_connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
