"""Tables. Bodies are JSON of the frozen model (msgspec); columns beside them are what we search by."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()

import_batch = Table(
    "import_batch", metadata,
    Column("batch_no", Integer, primary_key=True, autoincrement=False),
    Column("batch_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

statement = Table(
    "statement", metadata,
    Column("statement_id", Integer, primary_key=True, autoincrement=False),
    Column("batch_no", Integer, nullable=False),
    Column("subject_kind", Text, nullable=False),
    Column("subject_id", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("observed_at", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_statement_subject", "subject_id"),
)  # fmt: skip

entity = Table(
    "entity", metadata,
    Column("kind", Text, primary_key=True),
    Column("entity_id", Text, primary_key=True),
    Column("department", Text),
    Column("name", Text),
    Column("body", Text, nullable=False),
    # JSON: which statement each shown field was taken from; which other ids mean the same thing, and by what rule.
    Column("evidence", Text, nullable=False),
    Column("members", Text, nullable=False),
)  # fmt: skip

conflict = Table(
    "conflict", metadata,
    Column("subject_kind", Text, primary_key=True),
    Column("subject_id", Text, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("chosen", Text, nullable=False),
    Column("statements", Text, nullable=False),
)  # fmt: skip

# Measured traffic between two servers on one port, joined from both ends and all samples; made again by every merge.
flow = Table(
    "flow", metadata,
    Column("client_id", Text, primary_key=True),
    Column("server_id", Text, primary_key=True),
    Column("port", Integer, primary_key=True),
    Column("client_process", Text),
    Column("server_process", Text),
    Column("traffic", Text, nullable=False),
    Column("first_seen_at", Text, nullable=False),
    Column("last_seen_at", Text, nullable=False),
    Column("samples", Integer, nullable=False),
    Column("statement_id", Integer, nullable=False),
    Index("ix_flow_server", "server_id"),
)  # fmt: skip

snapshot = Table(
    "snapshot", metadata,
    Column("label", Text, primary_key=True),
    Column("batch_no", Integer, nullable=False),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("sha256", Text, nullable=False),
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

waiver = Table(
    "waiver", metadata,
    Column("waiver_id", Text, primary_key=True),
    Column("finding_id", Text, nullable=False),
    Column("valid_until", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_waiver_finding", "finding_id"),
)  # fmt: skip

# The newest check of each request: what runs or is about to run on which offering of which catalog.
request = Table(
    "request", metadata,
    Column("request_id", Text, primary_key=True),
    Column("department", Text, nullable=False),
    Column("system_id", Text),
    Column("catalog_id", Text, nullable=False),
    Column("catalog_version", Text, nullable=False),
    Column("applied_on", Text, nullable=False),
    Column("checked_at", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

plan = Table(
    "plan", metadata,
    Column("plan_id", Text, primary_key=True),
    Column("created_at", Text, nullable=False),
    Column("plan_hash", Text, nullable=False),
    # A trial with changed settings: it is shown and compared, never run, and never the latest plan.
    Column("what_if", Integer, nullable=False, server_default="0"),
    Column("body", Text, nullable=False),
)  # fmt: skip

plan_pin = Table(
    "plan_pin", metadata,
    Column("pin_id", Text, primary_key=True),
    Column("system_id", Text, nullable=False),
    Column("withdrawn", Integer, nullable=False, server_default="0"),
    Column("body", Text, nullable=False),
)  # fmt: skip

run = Table(
    "run", metadata,
    Column("run_id", Text, primary_key=True),
    Column("plan_id", Text),
    Column("scope_hash", Text),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

run_system = Table(
    "run_system", metadata,
    Column("run_id", Text, primary_key=True),
    Column("system_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("zone", Text),
    Column("wait_kind", Text),
    Column("leg", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("run_system_state", "state"),
    Index("run_system_system", "system_id"),
    # Each question about one system asks who of its run has failed: without it a wave would cost by the square of its size.
    Index("run_system_run_state", "run_id", "state"),
)  # fmt: skip

step_attempt = Table(
    "step_attempt", metadata,
    Column("run_id", Text, primary_key=True),
    Column("system_id", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("phase", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("token", Integer, nullable=False),
    Column("executor", Text, nullable=False),
    Column("machine_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("claimed_at", Text, nullable=False),
    Column("heartbeat_at", Text, nullable=False),
    Column("status", Text),
    Column("finished_at", Text),
    Column("body", Text, nullable=False),
    Index("step_attempt_token", "system_id", "token"),
    # Two live attempts of one system are refused by the database itself, whoever asks.
    Index(
        "step_attempt_live", "system_id", unique=True,
        sqlite_where=text("finished_at IS NULL"), postgresql_where=text("finished_at IS NULL"),
    ),
)  # fmt: skip

attempt_log = Table(
    "attempt_log", metadata,
    Column("attempt", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)  # fmt: skip

gate = Table(
    "gate", metadata,
    Column("gate_id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("opened_at", Text, nullable=False),
    Column("used_at", Text),
    Column("body", Text, nullable=False),
    Index("gate_run", "run_id", "system_id"),
)  # fmt: skip

gate_answer = Table(
    "gate_answer", metadata,
    Column("gate_id", Text, primary_key=True),
    Column("actor_key", Text, primary_key=True),
    Column("at", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

run_order = Table(
    "run_order", metadata,
    Column("run_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("system_id", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

resource = Table(
    "resource", metadata,
    Column("resource_id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("system_id", Text, nullable=False),
    Column("deleted_at", Text),
    Column("body", Text, nullable=False),
    Index("resource_run", "run_id", "system_id"),
)  # fmt: skip

worker = Table(
    "worker", metadata,
    Column("worker_id", Text, primary_key=True),
    Column("seen_at", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

handover = Table(
    "handover", metadata,
    Column("handover_id", Text, primary_key=True),
    Column("system_id", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("body", Text, nullable=False),
)  # fmt: skip

# People who may act, and the tokens by which programs act for them. As long as there is none, the operating-system user acts.
account = Table(
    "account", metadata,
    Column("login", Text, primary_key=True),
    # Name of the person without regard to case: records and separation of duties go by it.
    Column("name_key", Text, nullable=False, unique=True),
    Column("disabled_at", Text),
    Column("body", Text, nullable=False),
)  # fmt: skip

account_token = Table(
    "account_token", metadata,
    Column("token_id", Text, primary_key=True),
    Column("login", Text, nullable=False),
    Column("sha256", Text, nullable=False, unique=True),
    Column("expires_at", Text, nullable=False),
    Column("revoked_at", Text),
    Column("body", Text, nullable=False),
    Index("account_token_login", "login"),
)  # fmt: skip

# Who is signed in to the dashboard. The cookie's text is known to the browser alone.
web_session = Table(
    "web_session", metadata,
    Column("sha256", Text, primary_key=True),
    Column("login", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index("web_session_login", "login"),
)  # fmt: skip

ledger = Table(
    "ledger", metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("canonical", Text, nullable=False),
    Column("leaf_hash", Text, nullable=False),
)  # fmt: skip

# Roots of the full subtrees, so that a checkpoint or a proof reads some dozens of hashes however long the ledger is.
ledger_node = Table(
    "ledger_node", metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
)  # fmt: skip

checkpoint = Table(
    "checkpoint", metadata,
    Column("size", Integer, primary_key=True, autoincrement=False),
    Column("root_hash", Text, nullable=False),
    Column("note", Text, nullable=False),
)  # fmt: skip
