"""`audit log`: what happened to a project, a system, a run or a takeover, told from the ledger alone."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_desk import SYSTEM, Desk, make_desk

from govcloud.cli.main import run
from govcloud.errors import IntegrityError, UsageError
from govcloud.model.ledger import LedgerEntry
from govcloud.model.observation import Statement
from govcloud.model.text import LANGS, Text
from govcloud.report.ledger_words import WORDS, tell
from govcloud.report.text import render_text
from govcloud.report.timeline import build_log_view
from govcloud.store import ledger as ledger_store
from govcloud.workflow import run_gates
from govcloud.workflow.evidence import find_evidence
from govcloud.workflow.session import Session
from govcloud.workflow.statements import store_statements
from govcloud.workflow.timeline import Wanted, read_timeline, record_titles

AT = datetime(2026, 3, 7, 15, 59, tzinfo=UTC)
PROJECT, OTHER = "SLXM-2026-01", "SL-XX-77"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A migrated system of a project, and another system that has nothing to do with it."""
    desk = make_desk(tmp_path / "w")
    with desk.open() as session:
        said = [
            Statement(subject_kind="project", subject_id=PROJECT, source="workbook", place="项目台账.xlsx!项目!", observed_at=AT,
                      values={"name": "示例上云项目", "systems": [SYSTEM]}),
            Statement(subject_kind="system", subject_id=SYSTEM, source="workbook", place="补充表.xlsx!系统!", observed_at=AT,
                      values={"contact": "示例联系人"}),
            Statement(subject_kind="system", subject_id=OTHER, source="workbook", place="普查表.xlsx!系统!", observed_at=AT,
                      values={"name": "无关系统"}),
        ]  # fmt: skip
        for one in said:
            store_statements(session, kind="import", source=one.place, statements=[one], body={})
    return desk


def add(session: Session, **fields: Any) -> None:
    entry = LedgerEntry(**({"kind": "waiver", "actor": session.actor, "at": AT, "body": {}} | fields))
    with session.store.begin() as tx:
        ledger_store.append(tx, entry)


def migrated(desk: Desk) -> str:
    run_id = desk.start()
    for _ in range(2):
        with desk.open("li") as session:
            run_gates.answer_gates(session, run_id, reason="示例批准")
        desk.work(run_id)
    return run_id


def kinds(session: Session, **wanted: Any) -> list[str]:
    return [r["kind"] for r in read_timeline(session, Wanted(**wanted), limit=None).records]


def test_a_project_tells_its_systems_from_the_import_to_the_trial(desk: Desk) -> None:
    run_id = migrated(desk)
    with desk.open() as session:
        add(
            session,
            kind="check",
            project_id=PROJECT,
            body={"what": "request", "department": "示例局", "conclusion": "approve"},
        )
        add(session, subject_id=OTHER)
        add(session, kind="report", concerns=(SYSTEM,))
        by_project = read_timeline(session, Wanted(project=PROJECT), limit=None).records
        assert {"import", "run", "gate", "approval", "step", "run_state", "check", "report"} <= {
            r["kind"] for r in by_project
        }
        assert OTHER not in {r["subject_id"] for r in by_project}
        assert [r["seq"] for r in by_project] == sorted(r["seq"] for r in by_project)
        assert kinds(session, project="示例上云项目") == [r["kind"] for r in by_project], "by name as by id"
        assert set(kinds(session, system=SYSTEM)) == {r["kind"] for r in by_project} - {"check"}
        assert set(kinds(session, run=run_id)) == {"run", "gate", "approval", "step", "run_state"}
        assert kinds(session, project=PROJECT, run=run_id) == kinds(session, run=run_id)


def test_records_of_before_concerns_are_found_too(desk: Desk) -> None:
    """As the first versions wrote them: other subjects stand in the body only."""
    with desk.open() as session:
        add(session, kind="confirm", body={"confirmed": [{"subject_id": SYSTEM, "field": "name", "value": "x"}]})
        add(
            session,
            kind="run",
            subject_id="R-1",
            run_id="R-1",
            body={"status": "registered", "systems": [OTHER, SYSTEM]},
        )
        add(session, kind="step", subject_id=OTHER, run_id="R-1", step="freeze", attempt=1)
        found = read_timeline(session, Wanted(system=SYSTEM), limit=None).records
    assert [r["kind"] for r in found][-2:] == ["confirm", "run"], "and not the step of the other system"


def test_days_are_those_of_the_office(desk: Desk) -> None:
    with desk.open() as session:
        add(session, at=AT)
        add(session, at=AT + timedelta(minutes=1))
        first = read_timeline(session, Wanted(kind="waiver", until=date(2026, 3, 7))).records
        second = read_timeline(session, Wanted(kind="waiver", since=date(2026, 3, 8))).records
    assert [r["at"] for r in first] == ["2026-03-07T15:59:00.000000Z"], "23:59 in Shanxi"
    assert [r["at"] for r in second] == ["2026-03-07T16:00:00.000000Z"], "midnight in Shanxi"


def test_a_name_that_nobody_knows_is_refused_and_an_empty_answer_is_one(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    at = ["-w", str(desk.place.path), "--lang", "en", "audit", "log"]
    for option in ("--project", "--system", "--run", "--takeover"):
        assert run([*at, option, "NONE-1"]) == 2
    assert "Neither the inventory nor the ledger knows it" in capsys.readouterr().err
    assert run([*at, "--system", OTHER, "--kind", "approval"]) == 0
    assert "(none)" in capsys.readouterr().out


def test_the_log_speaks_both_languages_and_says_who(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = migrated(desk)
    at = ["-w", str(desk.place.path), "--lang"]
    assert run([*at, "zh", "audit", "log", "--run", run_id, "--limit", "500"]) == 0
    zh = capsys.readouterr().out
    assert "批准冻结" in zh and "示例批准" in zh and "第 1 次：成功" in zh and "由“等待”转为“执行中”" in zh
    assert run([*at, "en", "audit", "log", "--run", run_id, "--actor", "LI"]) == 0
    en = capsys.readouterr().out
    assert "Approved" in en and "li" in en and "worker" not in en
    assert run([*at, "zh", "audit", "log", "--run", run_id, "--limit", "1"]) == 0
    assert "更早的记录未列出" in capsys.readouterr().out


def test_a_damaged_record_is_named_and_costs_no_traceback(desk: Desk) -> None:
    with desk.open() as session:
        with session.store.begin() as tx:
            tx.exec_driver_sql("DROP TRIGGER ledger_no_update")
            tx.exec_driver_sql("UPDATE ledger SET canonical = substr(canonical, 1, 40) WHERE seq = 1")
        with pytest.raises(IntegrityError, match="1"):
            read_timeline(session, Wanted(), limit=None)


def test_a_long_ledger_is_read_in_little_memory(desk: Desk) -> None:
    with desk.open() as session:
        entries = [
            LedgerEntry(kind="step", actor="甲", at=AT, subject_id=OTHER, body={"n": "x" * 2000}) for _ in range(5000)
        ]
        with session.store.begin() as tx:
            ledger_store.append_all(tx, entries)
        del entries
        tracemalloc.start()
        found = read_timeline(session, Wanted(system=SYSTEM, kind="import"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert not found.earlier and peak < 8 * 2**20, "of 11 MB"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), lambda x: st.lists(x, max_size=2) | st.dictionaries(st.text(max_size=5), x, max_size=2),
    max_leaves=5,
)  # fmt: skip
FIELDS = st.sampled_from(
    ["what", "files", "confirmed", "withdrawn", "hosts", "keys", "systems", "step", "status", "reasons", "expires_at", "role",
     "unit", "parts", "reason", "label", "sha256", "items", "kind", "approved", "wait", "evidence_sha256"]
)  # fmt: skip


@given(
    kind=st.sampled_from(sorted(WORDS)) | st.text(min_size=1, max_size=8),
    body=st.dictionaries(FIELDS, JSON),
    step=st.none() | st.text(max_size=4),
)
def test_whatever_a_record_holds_it_can_be_shown(kind: str, body: dict[str, Any], step: str | None) -> None:
    record = {
        "seq": 0, "at": "2026-03-07T15:59:00.000000Z", "kind": kind, "phase": "event", "actor": "a", "subject_id": None,
        "project_id": None, "plan_hash": None, "run_id": None, "step": step, "attempt": None, "body": body, "leaf_hash": "0" * 64,
    }  # fmt: skip
    for lang in LANGS:
        assert tell(record, {}).to(lang)
        render_text([build_log_view([record], {"design": Text("设计文件", "design")})], lang)


def keep(desk: Desk, data: bytes) -> Path:
    digest = hashlib.sha256(data).hexdigest()
    path = desk.place.path / "evidence" / "H-1" / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    with desk.open() as session:
        add(
            session,
            kind="handover",
            subject_id=SYSTEM,
            run_id="H-1",
            step="evidence",
            evidence=(digest,),
            body={"item": "design"},
        )
    return path


def test_evidence_is_found_by_its_digest_with_the_records_that_name_it(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = keep(desk, "示例设计文档".encode())
    at = ["-w", str(desk.place.path), "--format", "json", "audit", "evidence"]
    assert run([*at, path.name[:12], "-o", str(tmp_path / "copy")]) == 0
    shown = json.loads(capsys.readouterr().out)["evidence"]
    assert shown["sha256"] == path.name and shown["records"][0]["run_id"] == "H-1"
    assert (tmp_path / "copy").read_bytes() == path.read_bytes()
    attempt = desk.place.path / "evidence" / "R-1" / "SL" / "precheck"
    attempt.mkdir(parents=True)
    (attempt / "out.json").write_bytes(b"{}")
    listed = json.dumps({"out.json": hashlib.sha256(b"{}").hexdigest()}).encode()
    (attempt / "evidence.json").write_bytes(listed)
    with desk.open() as session:
        add(session, kind="step", subject_id=SYSTEM, evidence=(hashlib.sha256(listed).hexdigest(),))
        assert find_evidence(session, hashlib.sha256(b"{}").hexdigest()).path == attempt / "out.json"
        assert find_evidence(session, hashlib.sha256(listed).hexdigest()).path == attempt / "evidence.json"


def test_changed_evidence_is_not_handed_out(desk: Desk, tmp_path: Path) -> None:
    path = keep(desk, b"as it was")
    path.write_bytes(b"as it is now")
    at = ["-w", str(desk.place.path), "audit", "evidence"]
    assert run([*at, path.name, "-o", str(tmp_path / "copy")]) == 5
    assert not (tmp_path / "copy").exists()
    path.unlink()
    assert run([*at, path.name]) == 1, "a record names it, the file is gone"
    for wrong in ("0" * 64, "../etc/passwd", "12", "0" * 12):
        assert run([*at, wrong]) == 2
    with desk.open() as session, pytest.raises(UsageError):
        find_evidence(session, "%" * 12)


def test_a_takeover_is_told_in_the_words_of_its_checklist(desk: Desk) -> None:
    with desk.open() as session:
        titles = record_titles(session)
        told = [
            ("accept", {"items": {"design": "0" * 64, "backup": "1" * 64}}, "接收 备份策略、设计文件", "Accepted Backup policy, Design documents"),
            ("prove", {"proof": "keys", "hosts": [{"host": "oa-01", "ok": None}]}, "验证登录密钥：oa-01 未能查看", "SSH keys: oa-01 not looked at"),
            ("evidence", {"item": "sla", "not_applicable": True, "note": "未约定"}, "（不适用）：未约定", "(does not apply): 未约定"),
        ]  # fmt: skip
        for step, body, _, _ in told:
            phase = "result" if step == "prove" else "event"
            add(session, kind="handover", subject_id=SYSTEM, run_id="H-1", step=step, phase=phase, body=body)
        records = read_timeline(session, Wanted(takeover="H-1")).records
    for record, (_, _, zh, en) in zip(records, told, strict=True):
        assert zh in tell(record, titles).zh and en in tell(record, titles).en
