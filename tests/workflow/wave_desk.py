"""A wave of two systems under a plan laid out by hand, and a desk that carries it out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from run_desk import SYSTEM, Desk, make_desk
from sample_spec import GOOD

from govcloud.model.observation import Statement
from govcloud.model.plan import Activity, MigrationPlan, Move, Wave
from govcloud.model.plan_problem import ChangeWindow, Crew, Job, MoveGroup, MoveTask, PlanProblem, WeakLink
from govcloud.store import inventory as inventory_store
from govcloud.store import plan as plan_store
from govcloud.workflow.statements import merge_inventory

OTHER = "SL-OA-02"
OPENS = datetime(2026, 3, 14, 14, tzinfo=UTC)
"""Saturday 22:00 in the office's own time."""
_HOUR = timedelta(hours=1)


def build_wave_plan(plan_id: str = "P-1", opens_at: datetime = OPENS) -> MigrationPlan:
    """One wave of two systems, one after the other, with a week of provisioning before and a switch-off later."""
    window = ChangeWindow(window_id="w1", starts_at=opens_at, ends_at=opens_at + 4 * _HOUR, opens_on=date(2026, 3, 14))
    names = {SYSTEM: "协同办公系统", OTHER: "档案查询系统"}
    tasks = tuple(
        MoveTask(
            system_id=s, name=name, department="示例局", cutover_min=60, reserve_min=30, data_mib=10240, mlps_level=2
        )
        for s, name in names.items()
    )
    moves = tuple(
        Move(
            system_id=s, group_id=s, crew="一组", starts_at=opens_at + n * 2 * _HOUR, cutover_ends_at=opens_at + (n * 2 + 1) * _HOUR,
            ends_at=opens_at + (n * 2 + 1.5) * _HOUR,
        )
        for n, s in enumerate(names)
    )  # fmt: skip
    work = tuple(
        Activity(job_id=f"{s}/{kind}", subject_id=s, kind=kind, starts_on=first, ends_on=last)  # type: ignore[arg-type]
        for s in names
        for kind, first, last in (
            ("provision", date(2026, 3, 2), date(2026, 3, 6)), ("switch_off", date(2026, 5, 11), date(2026, 5, 12)),
        )
    )  # fmt: skip
    problem = PlanProblem(
        starts_on=date(2026, 3, 1), weeks=4, timezone="Asia/Shanghai", tasks=tasks, windows=(window,), crews=(Crew(name="一组"),),
        jobs=tuple(Job(job_id=f"{s}/cutover", subject_id=s, kind="cutover", calendar="window", length=90) for s in names),
        groups=tuple(MoveGroup(group_id=s, system_ids=(s,)) for s in names),
        weak_links=(WeakLink(dependency_id="D1", source_id=OTHER, target_id=SYSTEM),),
    )  # fmt: skip
    return MigrationPlan(
        plan_id=plan_id, created_at=opens_at - timedelta(days=20 if plan_id == "P-1" else 10), problem=problem, waves=(Wave(number=1, window=window, moves=moves),),
        activities=work, status="optimal", plan_hash=("ab" if plan_id == "P-1" else "cd") * 32,
    )  # fmt: skip


def make_wave_desk(path: Path, plan: MigrationPlan | None = None, **execution: Any) -> Desk:
    """The desk stands in the window, and nothing has been begun."""
    desk = make_desk(path, **execution)
    (path / "migration" / f"{OTHER}.yaml").write_text(yaml.safe_dump(GOOD | {"system_id": OTHER, "on_failure": "hold"}))
    with desk.open("seed") as session, session.store.begin() as tx:
        batch = inventory_store.add_batch(
            tx, batch_id="wave", kind=inventory_store.IMPORT, source="普查表2.xlsx", sha256="", at=desk.now, actor="seed", body={"read_as": ""},
        )  # fmt: skip
        said = [
            {"name": "档案查询系统", "classified": False, "department": "示例局", "contact": "王示例", "users": 40},
            {"name": "统计系统", "classified": False},
        ]
        inventory_store.add_statements(tx, batch, [
            Statement(subject_kind="system", subject_id=system_id, source="workbook", place="普查表2.xlsx!系统!B2", observed_at=desk.now, values=values)
            for system_id, values in zip((OTHER, "SL-TJ-03"), said, strict=True)
        ])  # fmt: skip
        merge_inventory(session, tx)
        plan_store.add_plan(tx, plan or build_wave_plan())
    desk.now = OPENS + timedelta(minutes=1)
    return desk


__all__ = ["OPENS", "OTHER", "SYSTEM", "Desk", "build_wave_plan", "make_wave_desk"]
