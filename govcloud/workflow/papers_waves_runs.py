"""Reads what the papers of a run tell: the run itself, the plan that it was registered under, the names of its systems."""

from __future__ import annotations

import math
from collections.abc import Mapping

from govcloud.execution.steps import applicable, site_steps
from govcloud.model.inventory import System
from govcloud.model.plan import MigrationPlan, Move
from govcloud.model.run import RunSystem
from govcloud.model.step import Step, StepName
from govcloud.report.run_paper import RunPaper
from govcloud.store import inventory as inventory_store
from govcloud.store import plan as plan_store
from govcloud.workflow.papers_waves_facts import read_words
from govcloud.workflow.run_journal import load_system
from govcloud.workflow.run_status import run_overview
from govcloud.workflow.session import Session


def read_run(session: Session, run_id: str | None, system_id: str | None = None) -> RunPaper:
    """The named run or the newest, all of it or one system. Raises UsageError where there is none."""
    shown = run_overview(session, run_id)
    with session.store.read() as tx:
        if system_id is not None:
            load_system(tx, shown.run.run_id, system_id)
            shown = shown.only(system_id)
        plan = plan_store.load_plan(tx, shown.run.plan_id) if shown.run.plan_id else None
        known: dict[str, System] = {s.system_id: s for s in inventory_store.load_part(tx, {"system"}).systems}
    wanted, steps = shown.states, site_steps(session.workspace.settings.steps)
    tasks = {t.system_id: t.data_mib for t in plan.problem.tasks} if plan else {}
    return RunPaper(
        shown=shown,
        names={s: known[s].name for s in wanted if s in known},
        departments={s: d for s in wanted if s in known and (d := known[s].department)},
        planned_min={s.row.system_id: _planned(s.row, tasks.get(s.row.system_id, 0), steps) for s in shown.systems},
        moves=_moves(plan, wanted),
        plan_hash=plan.plan_hash if plan else None,
        words=read_words(session, shown, wanted),
    )


def _moves(plan: MigrationPlan | None, wanted: Mapping[str, object]) -> dict[str, Move]:
    return {m.system_id: m for w in (plan.waves if plan else ()) for m in w.moves if m.system_id in wanted}


def _planned(row: RunSystem, data_mib: int, steps: Mapping[StepName, Step]) -> dict[StepName, int]:
    """By the data that the check measured; before that by what the plan assumed."""
    gib = row.data_bytes / 2**30 if row.data_bytes else data_mib / 1024
    return {n: math.ceil(steps[n].minutes + steps[n].minutes_per_gib * gib) for n in applicable(row.spec)}
