"""What people fix stays fixed, edited sheets come back, next week's change moves little, and a trial is never run."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from govcloud.cli.main import run
from govcloud.errors import InputError, UsageError
from govcloud.model.inventory import Dependency, Inventory, Merged, System
from govcloud.model.plan_pin import PlanEdit
from govcloud.settings import open_workspace
from govcloud.store import entities
from govcloud.store import ledger as ledger_store
from govcloud.workflow import plan as workflow
from govcloud.workflow import plan_files, plan_pins
from govcloud.workflow.init import init_workspace
from govcloud.workflow.run import register_run
from govcloud.workflow.session import Session, open_session

SECONDS = itertools.count()


def clock() -> datetime:
    """No two plans are made at the same moment."""
    return datetime(2026, 11, 22, 2, tzinfo=UTC) + timedelta(seconds=next(SECONDS))


QUICK = workflow.PlanOrder(limit_s=0.5, starts_on=date(2026, 11, 23))


def estate(count: int = 8, **changed: object) -> Inventory:
    """SL-1 … with one strongly bound pair (SL-1 and SL-2) and a weak link; `changed` goes into SL-5."""
    systems = tuple(
        System(
            system_id=f"SL-{n}", name=f"示例系统{n}", department="示例交通厅", lifecycle="operating", hosting="own_room",
            **({"classified": False, "criticality": "general", "mlps_level": 2, "data_gib": 50.0} | (changed if n == 5 else {})),  # type: ignore[arg-type]
        )
        for n in range(1, count + 1)
    )  # fmt: skip
    links = (("SL-1", "SL-2", "strong"), ("SL-2", "SL-1", "strong"), ("SL-4", "SL-3", "weak"))
    return Inventory(systems=systems, dependencies=tuple(
        Dependency(dependency_id=f"D{n}", source_id=a, target_id=b, strength=s)  # type: ignore[arg-type]
        for n, (a, b, s) in enumerate(links)
    ))  # fmt: skip


Enter = Callable[..., Session]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    init_workspace(tmp_path / "ws", "shanxi", actor="张三")
    return tmp_path / "ws"


@pytest.fixture
def at_work(workspace: Path) -> Iterator[Enter]:
    with ExitStack() as stack:
        session = stack.enter_context(open_session(open_workspace(workspace), actor="张三", now=clock))

        def enter(inventory: Inventory) -> Session:
            with session.store.begin() as tx:
                entities.replace_inventory(tx, Merged(inventory=inventory), ())
            return session

        yield enter


def where(plan: workflow.MigrationPlan) -> dict[str, date]:
    return {m.system_id: w.window.opens_on for w in plan.waves for m in w.moves}


def test_a_pinned_group_stays_in_its_window_and_both_pin_and_withdrawal_are_recorded(at_work: Enter) -> None:
    session = at_work(estate())
    last = workflow.build_plan(session, QUICK).problem.windows[-1].opens_on
    plan_pins.add_pins(session, [PlanEdit(system_id="SL-2", row="", opens_on=last)], "与上级部门商定")
    pinned = where(workflow.build_plan(session, QUICK))
    assert pinned["SL-2"] == pinned["SL-1"] == last
    plan_pins.withdraw_pins(session, ["SL-2"], "上级部门同意提前")
    assert where(workflow.build_plan(session, QUICK))["SL-2"] < last
    with session.store.read() as tx:
        kinds = [json.loads(r.canonical)["kind"] for r in ledger_store.records(tx)]
    assert kinds.count("plan_pin") == 2


def test_a_system_left_out_is_listed_with_the_reason_and_the_person(at_work: Enter) -> None:
    session = at_work(estate())
    plan_pins.add_pins(session, [PlanEdit(system_id="SL-5", row="", opens_on=None)], "合同未到期")
    made = workflow.build_plan(session, QUICK)
    assert "SL-5" not in where(made)
    reason = next(e.reason for e in made.problem.excluded if e.system_id == "SL-5")
    assert "合同未到期" in reason.zh and "张三" in reason.en


@pytest.mark.parametrize(("system_id", "reason"), [("NOBODY", "理由"), ("SL-1", "  ")])
def test_a_pin_needs_a_known_system_and_a_reason(at_work: Enter, system_id: str, reason: str) -> None:
    with pytest.raises(UsageError) as told:
        plan_pins.add_pins(
            at_work(estate()), [PlanEdit(system_id=system_id, row="", opens_on=date(2027, 1, 9))], reason
        )
    assert told.value.next_step is not None


def test_after_a_change_to_one_system_the_others_keep_their_dates(at_work: Enter) -> None:
    session = at_work(estate())
    before = workflow.build_plan(session, QUICK)
    at_work(estate(data_gib=900.0))
    after = workflow.build_plan(session, replace(QUICK, previous_id=before.plan_id))
    moved = {s for s, day in where(after).items() if where(before)[s] != day}
    assert moved <= {"SL-5"} and after.previous_id == before.plan_id
    old, new, changes = workflow.diff_plans(session)
    assert (old.plan_id, new.plan_id) == (before.plan_id, after.plan_id)
    assert {c.subject_id for c in changes if c.kind in ("earlier", "later")} == moved


def test_a_week_later_work_that_has_begun_is_not_planned_again_and_cutovers_keep_their_windows(at_work: Enter) -> None:
    session = at_work(estate())
    before = workflow.build_plan(session, QUICK)
    later = date(2026, 11, 30)
    after = workflow.build_plan(session, replace(QUICK, starts_on=later, previous_id=before.plan_id))
    assert where(after) == where(before) and after.problem.done
    assert all(a.starts_on >= later for a in after.activities)
    begun = {a.job_id for a in before.activities if a.starts_on < later}
    assert not begun & {a.job_id for a in after.activities}
    again = workflow.build_plan(session, replace(QUICK, starts_on=later, previous_id=after.plan_id))
    assert where(again) == where(after)


def test_a_plan_made_from_one_that_starts_later_starts_then(at_work: Enter) -> None:
    """Otherwise a plan for the new year would move into December as soon as anybody replans it."""
    session = at_work(estate())
    before = workflow.build_plan(session, replace(QUICK, starts_on=date(2027, 1, 4)))
    after = workflow.build_plan(session, replace(QUICK, starts_on=None, previous_id=before.plan_id))
    assert after.problem.starts_on == date(2027, 1, 4) and where(after) == where(before)


def test_a_trial_is_compared_but_never_the_latest_plan_and_never_run(at_work: Enter) -> None:
    session = at_work(estate())
    real = workflow.build_plan(session, QUICK)
    trial = workflow.build_plan(session, replace(QUICK, overrides=("capacity.crews=1",)))
    assert len(trial.problem.crews) == 1 and len(real.problem.crews) == 2
    latest = workflow.latest_plan(session)
    assert latest is not None and latest.plan_id == real.plan_id
    with pytest.raises(UsageError, match="trial"):
        register_run(session, plan_id=trial.plan_id, wave=1)


def edit_sheet(path: Path, system_id: str, **cells: object) -> None:
    """In the row of the system, or in a new one below all others."""
    book = load_workbook(path)
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            titles = [str(c.value or "").split("/")[0].split("（")[0].strip() for c in row]
            if "系统编号" in titles:
                columns = {title: n + 1 for n, title in enumerate(titles)}
                rows = {sheet.cell(n, columns["系统编号"]).value: n for n in range(row[0].row + 1, sheet.max_row + 1)}
                number = rows.get(system_id, sheet.max_row + 1)
                for title, value in {"系统编号": system_id, **cells}.items():
                    sheet.cell(number, columns[title]).value = value
                book.save(path)
                return
    raise AssertionError("no plan in the sheet")


@pytest.fixture
def planned(at_work: Enter, tmp_path: Path) -> tuple[Session, workflow.MigrationPlan, Path]:
    """A plan of an estate in which one system is classified, one retires and one is left out by hand, and its sheet."""
    extra = [
        replace(estate().systems[0], system_id="SL-SM", classified=True),
        replace(estate().systems[0], system_id="SL-XX", disposition="retire"),
        replace(estate().systems[0], system_id="SL-OUT"),
    ]
    session = at_work(replace(estate(), systems=(*estate().systems, *extra)))
    plan_pins.add_pins(session, [PlanEdit(system_id="SL-OUT", row="", opens_on=None)], "合同未到期")
    plan = workflow.build_plan(session, replace(QUICK, overrides=("capacity.systems_per_window=2",)))
    return session, plan, plan_files.export_plan(session, tmp_path / "计划.xlsx", plan.plan_id)


Planned = tuple[Session, workflow.MigrationPlan, Path]


def test_what_counts_when_day_and_wave_of_a_row_are_changed(planned: Planned) -> None:
    """Whoever changes only one of two cells that say the same must not have the other one win."""
    session, plan, sheet = planned
    first, last = plan.waves[0], plan.waves[-1]
    assert first.number != last.number
    system_id, was_on = first.moves[0].system_id, first.window.opens_on
    free = plan.problem.windows[-1].opens_on
    for cells, expected in (
        ({"批次": last.number}, last.window.opens_on),
        ({"批次": last.number, "窗口日期": free}, free),
        ({"批次": last.number, "窗口日期": None}, last.window.opens_on),
        ({"批次": None, "窗口日期": free}, free),
        ({"批次": None, "窗口日期": None}, None),
        ({"批次": first.number, "窗口日期": None}, "as it was"),
        ({"批次": None, "窗口日期": was_on}, "as it was"),
    ):
        edit_sheet(sheet, system_id, **cells)
        edits = plan_files.read_edits(session, sheet, plan.plan_id).edits
        assert [e.opens_on for e in edits] == ([] if expected == "as it was" else [expected]), cells


@pytest.mark.parametrize(
    ("system_id", "zh", "en"),
    [("SL-SM", "涉密系统", "Classified"), ("SL-OUT", "合同未到期", "govcloud plan unpin SL-OUT"), ("SL-XX", "下线", "it retires")],
)  # fmt: skip
def test_a_day_for_a_system_that_is_not_planned_is_refused_with_the_reason(
    planned: Planned, system_id: str, zh: str, en: str
) -> None:
    session, plan, sheet = planned
    edit_sheet(sheet, system_id, 窗口日期=plan.problem.windows[-1].opens_on)
    with pytest.raises(InputError) as told:
        plan_files.read_edits(session, sheet, plan.plan_id)
    assert zh in told.value.message("zh") and en in told.value.message("en")
    assert "计划.xlsx!" in told.value.message("en")


def test_rows_without_a_day_change_nothing_for_a_system_the_plan_knows_and_are_refused_for_others(
    planned: Planned,
) -> None:
    session, plan, sheet = planned
    for known in ("SL-SM", "SL-XX"):
        edit_sheet(sheet, known)
    assert plan_files.read_edits(session, sheet, plan.plan_id).edits == ()
    edit_sheet(sheet, "SL-NEW")
    with pytest.raises(InputError, match="its row has no date"):
        plan_files.read_edits(session, sheet, plan.plan_id)


def test_an_edited_sheet_becomes_pins_and_the_plan_is_made_again(at_work: Enter, tmp_path: Path) -> None:
    session = at_work(estate())
    plan = workflow.build_plan(session, QUICK)
    sheet = plan_files.export_plan(session, tmp_path / "计划.xlsx")
    assert plan_files.read_edits(session, sheet).edits == (), "a sheet that nobody edited changes nothing"
    target = next(w.opens_on for w in plan.problem.windows if w.opens_on > max(where(plan).values()))
    edit_sheet(sheet, "SL-5", 窗口日期=target)
    edited = plan_files.read_edits(session, sheet)
    assert [(e.system_id, e.opens_on) for e in edited.edits] == [("SL-5", target)] and edited.violations == ()
    plan_pins.add_pins(session, edited.edits, "按会议纪要")
    assert where(workflow.build_plan(session, QUICK))["SL-5"] == target


def test_an_edit_that_parts_a_group_is_told_before_anything_is_kept(at_work: Enter, tmp_path: Path) -> None:
    session = at_work(estate())
    plan = workflow.build_plan(session, QUICK)
    sheet = plan_files.export_plan(session, tmp_path / "计划.xlsx")
    far = next(w.opens_on for w in plan.problem.windows if w.opens_on > max(where(plan).values()))
    edit_sheet(sheet, "SL-1", 窗口日期=far)
    assert "group" in {v.code for v in plan_files.read_edits(session, sheet).violations}


def test_a_day_without_a_window_names_the_row(at_work: Enter, tmp_path: Path) -> None:
    session = at_work(estate())
    workflow.build_plan(session, QUICK)
    sheet = plan_files.export_plan(session, tmp_path / "计划.xlsx")
    edit_sheet(sheet, "SL-5", 窗口日期=date(2026, 12, 9))
    with pytest.raises(InputError) as told:
        plan_files.read_edits(session, sheet)
    assert "2026-12-09" in told.value.message("zh") and "计划.xlsx!" in told.value.message("zh")


@pytest.mark.parametrize("ending", [".xlsx", ".csv", ".json", ".html", ".ics", ".md"])
def test_every_kind_of_file_is_written(at_work: Enter, tmp_path: Path, ending: str) -> None:
    session = at_work(estate())
    workflow.build_plan(session, QUICK)
    assert plan_files.export_plan(session, tmp_path / f"计划{ending}").stat().st_size > 300


def test_the_commands_pin_try_compare_and_import(
    at_work: Enter, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at_work(estate())
    asked = ["-w", str(workspace), "--lang", "zh", "plan"]
    quick = ["--limit", "0.5", "--starts-on", "2026-11-23"]
    assert run([*asked, "build", *quick]) == 0
    assert run([*asked, "build", *quick, "--set", "capacity.crews=3"]) == 0
    assert run([*asked, "build", "--set", "crews"]) == 2
    assert run([*asked, "pin", "SL-5", "--on", "2027-01-09", "--reason", "示例会议纪要"]) == 0
    assert run([*asked, "pin", "SL-5", "--reason", "示例"]) == 2
    assert run([*asked, "build", *quick, "--from", "latest"]) == 0
    capsys.readouterr()
    assert run([*asked, "pins"]) == 0 and "2027-01-09" in capsys.readouterr().out
    assert run([*asked, "diff"]) == 0 and "SL-5" in capsys.readouterr().out
    for part in ("calendar", "jobs", "networks", "goals", "load", "groups", "risks"):
        assert run([*asked, "show", "--part", part]) == 0
    assert run([*asked, "explain", "SL-5"]) == 0
    assert "固定" in capsys.readouterr().out
    sheet = tmp_path / "计划.xlsx"
    assert run([*asked, "export", "-o", str(sheet)]) == 0
    edit_sheet(sheet, "SL-6", 窗口日期=date(2027, 1, 16))
    assert run([*asked, "import", str(sheet), "--preview"]) == 0
    assert run([*asked, "import", str(sheet)]) == 2, "without a reason"
    assert run([*asked, "import", str(sheet), "--reason", "示例会议纪要", "--limit", "0.5"]) == 0
    capsys.readouterr()
    assert run([*asked, "pins"]) == 0 and "2027-01-16" in capsys.readouterr().out
    assert run([*asked, "unpin", "SL-5", "SL-6", "--reason", "会议改期"]) == 0
