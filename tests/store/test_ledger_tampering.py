"""The live ledger on every database: whatever is done to it behind the triggers is found, the first bad record is named."""
# ruff: noqa: S608 - the statements are an attacker's

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from govcloud.errors import IntegrityError
from govcloud.model.ledger import HashName, LedgerEntry
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.workflow import audit
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)
UNTRUE = "replace(canonical, '张示例', '李示例')"


@pytest.fixture(params=["sha256", "sm3"])
def session(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Iterator[Session]:
    """40 records, of which 30 are signed, in the database of the test."""
    profile: HashName = request.param
    workspace = tmp_path / "w"
    init_workspace(workspace, "shanxi", actor="张示例", ledger=profile)
    for path in workspace.glob("govcloud.db*"):
        path.unlink()
    settings = yaml.safe_load((workspace / "govcloud.yaml").read_text("utf-8"))
    (workspace / "govcloud.yaml").write_text(yaml.safe_dump({**settings, "database": url}, allow_unicode=True), "utf-8")
    with open_session(open_workspace(workspace), actor="张示例", now=lambda: AT) as opened:
        for count in (30, 10):
            with opened.store.begin() as tx:
                body = {"说明": "切换"}
                entries = [LedgerEntry(kind="step", actor="张示例", at=AT, body=body) for _ in range(count)]
                ledger_store.append_all(tx, entries)
            if count == 30:
                audit.checkpoint(opened)
        yield opened


def behind_the_triggers(session: Session, *statements: str) -> None:
    engine = session.store.engine
    with engine.begin() as tx:
        if engine.dialect.name == "sqlite":
            names = tx.execute(text("SELECT name, NULL FROM sqlite_master WHERE type = 'trigger'")).all()
        else:
            query = (
                "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal"
            )
            names = tx.execute(text(query)).all()
        for name, table in names:
            tx.execute(text(f"DROP TRIGGER {name}" + (f" ON {table}" if table else "")))
        for statement in statements:
            tx.execute(text(statement))


TAMPERING = {
    "edited": (f"UPDATE ledger SET canonical = {UNTRUE} WHERE seq = 2", 2),
    "an unsigned one edited": (f"UPDATE ledger SET canonical = {UNTRUE} WHERE seq = 35", 35),
    "hash edited": ("UPDATE ledger SET leaf_hash = 'ff' WHERE seq = 5", 5),
    "deleted": ("DELETE FROM ledger WHERE seq = 17", 17),
    "end deleted": ("DELETE FROM ledger WHERE seq >= 20", 20),
    "everything deleted": ("DELETE FROM ledger", 0),
    "renumbered": ("UPDATE ledger SET seq = 90 WHERE seq = 39", 39),
    "one inserted": ("INSERT INTO ledger SELECT -1, canonical, leaf_hash FROM ledger WHERE seq = 3", 0),
    "duplicated": ("INSERT INTO ledger SELECT 40, canonical, leaf_hash FROM ledger WHERE seq = 3", 40),
    "exchanged": ("UPDATE ledger SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3)", 0),
    "node edited": (
        "UPDATE ledger_node SET hash = (SELECT leaf_hash FROM ledger WHERE seq = 3) WHERE position = 1",
        16,
    ),
    "node deleted": ("DELETE FROM ledger_node WHERE position = 0", 0),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_it_is_found_and_the_first_bad_record_named(session: Session, what: str) -> None:
    assert audit.verify_ledger(session).report.problems == []
    statement, first_bad = TAMPERING[what]
    behind_the_triggers(session, statement)
    assert audit.verify_ledger(session).report.first_bad_seq == first_bad
    # What was signed stays signed as it was: a new checkpoint is refused, or it is one of the true records, so that it
    # contradicts the changed one.
    with suppress(IntegrityError):
        audit.checkpoint(session)
    assert audit.verify_ledger(session).report.first_bad_seq == first_bad


def test_a_record_rewritten_with_its_hashes_contradicts_the_checkpoint(session: Session) -> None:
    """The operator knows the format: he rewrites record 2, its leaf and its node."""
    with session.store.read() as tx:
        leaves = [bytes.fromhex(record.leaf_hash) for record in ledger_store.iterate(tx)]
        record = ledger_store.record(tx, 2)
    assert record is not None
    forged = record.canonical.replace("张示例", "李示例")
    hashes = session.store.ledger
    leaves[2] = hashes.leaf(forged.encode())
    behind_the_triggers(
        session,
        f"UPDATE ledger SET canonical = {UNTRUE}, leaf_hash = '{leaves[2].hex()}' WHERE seq = 2",
        f"UPDATE ledger_node SET hash = '{hashes.root(leaves[:16]).hex()}' WHERE level = 4 AND position = 0",
    )
    report = audit.verify_ledger(session).report
    assert report.first_bad_seq == 0 and "checkpoint 30" in report.problems[0].en
    with pytest.raises(IntegrityError):
        audit.checkpoint(session)


@pytest.mark.parametrize("table", ["ledger", "checkpoint", "ledger_node"])
def test_the_database_refuses_changes_while_the_triggers_are_there(session: Session, table: str) -> None:
    column = {"ledger": "leaf_hash", "checkpoint": "note", "ledger_node": "hash"}[table]
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DatabaseError, match="append-only"), create_engine(session.store.engine.url).begin() as tx:
            tx.execute(text(statement))


def test_a_part_and_a_proof_come_out_of_it(session: Session, tmp_path: Path) -> None:
    from govcloud.ledger import verify

    audit.rotate_key(session)
    made = audit.export_bundle(session, tmp_path / "part", since="30")
    key = [verify.parse_vkey(made.vkey)]
    assert verify.verify_bundle(made.folder, key).problems == []
    assert [verify.verify_proof(proof, key).problems for proof in audit.prove(session, [0, 15, 39, 41])] == [[]] * 4
