"""Stored nodes of the tree: every part's head is the one of all its leaves, in a few reads however long the ledger is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_bundle import AT, append
from sqlalchemy import event

from govcloud.errors import IntegrityError
from govcloud.ledger.tree import build_consistency_proof, build_inclusion_proof, root_of
from govcloud.model.ledger import LedgerEntry
from govcloud.settings import open_workspace
from govcloud.store import Store, open_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow import audit
from govcloud.workflow.session import Session, open_session


def entries(count: int) -> list[LedgerEntry]:
    return [LedgerEntry(kind="t", actor="a", at=AT, body={"n": n}) for n in range(count)]


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, list[bytes]]]:
    """4,500 records in portions of all sizes, and their leaf hashes."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('long') / 'l.db'}")
    portions = [1] * 70 + [2, 3, 5, 15, 16, 17, 31, 33, 255, 256, 257, 1000, 1043]
    portions.append(4500 - sum(portions))
    for count in portions:
        with store.begin() as tx:
            ledger_store.append_all(tx, entries(count))
    with store.read() as tx:
        leaves = [bytes.fromhex(record.leaf_hash) for record in ledger_store.iterate(tx)]
    yield store, leaves
    store.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 4500), st.data())
def test_roots_and_proofs_are_those_of_the_leaves(
    long: tuple[Store, list[bytes]], size: int, data: st.DataObject
) -> None:
    store, leaves = long
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    memory = root_of(leaves[:size])
    with store.read() as tx:

        def stored(start: int, end: int) -> bytes:
            return ledger_store.tree_root(tx, start, end)

        assert stored(0, size) == memory(0, size)
        assert build_inclusion_proof(stored, size, index) == build_inclusion_proof(memory, size, index)
        assert build_consistency_proof(stored, size, old) == build_consistency_proof(memory, size, old)
        subtrees = ledger_store.frontier(tx, size)
    starts = [0]
    for bit in reversed(range(size.bit_length())):
        if size >> bit & 1:
            starts.append(starts[-1] + (1 << bit))
    assert subtrees == [memory(start, end) for start, end in pairwise(starts)]


@contextmanager
def rows_read(store: Store) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield asked
    event.remove(store.engine, "before_cursor_execute", note)


def test_a_proof_in_a_long_ledger_asks_for_a_few_ranges_only(long: tuple[Store, list[bytes]]) -> None:
    store, _ = long
    with store.read() as tx, rows_read(store) as asked:
        build_inclusion_proof(lambda start, end: ledger_store.tree_root(tx, start, end), 4500, 1234)
        assert len(asked) <= 3 * 13, "levels of nodes times levels of the tree"
        asked.clear()
        ledger_store.tree_root(tx, 0, 4500)
        assert len(asked) == 4
    with store.read() as tx:
        table = "SELECT count(*) FROM ledger_node"
        assert tx.exec_driver_sql(table).scalar() == 4500 // 16 + 4500 // 256 + 4500 // 4096


def reopened(session: Session, *statements: str) -> None:
    """As an administrator with a database tool: the triggers go first."""
    with sqlite3.connect(session.workspace.path / "govcloud.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)


def test_the_database_itself_refuses_to_change_a_node(session: Session) -> None:
    append(session, 40)
    with sqlite3.connect(session.workspace.path / "govcloud.db") as database:
        for statement in (
            "UPDATE ledger_node SET hash = 'ff'",
            "DELETE FROM ledger_node",
            "INSERT OR REPLACE INTO ledger_node VALUES (4, 1, 'ff')",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_node SET hash = (SELECT leaf_hash FROM ledger WHERE seq = 3) WHERE position = 1",
        "DELETE FROM ledger_node WHERE position = 0",
        "UPDATE ledger_node SET hash = 'not hex' WHERE position = 1",
    ],
)
def test_a_changed_node_is_found_and_nothing_is_signed_over_it(session: Session, statement: str) -> None:
    append(session, 40)
    audit.checkpoint(session)
    append(session, 1)
    reopened(session, statement)
    report = audit.verify_ledger(session).report
    assert [p.seq for p in report.problems] in ([0], [16])
    with pytest.raises(IntegrityError):
        audit.checkpoint(session)


def test_a_changed_record_that_nobody_signed_is_not_signed(session: Session) -> None:
    """Neither one whose text differs from its hash nor one whose hash was changed along and differs from the stored nodes."""
    append(session, 40)
    reopened(session, "UPDATE ledger SET canonical = replace(canonical, '张示例', '李示例') WHERE seq = 7")
    with pytest.raises(IntegrityError) as refused:
        audit.checkpoint(session)
    assert refused.value.where.en == "#7"
    with sqlite3.connect(session.workspace.path / "govcloud.db") as database:
        (text,) = database.execute("SELECT canonical FROM ledger WHERE seq = 7").fetchone()
        leaf = session.store.ledger.leaf(text.encode()).hex()
        database.execute("UPDATE ledger SET leaf_hash = ? WHERE seq = 7", (leaf,))
    with pytest.raises(IntegrityError):
        audit.checkpoint(session)


def test_a_ledger_without_nodes_gets_them_with_its_next_checkpoint(session: Session) -> None:
    append(session, 300)
    reopened(session, "DELETE FROM ledger_node")
    audit.checkpoint(session)
    with session.store.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM ledger_node").scalar() == 18 + 1
    assert audit.verify_ledger(session).report.problems == []


def test_a_ledger_is_never_continued_with_another_hash(session: Session) -> None:
    """The settings say sm3 now; the records say sha256."""
    path = session.workspace.path / "govcloud.yaml"
    path.write_text(path.read_text("utf-8") + "\nledger: {profile: sm3}\n", "utf-8")
    with open_session(open_workspace(session.workspace.path), actor="张示例") as other:
        with pytest.raises(IntegrityError, match="sm3"):
            append(other, 1)
        assert audit.verify_ledger(other).report.problems
