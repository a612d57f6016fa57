"""Accounts with their tokens and web sessions, and the inner nodes of the ledger's tree, append-only like its records."""

from alembic import op

from govcloud.store import schema

revision = "0007"
down_revision = "0006"

_NEW = (schema.account, schema.account_token, schema.web_session, schema.ledger_node)


def upgrade() -> None:
    bind = op.get_bind()
    # A new database has today's tables from 0001.
    for table in _NEW:
        table.create(bind, checkfirst=True)
    if bind.dialect.name != "sqlite":
        # A database that was copied over from SQLite has never run 0001's statements for PostgreSQL.
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
        op.execute(
            "CREATE TRIGGER ledger_node_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_node "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ledger_node_no_{verb.lower()} BEFORE {verb} ON ledger_node "
            "BEGIN SELECT RAISE(ABORT, 'ledger_node is append-only'); END"
        )
    # INSERT OR REPLACE deletes without asking the trigger above; this one runs before it does.
    op.execute(
        "CREATE TRIGGER ledger_node_new_only BEFORE INSERT ON ledger_node WHEN EXISTS "
        "(SELECT 1 FROM ledger_node WHERE level = NEW.level AND position = NEW.position) "
        "BEGIN SELECT RAISE(ABORT, 'ledger_node is append-only'); END"
    )
