"""Tables. Bodies are JSON of the frozen model (msgspec); columns beside them are what we search by."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()

import_batch = Table(
    "import_batch", metadata,
    Column("batch_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

observation = Table(
    "observation", metadata,
    Column("observation_id", Integer, primary_key=True, autoincrement=True),
    Column("batch_id", Text, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("locator", Text, nullable=False),
    Column("observed_at", Text, nullable=False),
    # Within its batch only: a host that is A, then B, then A again has said three things.
    UniqueConstraint("batch_id", "subject_id", "field", "source", "locator", "value", name="uq_observation_said_once"),
)  # fmt: skip

entity = Table(
    "entity", metadata,
    Column("kind", Text, primary_key=True),
    Column("entity_id", Text, primary_key=True),
    Column("department", Text),
    Column("name", Text),
    Column("body", Text, nullable=False),
    Index("ix_entity_department", "kind", "department"),
)  # fmt: skip

host_key = Table(
    "host_key", metadata,
    Column("host", Text, primary_key=True),
    Column("port", Integer, primary_key=True),
    Column("key_type", Text, primary_key=True),
    Column("key_base64", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("approved_at", Text, nullable=False),
)  # fmt: skip

finding = Table(
    "finding", metadata,
    Column("finding_id", Text, primary_key=True),
    Column("rule_id", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("first_seen_on", Text, nullable=False),
    Column("last_seen_on", Text, nullable=False),
    Column("resolved_on", Text),
    Column("body", Text, nullable=False),
)  # fmt: skip

plan = Table(
    "plan", metadata,
    Column("plan_id", Text, primary_key=True),
    Column("created_at", Text, nullable=False),
    Column("plan_hash", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

run = Table(
    "run", metadata,
    Column("run_id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("plan_hash", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

approval = Table(
    "approval", metadata,
    Column("run_id", Text, primary_key=True),
    Column("actor", Text, primary_key=True),
    Column("plan_hash", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("reason", Text),
)  # fmt: skip

attempt = Table(
    "attempt", metadata,
    Column("run_id", Text, primary_key=True),
    Column("system_id", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("status", Text, nullable=False),
    Column("executor", Text, nullable=False),
    Column("claimed_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("body", Text),
)  # fmt: skip

handover = Table(
    "handover", metadata,
    Column("handover_id", Text, primary_key=True),
    Column("system_id", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

ledger = Table(
    "ledger", metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("canonical", Text, nullable=False),
    Column("leaf_hash", Text, nullable=False),
)  # fmt: skip

checkpoint = Table(
    "checkpoint", metadata,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root_hash", Text, nullable=False),
    Column("note", Text, nullable=False),
)  # fmt: skip
