"""Accounts with their tokens, and the inner nodes of the ledger's tree."""

from alembic import op

from govcloud.store import schema

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # A new database has today's tables from 0001.
    for table in (schema.account, schema.account_token, schema.ledger_node):
        table.create(op.get_bind(), checkfirst=True)
