"""Observations become statements: one row a subject and place instead of one a field."""

import json
from itertools import groupby

import sqlalchemy as sa
from alembic import op

from govcloud.model.ids import build_id
from govcloud.store.schema import metadata

revision = "0002"
down_revision = "0001"

_OLD_BATCHES = "SELECT batch_id, kind, source, sha256, at, actor, body FROM import_batch ORDER BY at, batch_id"
_OLD_FACTS = (
    "SELECT batch_id, subject_kind, subject_id, source, observed_at, locator, field, value FROM observation "
    "ORDER BY batch_id, subject_kind, subject_id, source, observed_at, observation_id"
)


def upgrade() -> None:
    bind = op.get_bind()
    if sa.inspect(bind).has_table("observation"):
        _convert(bind)
    metadata.create_all(bind)
    if bind.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER statement_no_{verb.lower()} BEFORE {verb} ON statement "
                "BEGIN SELECT RAISE(ABORT, 'statement is append-only'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER statement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statement "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _source(row: sa.RowMapping) -> dict[str, str]:
    """Files were known by their paths, and are by a number made from it: a newer version must find the older one."""
    return {"source": build_id("F", row["source"])} if row["kind"] == "import" else {}


def _convert(bind: sa.Connection) -> None:
    """The merged inventory is left empty: it is made again from the statements when it is next read."""
    batches = bind.execute(sa.text(_OLD_BATCHES)).mappings().all()
    facts = bind.execute(sa.text(_OLD_FACTS)).all()
    for name in ("observation", "import_batch", "entity"):
        op.drop_table(name)
    metadata.create_all(bind)
    numbers = {row["batch_id"]: number for number, row in enumerate(batches, start=1)}
    if batches:
        table = metadata.tables["import_batch"]
        bind.execute(
            sa.insert(table), [{**row, **_source(row), "batch_no": numbers[row["batch_id"]]} for row in batches]
        )
    rows: list[dict[str, object]] = []
    for (batch_id, kind, subject_id, source, at), told in groupby(facts, key=lambda row: tuple(row[:5])):
        values, cells = {}, {}
        for *_, locator, field, value in told:
            values[field], cells[field] = json.loads(value), locator
        rows.append({
            "statement_id": len(rows) + 1, "batch_no": numbers.get(batch_id, 0), "subject_kind": kind,
            "subject_id": subject_id, "source": source, "place": "", "observed_at": at,
            "body": json.dumps({"values": values, "cells": cells}, ensure_ascii=False),
        })  # fmt: skip
    if rows:
        bind.execute(sa.insert(metadata.tables["statement"]), rows)
