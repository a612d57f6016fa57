"""What has been carried out and what is approved stays where it is when the plan is made again, without anybody's pin."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))

from sample_spec import GOOD

from govcloud.model.attempt import Attempt, AttemptKey, StepResult
from govcloud.model.gate import Answer, Gate
from govcloud.model.inventory import Inventory, Merged, System
from govcloud.model.migration import MigrationSpec
from govcloud.model.plan import MigrationPlan
from govcloud.model.plan_pin import PlanEdit
from govcloud.model.plan_problem import Pin
from govcloud.model.run import ENDED, MOVED, Run, RunSystem, SystemState
from govcloud.settings import open_workspace
from govcloud.store import attempt as attempt_store
from govcloud.store import entities
from govcloud.store import gate as gate_store
from govcloud.store import run as run_store
from govcloud.workflow import plan as workflow
from govcloud.workflow import plan_pins
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

SECONDS = itertools.count()
TODAY = date(2026, 11, 22)
QUICK = workflow.PlanOrder(limit_s=0.5)
EARLIER = replace(QUICK, starts_on=date(2026, 10, 9))
"""Its first windows are past by now."""


def clock() -> datetime:
    """No two plans are made at the same moment."""
    return datetime(2026, 11, 22, 2, tzinfo=UTC) + timedelta(seconds=next(SECONDS))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    init_workspace(tmp_path / "ws", "shanxi", actor="张三")
    with open_session(open_workspace(tmp_path / "ws"), actor="张三", now=clock) as opened:
        store(opened, "own_room")
        yield opened


def store(session: Session, hosting: str) -> None:
    """Four systems; `hosting` is that of SL-1."""
    systems = tuple(
        System(
            system_id=f"SL-{n}", name=f"示例系统{n}", department="示例交通厅", lifecycle="operating", classified=False,
            criticality="general", mlps_level=2, data_gib=50.0, hosting=hosting if n == 1 else "own_room",  # type: ignore[arg-type]
        )
        for n in range(1, 5)
    )  # fmt: skip
    with session.store.begin() as tx:
        entities.replace_inventory(tx, Merged(inventory=Inventory(systems=systems)), ())


def add_run(
    session: Session, plan: MigrationPlan, *, state: SystemState = "waiting", approved: bool | None = True
) -> Run:  # fmt: skip
    """A run of SL-1 by the plan; `approved` None: nobody has answered."""
    spec = msgspec.convert(GOOD | {"system_id": "SL-1"}, MigrationSpec)
    run = Run(
        run_id=f"r-{next(SECONDS)}", systems=("SL-1",), scope={}, scope_hash="0" * 64, plan_id=plan.plan_id, wave=1,
        created_at=session.now(), created_by="张三",
    )  # fmt: skip
    row = RunSystem(
        run_id=run.run_id,
        system_id="SL-1",
        position=1,
        spec=spec,
        scope_hash="0" * 64,
        state=state,
        since=session.now(),
    )
    gate = Gate(
        gate_id=f"{run.run_id}/SL-1/freeze/1", run_id=run.run_id, system_id="SL-1", step="freeze", kind="window",
        scope_hash="0" * 64, opened_at=session.now(),
    )  # fmt: skip
    with session.store.begin() as tx:
        run_store.add_run(tx, run, [row])
        gate_store.open_gate(tx, gate)
        if approved is not None:
            at = session.now()
            gate_store.add_answer(
                tx,
                Answer(
                    gate_id=gate.gate_id, actor="李四", at=at, granted=approved, expires_at=at + timedelta(hours=72)
                ),
            )
    return run


def cut_over(session: Session, run: Run, at: datetime) -> None:
    claimed = Attempt(
        key=AttemptKey(run_id=run.run_id, system_id="SL-1", step="cutover", phase="apply", number=1), token=1,
        executor="示例", machine_id="示例", state="intended", claimed_at=session.now(), heartbeat_at=session.now(),
    )  # fmt: skip
    with session.store.begin() as tx:
        attempt_store.add_attempt(tx, claimed)
        assert attempt_store.finish(tx, claimed, StepResult(status="ok", finished_at=at))


def where(plan: MigrationPlan) -> dict[str, date]:
    return {m.system_id: w.window.opens_on for w in plan.waves for m in w.moves}


def pins(plan: MigrationPlan) -> list[tuple[str, str, date]]:
    return [(p.group_id, p.source, p.opens_on) for p in plan.problem.pins]


def notes_on(plan: MigrationPlan, run: Run) -> list[str]:
    """What the plan says of the run, in English; said in Chinese as well."""
    found = [n for n in plan.problem.notes if run.run_id in n.en]
    assert all(run.run_id in n.zh for n in found)
    return [n.en for n in found]


def test_a_cutover_that_a_run_has_carried_out_is_over_and_only_what_follows_is_planned(session: Session) -> None:
    """It ended after midnight: what counts is the window, which opened the evening before."""
    before = workflow.build_plan(session, EARLIER)
    wave = next(w for w in before.waves if any(m.system_id == "SL-1" for m in w.moves))
    assert wave.window.opens_on < TODAY
    run = add_run(session, before, state="trial")
    cut_over(session, run, wave.window.starts_at + timedelta(hours=3))
    store(session, "gov_cloud")
    after = workflow.build_plan(session, QUICK)
    assert pins(after) == [("SL-1", "executed", wave.window.opens_on)]
    assert "SL-1" not in where(after) and not after.unplaced
    kinds = [a.kind for a in after.activities if a.subject_id == "SL-1"]
    assert "trial" in kinds and not {"provision", "replicate", "rehearse"} & set(kinds)


def test_a_cutover_at_another_time_than_planned_counts_with_its_own_day(session: Session) -> None:
    before = workflow.build_plan(session, EARLIER)
    run = add_run(session, before, state="trial")
    cut_over(session, run, datetime(2026, 11, 18, 17, 30, tzinfo=UTC))
    after = workflow.build_plan(session, QUICK)
    assert pins(after) == [("SL-1", "executed", date(2026, 11, 19))], "half past one in the morning, local time"


def test_an_approved_wave_that_lies_ahead_keeps_its_window_and_crew(session: Session) -> None:
    far = workflow.build_plan(session, QUICK).problem.windows[-1].opens_on
    plan_pins.add_pins(session, [PlanEdit(system_id="SL-1", row="", opens_on=far, crew="二组")], "示例会议纪要")
    before = workflow.build_plan(session, QUICK)
    plan_pins.withdraw_pins(session, ["SL-1"], "已批准执行")
    run = add_run(session, before)
    after = workflow.build_plan(session, QUICK)
    assert after.problem.pins == (
        Pin(group_id="SL-1", opens_on=far, crew="二组", reason=run.run_id, source="approved"),
    )
    assert where(after)["SL-1"] == far and notes_on(after, run) == []


@pytest.mark.parametrize("approved", [None, False])
def test_a_run_that_nobody_has_approved_keeps_nothing(session: Session, approved: bool | None) -> None:
    add_run(session, workflow.build_plan(session, QUICK), approved=approved)
    assert workflow.build_plan(session, QUICK).problem.pins == ()


@pytest.mark.parametrize("state", sorted(ENDED - MOVED))
def test_a_run_that_ended_otherwise_keeps_nothing(session: Session, state: SystemState) -> None:
    add_run(session, workflow.build_plan(session, QUICK), state=state)
    assert workflow.build_plan(session, QUICK).problem.pins == ()


def test_an_approved_window_that_is_past_without_an_outcome_is_no_dead_end(session: Session) -> None:
    """A pin to a day that has gone by could never be met: every plan from then on would be infeasible."""
    before = workflow.build_plan(session, EARLIER)
    assert where(before)["SL-1"] < TODAY
    run = add_run(session, before)
    after = workflow.build_plan(session, QUICK)
    assert after.problem.pins == () and where(after)["SL-1"] >= TODAY and not after.unplaced
    (note,) = notes_on(after, run)
    assert "SL-1" in note and "past" in note


@pytest.mark.parametrize("state", ["waiting", "accepted"])
def test_a_run_by_a_plan_of_an_older_version_does_not_stop_the_planner(session: Session, state: SystemState) -> None:
    before = workflow.build_plan(session, QUICK)
    run = add_run(session, before, state=state)
    if state == "accepted":
        cut_over(session, run, datetime(2026, 11, 18, 3, tzinfo=UTC))
    with session.store.begin() as tx:
        tx.execute(text('UPDATE plan SET body = \'{"plan_id": "P-old"}\''))
    after = workflow.build_plan(session, QUICK)
    if state == "accepted":
        assert pins(after) == [("SL-1", "executed", date(2026, 11, 18))] and notes_on(after, run) == []
    else:
        (note,) = notes_on(after, run)
        assert after.problem.pins == () and "older version" in note


def test_of_several_runs_the_newest_counts(session: Session) -> None:
    plans = []
    for window in workflow.build_plan(session, QUICK).problem.windows[-2:]:
        plan_pins.add_pins(session, [PlanEdit(system_id="SL-1", row="", opens_on=window.opens_on)], "示例会议纪要")
        plans.append(workflow.build_plan(session, QUICK))
    plan_pins.withdraw_pins(session, ["SL-1"], "已批准执行")
    for plan in reversed(plans):
        add_run(session, plan)
    assert pins(workflow.build_plan(session, QUICK)) == [("SL-1", "approved", where(plans[0])["SL-1"])]
