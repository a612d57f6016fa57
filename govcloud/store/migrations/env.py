"""Alembic runs this with the connection that `engine.open_store` hands over; there is no offline mode and no ini file."""

from alembic import context

from govcloud.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transaction_per_migration=True
)
with context.begin_transaction():
    context.run_migrations()
