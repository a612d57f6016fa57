"""The first schema, and triggers that keep the ledger append-only."""

from alembic import op

from govcloud.store.schema import metadata

revision = "0001"
down_revision = None

_APPEND_ONLY = ("ledger", "checkpoint")


def upgrade() -> None:
    bind = op.get_bind()
    metadata.create_all(bind)
    if bind.dialect.name == "sqlite":
        for table in _APPEND_ONLY:
            for verb in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
        # INSERT OR REPLACE deletes without asking the trigger above; this one runs before it does.
        op.execute(
            "CREATE TRIGGER ledger_next_only BEFORE INSERT ON ledger "
            "WHEN NEW.seq <> (SELECT coalesce(max(seq) + 1, 0) FROM ledger) "
            "BEGIN SELECT RAISE(ABORT, 'ledger is append-only: wrong number'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
