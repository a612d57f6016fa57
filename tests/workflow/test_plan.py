"""From a workspace to a stored plan: the command line, the ledger and the reports see the same plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from govcloud.cli.main import run
from govcloud.errors import IntegrityError, UsageError
from govcloud.model.inventory import Dependency, Inventory, Merged, System
from govcloud.model.ledger import LedgerRecord
from govcloud.settings import open_workspace
from govcloud.store import entities
from govcloud.store import ledger as ledger_store
from govcloud.workflow import plan as workflow
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

NOW = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)
"""2026-11-22 01:30 in Shanxi: a Sunday there, still Saturday in UTC."""
QUICK = workflow.PlanOrder(limit_s=3)


def estate() -> Inventory:
    def one(system_id: str, name: str, **fields: object) -> System:
        return System(
            system_id=system_id, name=name, department="示例交通厅", lifecycle="operating", hosting="own_room",
            **({"classified": False, "criticality": "general", "mlps_level": 2, "data_gib": 50.0} | fields),  # type: ignore[arg-type]
        )  # fmt: skip

    systems = (
        one("SL-JT-09", "公路养护管理系统"), one("SL-OA-01", "协同办公系统", criticality="important"),
        one("SL-SJ-05", "数据交换前置系统"), one("SL-SM-08", "涉密公文系统", classified=True),
        one("SL-TJ-06", "统计报送系统"), one("SL-XF-02", "信访件管理系统"),
    )  # fmt: skip
    links = [("SL-JT-09", "SL-OA-01", "weak"), ("SL-SJ-05", "SL-TJ-06", "strong"), ("SL-TJ-06", "SL-SJ-05", "strong")]
    return Inventory(
        systems=systems,
        dependencies=tuple(
            Dependency(dependency_id=f"D{n}", source_id=a, target_id=b, strength=s)  # type: ignore[arg-type]
            for n, (a, b, s) in enumerate(links)
        ),
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    init_workspace(tmp_path / "ws", "shanxi", actor="张三")
    return tmp_path / "ws"


@pytest.fixture
def at_work(workspace: Path) -> Callable[[Inventory | None], Session]:
    def enter(inventory: Inventory | None = None) -> Session:
        context = open_session(open_workspace(workspace), actor="张三", now=lambda: NOW)
        session = context.__enter__()
        opened.append(context)
        if inventory is not None:
            with session.store.begin() as tx:
                entities.replace_inventory(tx, Merged(inventory=inventory), ())
        return session

    opened: list[object] = []
    yield enter  # type: ignore[misc]
    for context in opened:
        context.__exit__(None, None, None)  # type: ignore[attr-defined]


Enter = Callable[..., Session]


def last_record(session: Session) -> LedgerRecord:
    with session.store.read() as tx:
        return ledger_store.records(tx)[-1]


def test_a_plan_is_stored_with_its_ledger_record_and_read_back_unchanged(at_work: Enter) -> None:
    session = at_work(estate())
    made = workflow.build_plan(session, QUICK)
    assert workflow.latest_plan(session) == made == workflow.load_plan(session, made.plan_id)
    record = json.loads(last_record(session).canonical)
    assert (record["kind"], record["plan_hash"], record["subject_id"]) == ("plan", made.plan_hash, made.plan_id)
    assert record["body"]["status"] == "optimal" and record["body"]["systems"] == 5


def test_today_is_the_day_in_the_workspace_not_in_utc(at_work: Enter) -> None:
    assert workflow.build_plan(at_work(estate()), QUICK).problem.starts_on == date(2026, 11, 22)


def test_published_holidays_close_windows_and_unpublished_years_are_provisional(at_work: Enter) -> None:
    session = at_work(estate())
    autumn = workflow.build_plan(session, replace(QUICK, starts_on=date(2026, 9, 7), weeks=6))
    days = {w.window.opens_on.isoformat() for w in autumn.waves}
    assert not days & {"2026-09-26", "2026-10-03"}, "Mid-autumn and National Day"
    spring = workflow.build_plan(session, replace(QUICK, starts_on=date(2027, 2, 21), weeks=6))
    assert all(w.window.provisional for w in spring.waves)


def test_verify_tells_an_altered_plan_and_a_changed_inventory(at_work: Enter) -> None:
    session = at_work(estate())
    made = workflow.build_plan(session, QUICK)
    assert workflow.verify_plan(session)[1:] == ([], [])
    systems = tuple(replace(s, classified=True) if s.system_id == "SL-XF-02" else s for s in estate().systems)
    with session.store.begin() as tx:
        entities.replace_inventory(tx, Merged(inventory=replace(estate(), systems=systems)), ())
    _, violations, changes = workflow.verify_plan(session)
    assert violations == [] and [c.en for c in changes] == [
        "SL-XF-02 is not to move any more",
        "The dependencies have changed",
    ]
    with session.store.begin() as tx:
        tx.execute(text("UPDATE plan SET body = replace(body, '一组', '三组')"))
    with pytest.raises(IntegrityError):
        workflow.verify_plan(session, made.plan_id)


def test_without_inventory_or_plan_the_next_step_is_said(at_work: Enter) -> None:
    session = at_work()
    for act, words in ((lambda: workflow.build_plan(session), "govcloud import"),
                       (lambda: workflow.load_plan(session), "govcloud plan build")):  # fmt: skip
        with pytest.raises(UsageError) as caught:
            act()
        assert words in caught.value.message("en")


def test_the_commands_show_explain_and_verify_the_plan_just_built(
    at_work: Enter, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at_work(estate())
    asked = ["-w", str(workspace), "--lang", "zh"]
    assert run([*asked, "plan", "build", "--starts-on", "2026-11-22", "--limit", "3"]) == 0
    built = capsys.readouterr().out
    assert "已证明最优" in built and "涉密系统，不得迁入政务云" in built
    assert run([*asked, "plan", "show", "--inputs"]) == 0
    assert "排期依据" in capsys.readouterr().out
    assert run([*asked, "plan", "show", "--wave", "99"]) == 2
    assert run([*asked, "plan", "explain", "SL-SM-08"]) == 0
    assert "不在计划中：涉密系统" in capsys.readouterr().out
    assert run([*asked, "plan", "explain", "NOBODY"]) == 2
    assert run([*asked, "--format", "json", "plan", "verify"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["violations"]["rows"] == []


def test_an_impossible_plan_exits_1_with_conflict_and_the_possible_part(
    at_work: Enter, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = workspace / "govcloud.yaml"
    settings.write_text(
        settings.read_text("utf-8") + "  durations:\n    SL-OA-01: {cutover_min: 660, reserve_min: 60}\n", "utf-8"
    )
    at_work(estate())
    asked = ["-w", str(workspace), "--lang", "en", "--format", "json", "plan", "build", "--limit", "3"]
    assert run(asked) == 1
    shown = json.loads(capsys.readouterr().out)
    assert [r["system_id"] for r in shown["unplaced"]["rows"]] == ["SL-OA-01"]
    assert {(m["kind"], m["subject"]) for m in shown["conflict"]["members"]} == {
        ("place", "SL-OA-01"),
        ("window_length", ""),
    }
    assert shown["waves"]["systems"] == 4 and shown["waves"]["status"] == "infeasible"


def test_a_mistake_in_the_settings_is_bad_input(
    at_work: Enter, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = workspace / "govcloud.yaml"
    settings.write_text(settings.read_text("utf-8").replace("  pilots: []", "  pilot: []"), "utf-8")
    at_work(estate())
    assert run(["-w", str(workspace), "--lang", "en", "plan", "build"]) == 3
    assert "planning.pilot" in capsys.readouterr().err


def test_an_office_that_names_no_regulations_can_plan(workspace: Path, at_work: Enter) -> None:
    settings = workspace / "govcloud.yaml"
    lines = settings.read_text("utf-8").splitlines()
    assert any(line.startswith("jurisdiction:") for line in lines)
    settings.write_text(
        "\n".join("jurisdiction: []" if line.startswith("jurisdiction:") else line for line in lines), "utf-8"
    )
    assert workflow.build_plan(at_work(estate()), QUICK).waves
