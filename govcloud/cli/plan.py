"""`govcloud plan`: build, show, explain and verify migration plans."""

from __future__ import annotations

from datetime import datetime

import click

from govcloud.cli.base import DAY, App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import UsageError
from govcloud.model.text import Text
from govcloud.report import plan as views
from govcloud.workflow import plan as workflow
from govcloud.workflow.confidence import read_confidence

_PLAN = Text("计划编号，默认为最新的计划", "Id of the plan; the latest one by default")


@group(Text("排定迁移批次并说明理由", "Plan the waves of the migration, and say why"), name="plan")
def plan() -> None:
    pass


@verb(Text("从清单和配置排出批次并保存", "Plan the waves from inventory and settings, and keep the plan"), name="build")
@option(
    "--from",
    "starts_on",
    type=DAY,
    text=Text("最早日期，默认今天", "Earliest date; today by default"),
)
@option(
    "--weeks",
    type=click.IntRange(1, 104),
    text=Text("期间的周数，默认取配置", "Weeks of the period; as in the settings by default"),
)
@option("--limit", "limit_s", type=click.FloatRange(min=0.1, max=3600), default=10.0, show_default=True,
        text=Text("求解时限（约为秒）", "Time limit of the solver (about seconds)"))  # fmt: skip
@pass_app
def build(app: App, starts_on: datetime | None, weeks: int | None, limit_s: float) -> int:
    with app.session() as session:
        made = workflow.build_plan(
            session, starts_on=starts_on.date() if starts_on else None, weeks=weeks, limit_s=limit_s
        )
        scores = read_confidence(session)
    shown = [views.build_waves_view(made, confidence=scores), views.build_excluded_view(made)]
    if made.status in ("infeasible", "unknown"):
        shown += [views.build_unplaced_view(made), views.build_conflict_view(made)]
    app.show(*shown)
    return 0 if made.status in ("optimal", "feasible") else 1


@verb(Text("显示计划的批次", "Show the waves of a plan"), name="show")
@click.argument("plan_id", required=False)
@option("--wave", type=click.IntRange(min=1), text=Text("只看第几批", "Only this wave"))
@option("--inputs", is_flag=True, text=Text("同时显示排期依据", "Show what the plan was computed from, too"))
@pass_app
def show(app: App, plan_id: str | None, wave: int | None, inputs: bool) -> None:
    with app.session() as session:
        found = workflow.load_plan(session, plan_id)
        scores = read_confidence(session)
    if wave is not None and wave > len(found.waves):
        raise UsageError(
            Text("计划 {p} 只有 {n} 批", "Plan {p} has only {n} waves").format(p=found.plan_id, n=len(found.waves)),
            where=f"--wave {wave}",
        )
    shown = [views.build_waves_view(found, wave, scores)]
    if wave is None:
        shown.append(views.build_excluded_view(found))
        if found.unplaced:
            shown += [views.build_unplaced_view(found), views.build_conflict_view(found)]
    if inputs:
        shown.append(views.build_inputs_view(found))
    app.show(*shown)


@verb(Text("说明一个系统为什么排在这一批", "Say why a system is in its wave"), name="explain")
@click.argument("system_id")
@option("--plan", "plan_id", text=_PLAN)
@pass_app
def explain(app: App, system_id: str, plan_id: str | None) -> None:
    with app.session() as session:
        found = workflow.load_plan(session, plan_id)
        explanation = workflow.explain_system(session, system_id, found.plan_id)
    app.show(views.build_explanation_view(found, explanation))


@verb(
    Text(
        "独立校验一个计划，并与现在的清单比较",
        "Verify a plan independently, and compare it with the inventory of today",
    ),
    name="verify",
)
@click.argument("plan_id", required=False)
@pass_app
def verify(app: App, plan_id: str | None) -> int:
    with app.session() as session:
        found, violations, changes = workflow.verify_plan(session, plan_id)
    app.show(views.build_violations_view(found, violations, changes))
    return 1 if violations else 0


for _part in (build, show, explain, verify):
    plan.add_command(_part)

command = plan
