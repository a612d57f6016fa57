"""The live ledger: whatever is changed below the program is found, nothing acknowledged is lost, keys stay private."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from govcloud.cli.main import run
from govcloud.errors import InputError, IntegrityError
from govcloud.ledger.checkpoint import load_signer
from govcloud.model.ledger import LedgerEntry
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.workflow import audit
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)


def append(session: Session, count: int) -> None:
    for number in range(count):
        with session.store.begin() as tx:
            ledger_store.append(tx, LedgerEntry(kind="step", actor="张示例", at=AT, body={"n": number, "说明": "切换"}))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    init_workspace(tmp_path / "w", "shanxi", actor="张示例")
    return tmp_path / "w"


@pytest.fixture
def session(workspace: Path) -> Iterator[Session]:
    """Six records, the first four signed."""
    with open_session(open_workspace(workspace), actor="张示例", now=lambda: AT) as opened:
        append(opened, 3)
        audit.checkpoint(opened)
        append(opened, 2)
        yield opened


def tamper(workspace: Path, *statements: str) -> None:
    """As an administrator with a database tool would: the triggers go first."""
    with sqlite3.connect(workspace / "govcloud.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)


def rehash(workspace: Path, seq: int, old: str, new: str) -> None:
    """Change a record and its leaf hash along with it."""
    import hashlib

    with sqlite3.connect(workspace / "govcloud.db") as database:
        (text,) = database.execute("SELECT canonical FROM ledger WHERE seq = ?", (seq,)).fetchone()
        changed = text.replace(old, new)
        assert changed != text
        leaf = hashlib.sha256(b"\x00" + changed.encode()).hexdigest()
        database.execute("UPDATE ledger SET canonical = ?, leaf_hash = ? WHERE seq = ?", (changed, leaf, seq))


def test_an_untouched_ledger_verifies_and_tells_what_nobody_has_signed_yet(session: Session) -> None:
    checked = audit.verify_ledger(session)
    assert checked.report.problems == []
    assert (checked.live, checked.report.records, checked.report.signed, checked.unsigned) == (True, 6, 4, 2)


TAMPERING = {
    "a record edited": ("UPDATE ledger SET canonical = replace(canonical, '张示例', '李示例') WHERE seq = 2", 2),
    "a leaf hash edited": ("UPDATE ledger SET leaf_hash = 'ff' WHERE seq = 5", 5),
    "a record deleted": ("DELETE FROM ledger WHERE seq = 1", 1),
    "the end deleted": ("DELETE FROM ledger WHERE seq > 2", 3),
    "everything deleted": ("DELETE FROM ledger", 0),
    "two records exchanged": (
        "UPDATE ledger SET seq = CASE seq WHEN 2 THEN -3 WHEN 3 THEN -2 END WHERE seq IN (2, 3)",
        0,
    ),
    "a record renumbered": ("UPDATE ledger SET seq = 9 WHERE seq = 5", 5),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_below_the_program_is_found_and_named(session: Session, workspace: Path, what: str) -> None:
    statement, first_bad = TAMPERING[what]
    tamper(workspace, statement)
    assert audit.verify_ledger(session).report.first_bad_seq == first_bad
    assert run(["-w", str(workspace), "--lang", "zh", "audit", "verify"]) == 5


def test_a_record_changed_with_its_hash_contradicts_the_checkpoint(session: Session, workspace: Path) -> None:
    tamper(workspace)
    rehash(workspace, 2, "张示例", "李示例")
    report = audit.verify_ledger(session).report
    assert report.first_bad_seq == 0
    assert "checkpoint 4" in report.problems[0].en


def test_a_checkpoint_whose_columns_were_edited_is_found(session: Session, workspace: Path) -> None:
    tamper(workspace, "UPDATE checkpoint SET root_hash = 'ff'")
    assert audit.verify_ledger(session).report.problems


def test_a_ledger_whose_checkpoints_were_removed_is_caught_by_one_that_left_the_machine(
    session: Session, workspace: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.note"
    assert run(["-w", str(workspace), "audit", "checkpoint", "-o", str(kept)]) == 0
    tamper(workspace, "DELETE FROM checkpoint")
    rehash(workspace, 2, "张示例", "李示例")
    assert audit.verify_ledger(session).report.problems == [], "sound within itself"
    assert run(["-w", str(workspace), "audit", "verify", "--checkpoint", str(kept)]) == 5


def test_a_ledger_that_contradicts_its_last_checkpoint_is_not_signed_again(session: Session, workspace: Path) -> None:
    tamper(workspace)
    rehash(workspace, 2, "张示例", "李示例")
    with pytest.raises(IntegrityError):
        audit.checkpoint(session)
    assert run(["-w", str(workspace), "audit", "export", "-o", str(workspace / "out")]) == 5


def test_a_checkpoint_is_made_once_for_the_same_records(session: Session) -> None:
    assert audit.checkpoint(session) == audit.checkpoint(session)


def test_the_signing_key_is_private_and_never_printed(
    session: Session, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = workspace / "keys" / "ledger_ed25519"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    secret = key.read_text().splitlines()[1]
    for words in (
        ["audit", "log"],
        ["audit", "checkpoint"],
        ["audit", "export", "-o", str(workspace / "b")],
        ["audit", "verify"],
    ):
        assert run(["-w", str(workspace), *words]) == 0
    shown = capsys.readouterr()
    assert secret not in shown.out + shown.err
    assert not [p for p in (workspace / "b").rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]
    assert secret not in repr(load_signer(workspace / "keys", "shanxi", last=None))


def test_a_key_that_others_can_read_is_refused(session: Session, workspace: Path) -> None:
    (workspace / "keys" / "ledger_ed25519").chmod(0o644)
    append(session, 1)
    with pytest.raises(InputError):
        audit.checkpoint(session)


def test_a_lost_key_is_not_replaced_in_silence(session: Session, workspace: Path) -> None:
    (workspace / "keys" / "ledger_ed25519").unlink()
    append(session, 1)
    with pytest.raises(IntegrityError):
        audit.checkpoint(session)


def test_the_export_is_whole_or_not_there(session: Session, workspace: Path, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine.txt").write_text("x")
    assert run(["-w", str(workspace), "audit", "export", "-o", str(target)]) == 2
    assert [p.name for p in target.iterdir()] == ["mine.txt"]
    file = tmp_path / "file"
    file.write_text("x")
    assert run(["-w", str(workspace), "audit", "export", "-o", str(file / "sub")]) == 4


def test_a_bundle_is_checked_by_the_command_and_by_the_script_alike(
    session: Session, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = tmp_path / "b"
    assert run(["-w", str(workspace), "--format", "json", "audit", "export", "-o", str(bundle)]) == 0
    vkey = json.loads(capsys.readouterr().out)["checkpoint"]["vkey"]
    assert run(["audit", "verify", str(bundle), "--key", vkey]) == 0
    records = bundle / "records.jsonl"
    records.write_bytes(records.read_bytes().replace("张".encode(), "李".encode(), 1))
    capsys.readouterr()
    assert run(["--format", "json", "audit", "verify", str(bundle), "--key", vkey]) == 5
    assert json.loads(capsys.readouterr().out)["verification"]["first_bad_seq"] == 0
    script = [sys.executable, "-I", str(bundle / "verify.py"), str(bundle), "--key", vkey]
    assert subprocess.run(script, capture_output=True, timeout=60).returncode == 5
    shutil.rmtree(bundle)
    assert run(["audit", "verify", str(bundle), "--key", vkey]) == 3
    assert run(["audit", "verify", str(workspace), "--key", "nonsense"]) == 3


def test_the_log_shows_the_newest_records_of_a_kind(
    session: Session, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-w", str(workspace), "--format", "json", "audit", "log", "--kind", "step", "--limit", "2"]) == 0
    shown = json.loads(capsys.readouterr().out)["ledger"]
    assert [r["seq"] for r in shown["rows"]] == [4, 5]
    assert shown["records"][0]["body"] == {"n": 0, "说明": "切换"}


def test_a_body_with_a_float_is_refused_wherever_it_hides(session: Session) -> None:
    for body in ({"x": 1.5}, {"x": [{"y": (2.0,)}]}):
        with pytest.raises(ValueError, match="float"), session.store.begin() as tx:
            ledger_store.append(tx, LedgerEntry(kind="t", actor="a", at=AT, body=body))


def test_replacing_a_record_is_refused_like_an_update(session: Session, workspace: Path) -> None:
    """SQLite's INSERT OR REPLACE deletes a row without asking the delete trigger."""
    with sqlite3.connect(workspace / "govcloud.db") as database:
        for seq in (2, 9, -1):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute("INSERT OR REPLACE INTO ledger VALUES (?, 'forged', 'ff')", (seq,))


WRITER = """
import sys
from datetime import UTC, datetime
from govcloud.model.ledger import LedgerEntry
from govcloud.store import ledger, open_store
store = open_store(sys.argv[1])
while True:
    with store.begin() as tx:
        record = ledger.append(tx, LedgerEntry(kind="t", actor="a", at=datetime.now(UTC), body={}))
    sys.stdout.write(f"{record.seq}\\n")
    sys.stdout.flush()
"""


def test_no_acknowledged_record_is_lost_when_the_writer_is_killed(session: Session, workspace: Path) -> None:
    """Two writers at once, killed with SIGKILL at any moment, several times."""
    url = f"sqlite:///{workspace / 'govcloud.db'}"
    acknowledged: set[int] = set()
    for round_number in range(4):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
            )
            for _ in range(2)
        ]
        for writer in writers:
            assert writer.stdout
            acknowledged.add(int(writer.stdout.readline()))
        time.sleep(0.05 + 0.07 * round_number)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
        for writer in writers:
            with writer:
                assert writer.stdout
                # Not communicate(): it passes over what readline() has read ahead. A line that was cut off was not
                # acknowledged.
                acknowledged |= {int(line) for line in writer.stdout.read().split("\n")[:-1]}
    assert len(acknowledged) > 20
    checked = audit.verify_ledger(session)
    assert checked.report.problems == []
    assert acknowledged <= set(range(checked.report.records))
