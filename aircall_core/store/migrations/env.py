"""Alembic's entry: runs on the connection, and in the transaction, that ``store.migrate`` hands over."""

from alembic import context

from aircall_core.store.migrate import in_tables
from aircall_core.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter a table in place.
    render_as_batch=True,
    include_name=in_tables,
    transactional_ddl=True,
)
context.run_migrations()
