"""What `run status` says: where each system is, why it waits, and the command that ends the wait, in both languages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from run_desk import SYSTEM, Desk, make_desk

from govcloud.model.run import Wait, WaitKind
from govcloud.model.text import LANGS, Text
from govcloud.report.text import render_text
from govcloud.store import run as run_store
from govcloud.workflow import run_gates, run_orders
from govcloud.workflow.run_journal import StoreJournal
from govcloud.workflow.run_status import goes_on, run_overview


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return make_desk(tmp_path / "w")


def approve(desk: Desk, run_id: str, actor: str = "li", **more: bool) -> None:
    with desk.open(actor) as session:
        run_gates.answer_gates(session, run_id, reason="示例", **more)
    desk.work(run_id)


def to_trial(desk: Desk) -> str:
    run_id = desk.start()
    approve(desk, run_id)
    approve(desk, run_id)
    return run_id


def shown(desk: Desk, run_id: str, capsys: pytest.CaptureFixture[str], lang: str = "zh") -> str:
    capsys.readouterr()
    assert desk.cli("status", run_id, lang=lang) == 0
    return capsys.readouterr().out


def document(desk: Desk, run_id: str, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert desk.cli("status", run_id, output="json") == 0
    found: dict[str, dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_every_attempt_with_times_results_and_evidence(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.facts = {"level": "L2", "files": 7}
    desk.results = lambda _s, step, phase, _n: "failed" if (step, phase) == ("verify_service", "apply") else "ok"
    run_id = to_trial(desk)
    zh, en = shown(desk, run_id, capsys), shown(desk, run_id, capsys, "en")
    assert "已回退" in zh and "源系统已恢复服务" in zh and "示例原因" in zh and "停机" in zh
    assert "rolled back" in en and "the source serves again" in en and "an example reason" in en
    assert "li" in zh and "批准" in zh and "L2" in zh and "7 个文件" in zh
    found = document(desk, run_id, capsys)
    assert found["run"]["status"] == "rolled_back" and found["run"]["totals"] == {"rolled_back": 1}
    attempts = found["attempts"]["attempts"]
    assert isinstance(attempts, list) and [a["status"] for a in attempts].count("failed") == 1
    assert [r["actor"] for r in found["approvals"]["rows"]] == ["li", "li"]  # type: ignore[attr-defined]


def test_downtime_and_level_are_printed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.facts = {"level": "L3"}
    run_id = to_trial(desk)
    zh = shown(desk, run_id, capsys)
    assert "5 分 00 秒" in zh, "freeze, final_sync, verify_data, cutover, verify_service: a minute each"
    assert "最长停机" in zh and "L3" in zh and "试运行" in zh
    with desk.open() as session:
        run_orders.accept(session, run_id, reason="验收会议纪要")
    assert "已验收" in shown(desk, run_id, capsys) and "验收会议纪要" in shown(desk, run_id, capsys)


def test_a_failed_system_says_that_nothing_was_touched(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.results = lambda _s, step, _p, _n: "failed" if step == "precheck" else "ok"
    run_id = desk.start()
    assert "源系统未被改动" in shown(desk, run_id, capsys)
    assert "was not touched" in shown(desk, run_id, capsys, "en")
    assert "未成功 1" in shown(desk, run_id, capsys)


def test_all_runs_are_listed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    first = to_trial(desk)
    with desk.open() as session:
        run_orders.accept(session, first)
    second = desk.start()
    capsys.readouterr()
    assert desk.cli("status", "--all") == 0
    out = capsys.readouterr().out
    assert first in out and second in out and "已验收 1" in out and "等待 1" in out


def test_an_emergency_is_named_until_it_was_reviewed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = desk.start()
    approve(desk, run_id)
    approve(desk, run_id, "chen", emergency=True)
    assert "还须另一人" in shown(desk, run_id, capsys) and "紧急批准" in shown(desk, run_id, capsys)
    approve(desk, run_id, "wu", emergency=True)
    assert "待第三人复核" in shown(desk, run_id, capsys)
    desk.now += timedelta(days=10)
    with desk.open() as session:
        from govcloud.report.run import build_run_view

        notes = [n.en for n in build_run_view(run_overview(session, run_id)).notes]
    assert any("overdue" in n for n in notes)
    with desk.open("qian") as session:
        run_orders.review(session, run_id, reason="处置得当")
    assert "待第三人复核" not in shown(desk, run_id, capsys) and "处置得当" in shown(desk, run_id, capsys)


def window(desk: Desk, run_id: str) -> None:
    with desk.open() as session, session.store.begin() as tx:
        row = desk.row(run_id)
        run_store.update_run_system(
            tx,
            replace(row, opens_at=desk.now + timedelta(days=1), closes_at=desk.now + timedelta(days=1, hours=4)),
            leg=row.leg,
        )
    approve(desk, run_id)
    approve(desk, run_id)


def after(desk: Desk, run_id: str, state: str) -> None:
    with desk.open() as session, session.store.begin() as tx:
        row = desk.row(run_id)
        other = replace(row, system_id="SL-OA-99", position=2, state="failed" if state == "failed" else "waiting")
        tx.execute(run_store.schema.run_system.insert().values(**run_store._values(other)))
        if state != "failed":
            run_store.update_run_system(tx, replace(row, after=("SL-OA-99",)), leg=row.leg)
    approve(desk, run_id)
    approve(desk, run_id)


def dispatcher_says(kind: WaitKind) -> Callable[[Desk, str], None]:
    def say(desk: Desk, run_id: str) -> None:
        with desk.open() as session:
            row = desk.row(run_id)
            text = Text("{k} 已满", "{k} is full").format(k=kind)
            assert StoreJournal(session, "m/x").enter(row, "waiting", wait=Wait(kind=kind, text=text, since=desk.now))

    return say


def lacking(kind: str) -> Callable[[Desk, str], None]:
    def lack(desk: Desk, run_id: str) -> None:
        desk.facts = {"wait": kind}
        desk.results = lambda _s, step, _p, _n: "failed" if step == "prepare" else "ok"
        approve(desk, run_id)

    return lack


def unclear(how: str) -> Callable[[Desk, str], None]:
    def make(desk: Desk, run_id: str) -> None:
        desk.results = lambda _s, step, phase, _n: (
            {"apply": how, "verify": "failed"}[phase] if step == "replicate" else "ok"
        )
        if how == "unreachable":
            desk.results = lambda _s, step, _phase, _n: how if step == "replicate" else "ok"
        approve(desk, run_id)

    return make


def accepted(desk: Desk, run_id: str) -> None:
    approve(desk, run_id)
    approve(desk, run_id)
    with desk.open() as session:
        run_orders.accept(session, run_id)


def held(desk: Desk, run_id: str) -> None:
    with desk.open() as session:
        run_orders.hold(session, run_id)


WAITS: dict[WaitKind, tuple[Callable[[Desk, str], None], str, str]] = {
    "approval": (lambda *_: None, "run approve", "run approve"),
    "window": (window, "自动继续", "by itself"),
    "quota": (lacking("quota"), "run resume", "run resume"),
    "slot": (dispatcher_says("slot"), "已满", "full"),
    "zone": (dispatcher_says("zone"), "已满", "full"),
    "predecessor": (lambda d, r: after(d, r, "waiting"), "SL-OA-99", "SL-OA-99"),
    "wave_stop": (lambda d, r: after(d, r, "failed"), "run resume", "run resume"),
    "order": (held, "run resume", "run resume"),
    "outcome": (unclear("unknown"), "run decide", "run decide"),
    "retention": (accepted, "停用须另行下令", "needs an order"),
    "host_key": (lacking("host_key"), "run trust", "run trust"),
    "ticket": (lacking("ticket"), "run answer", "run answer"),
    "unreachable": (unclear("unreachable"), "再试", "tried again"),
}
"""Every reason to wait: how it comes about, and what must be said."""


def test_every_reason_to_wait_has_its_case() -> None:
    assert set(WAITS) == set(get_args(WaitKind))


@pytest.mark.parametrize("kind", WAITS)
def test_every_wait_says_what_ends_it(desk: Desk, kind: WaitKind, capsys: pytest.CaptureFixture[str]) -> None:
    make, zh, en = WAITS[kind]
    run_id = desk.start()
    make(desk, run_id)
    row = desk.row(run_id)
    assert row.wait is not None and row.wait.kind == kind
    assert zh in row.wait.text.zh and en in row.wait.text.en
    with desk.open() as session:
        views = run_overview(session, run_id)
    from govcloud.report.run import build_run_views

    for lang in LANGS:
        assert row.wait.text.to(lang)[:20] in render_text(build_run_views(views), lang).replace("\n", "")
    found = document(desk, run_id, capsys)["run"]["systems"]
    assert isinstance(found, list) and found[0]["wait"]["kind"] == kind


def test_nobody_at_work_is_said_instead_of_waiting_for_ever(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = desk.start()
    with desk.open("li") as session:
        run_gates.answer_gates(session, run_id)
    assert "没有在线的执行进程" in shown(desk, run_id, capsys)
    with desk.open() as session:
        assert not goes_on(run_overview(session, run_id))
    assert desk.cli("status", run_id, "--follow") == 0, "it does not wait for what nobody does"


def follow(desk: Desk, run_id: str, output: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "govcloud", "-w", str(desk.place.path), "--lang", "en", "--format", output]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen([*argv, "run", "status", run_id, "--follow"], stdout=subprocess.PIPE, text=True, env=env)


@pytest.mark.parametrize("output", ["table", "json"])
def test_follow_prints_each_change_and_ends_when_all_wait(desk: Desk, output: str) -> None:
    """A real process beside the one that works; the steps here take their time."""
    from datetime import UTC, datetime

    from govcloud.model.attempt import Worker

    desk.now = datetime.now(UTC)
    run_id = desk.start()
    with desk.open("li") as session:
        run_gates.answer_gates(session, run_id)
        StoreJournal(session, "m1/cli").see_worker(
            Worker(worker_id="m1/cli", machine_id="m1", host="h", pid=1, zones=(), seen_at=datetime.now(UTC))
        )
    seen = threading.Event()

    def slowly(_s: str, step: str, _p: str, _n: int) -> str:
        if step == "prepare":
            seen.wait(20)
            time.sleep(1.5)
        return "ok"

    desk.results = slowly
    with follow(desk, run_id, output) as process:
        assert process.stdout is not None
        lines: list[str] = []
        working = threading.Thread(target=desk.work, args=(run_id,))
        working.start()
        for line in process.stdout:
            lines.append(line.rstrip())
            if len(lines) == 1:
                seen.set()
        working.join()
    assert process.returncode == 0
    if output == "json":
        documents = [json.loads(line) for line in lines]
        assert len(documents) >= 2 and documents[-1]["run"]["systems"][0]["wait"]["step"] == "freeze"
    else:
        assert "Run" in lines[0] and f"{SYSTEM} waiting" in lines[-1] and "run approve" in lines[-1]


def test_figures_that_the_office_has_measured_are_those_that_a_run_asks_for(desk: Desk) -> None:
    """The planner reckons with them as well: a night that the plan keeps must not be refused when it comes."""
    run_id = desk.start()
    with desk.open() as session:
        before = run_overview(session, run_id).systems[0].needed_min
    settings = desk.place.path / "govcloud.yaml"
    stated = "\nsteps:\n  cutover: {minutes: 9, undo_minutes: 4}\n"
    settings.write_text(settings.read_text("utf-8").replace("\nsteps:\n", stated), "utf-8")
    with desk.open() as session:
        after = run_overview(session, run_id).systems[0].needed_min
    assert before is not None and after == before + 7 + 3
