"""The ledger's promises hold on both databases: no gaps, no changes, and never a result without its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from govcloud.model.ledger import LedgerEntry
from govcloud.store import Store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store

AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)


def entry(number: int = 0) -> LedgerEntry:
    return LedgerEntry(kind="test", actor="张示例", at=AT, body={"n": number, "说明": "迁移"})


def add_batch(store: Store, batch_id: str, *, broken: bool = False) -> None:
    with store.begin() as tx:
        inventory_store.add_batch(
            tx, batch_id=batch_id, kind="census", source="普查表.xlsx", sha256="0" * 64, at=AT, actor="张示例", body={}
        )
        ledger_store.append(tx, entry())
        if broken:
            raise RuntimeError("the step after both")


def test_numbers_start_at_zero_and_have_no_gaps(store: Store) -> None:
    for number in range(5):
        with store.begin() as tx:
            ledger_store.append(tx, entry(number))
    with store.read() as tx:
        records = ledger_store.records(tx)
    assert [r.seq for r in records] == [0, 1, 2, 3, 4]
    assert [json.loads(r.canonical)["body"]["n"] for r in records] == [0, 1, 2, 3, 4]


def test_two_writers_at_once_get_numbers_without_gaps(store: Store, open_again: Callable[[], Store]) -> None:
    stores = [store, open_again()]

    def write(which: int) -> None:
        for number in range(20):
            with stores[which].begin() as tx:
                ledger_store.append(tx, entry(number))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    with store.read() as tx:
        assert [r.seq for r in ledger_store.records(tx)] == list(range(40))


def test_a_rolled_back_record_leaves_no_gap(store: Store) -> None:
    add_batch(store, "b1")
    with pytest.raises(RuntimeError):
        add_batch(store, "b2", broken=True)
    add_batch(store, "b3")
    with store.read() as tx:
        assert [r.seq for r in ledger_store.records(tx)] == [0, 1]


def test_a_rollback_leaves_neither_the_result_nor_its_record(store: Store) -> None:
    with pytest.raises(RuntimeError):
        add_batch(store, "b1", broken=True)
    with store.read() as tx:
        assert inventory_store.last_batch(tx) == 0
        assert ledger_store.size(tx) == 0


@pytest.mark.parametrize("table", ["ledger", "checkpoint", "statement"])
@pytest.mark.parametrize("change", ["UPDATE {table} SET {column} = 'forged'", "DELETE FROM {table}"])
def test_what_is_recorded_can_be_neither_changed_nor_deleted(store: Store, table: str, change: str) -> None:
    with store.begin() as tx:
        ledger_store.append(tx, entry())
        tx.execute(text("INSERT INTO checkpoint (size, root_hash, note) VALUES (1, 'x', 'y')"))
        tx.execute(
            text(
                "INSERT INTO statement (statement_id, batch_no, subject_kind, subject_id, source, place, observed_at, body)"
                " VALUES (1, 1, 'system', 's', 'workbook', 'l', 't', '{}')"
            )
        )
    column = {"ledger": "canonical", "checkpoint": "note", "statement": "body"}[table]
    with pytest.raises(DBAPIError, match="append-only"), store.begin() as tx:
        tx.execute(text(change.format(table=table, column=column)))
    with store.read() as tx:
        assert tx.execute(text(f"SELECT count(*) FROM {table} WHERE {column} <> 'forged'")).scalar() == 1  # noqa: S608


def test_a_ledger_on_postgresql_cannot_be_truncated(store: Store) -> None:
    """SQLite has no TRUNCATE; there the same test holds the plain DELETE that stands for it."""
    with store.begin() as tx:
        ledger_store.append(tx, entry())
    statement = "TRUNCATE ledger" if store.engine.dialect.name == "postgresql" else "DELETE FROM ledger WHERE 1 = 1"
    with pytest.raises(DBAPIError, match="append-only"), store.begin() as tx:
        tx.execute(text(statement))


def test_a_record_keeps_its_bytes_and_their_hash(store: Store) -> None:
    with store.begin() as tx:
        written = ledger_store.append(tx, entry())
    with store.read() as tx:
        read = ledger_store.records(tx)[0]
    assert read == written
    assert read.leaf_hash == hashlib.sha256(b"\x00" + read.canonical.encode()).hexdigest()
    assert json.loads(read.canonical)["actor"] == "张示例"
