"""Ledgers of every earlier version verify for ever, and are continued. Recorded with the programs of their time, under tests/cases/ledger."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from ledger_bundle import append

from govcloud.ledger import verify
from govcloud.model.ledger import SHA256
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.workflow import audit
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import open_session

CASES = Path(__file__).parents[1] / "cases" / "ledger"
VERSIONS = sorted(p.name for p in CASES.iterdir())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_bundle_of_an_earlier_version_verifies_with_todays_script(version: str) -> None:
    case = CASES / version
    kept = case / "bundle" / "checkpoints" / "12.note"
    argv = [str(case / "bundle"), "--key", str(case / "ledger.vkey"), "--checkpoint", str(kept), "--hash", "sha256"]
    assert verify.main(argv) == verify.OK


@pytest.mark.parametrize("version", VERSIONS)
def test_a_database_of_an_earlier_version_verifies_and_is_continued(version: str, tmp_path: Path) -> None:
    case = CASES / version
    init_workspace(tmp_path / "w", "shanxi", actor="张示例")
    database = tmp_path / "w" / "govcloud.db"
    for path in database.parent.glob("govcloud.db*"):
        path.unlink()
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript((case / "ledger.sql").read_text("utf-8"))
    (tmp_path / "w" / "keys").mkdir()
    shutil.copy(case / "ledger.vkey", tmp_path / "w" / "keys" / "ledger_ed25519.vkey")
    with open_session(open_workspace(tmp_path / "w"), actor="张示例") as session:
        before = audit.verify_ledger(session)
        assert before.report.problems == [] and before.report.signed == before.report.records == 22
        append(session, 30)
        after = audit.verify_ledger(session)
        assert after.report.problems == [] and after.report.records == 52
        with session.store.read() as tx:
            leaves = [bytes.fromhex(record.leaf_hash) for record in ledger_store.iterate(tx)]
            assert ledger_store.tree_root(tx, 0, 52) == SHA256.root(leaves)
            nodes = ledger_store.verify_nodes(tx), tx.exec_driver_sql("SELECT count(*) FROM ledger_node").scalar()
    assert nodes == ([], 3)
