"""Alembic's entry to the migrations; `spikefront.storage.migration` calls it with an open connection."""

from alembic import context

from spikefront.storage.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    target_metadata=Base.metadata,
)
with context.begin_transaction():
    context.run_migrations()
