"""`govcloud plan`: build, show, explain, compare, edit and verify migration plans."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import FrameType

import click

from govcloud.cli.base import DAY, App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import GovcloudError, UsageError
from govcloud.events import Event
from govcloud.model.plan import MigrationPlan
from govcloud.model.plan_pin import PlanEdit
from govcloud.model.text import Lang, Text
from govcloud.report import plan as views
from govcloud.report.plan_pins import build_edits_views, build_pins_view
from govcloud.workflow import plan as workflow
from govcloud.workflow import plan_files, plan_pins
from govcloud.workflow.session import Session

_PLAN = Text("计划编号，默认为最新的计划", "Id of the plan; the latest one by default")
_REASON = Text("理由，记入台账", "The reason; it goes into the ledger")
PARTS = ("waves", "calendar", "jobs", "networks", "goals", "load", "groups", "risks", "inputs")


@group(Text("排定迁移批次并说明理由", "Plan the waves of the migration, and say why"), name="plan")
def plan() -> None:
    pass


class _Interrupts:
    """The first Ctrl-C asks for the best plan so far, the second one gives up."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._count = 0
        self._answered = False

    def asked(self) -> bool:
        if self._count and not self._answered:
            self._answer()
        return self._count > 0

    def given_up(self) -> bool:
        return self._count > 1

    def on_signal(self, _: int, __: FrameType | None) -> None:
        self._count += 1
        if self.given_up():
            raise KeyboardInterrupt
        # It may have come in the middle of a write to the same stream, which then refuses a second one: `asked` tries again.
        with suppress(RuntimeError):
            self._answer()

    def _answer(self) -> None:
        click.echo(
            Text("正在收尾，给出目前最好的计划；再按一次 Ctrl-C 放弃，不保存",
                 "Finishing with the best plan so far; press Ctrl-C again to give up and keep nothing").to(self._lang), err=True,
        )  # fmt: skip
        self._answered = True


class _Lines:
    """Progress where stderr is no terminal: a line when something has changed, but not many of them."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang
        self._told: Event | None = None

    def on_event(self, event: Event) -> None:
        before = self._told
        if before is not None:
            pause = min(30.0, (event.total or 0) / 20)
            if event.subject == before.subject or event.done - before.done < pause:
                return
        self._told = event
        line = Text("{w}：第 {t} 秒，{s}", "{w}: after {t} s, {s}").format(w=event.what, t=event.done, s=event.subject)
        click.echo(line.to(self._lang), err=True)


@contextmanager
def _planning(app: App) -> Iterator[tuple[Session, _Interrupts]]:
    """A session that tells how far the planner is, wherever stderr goes, and a Ctrl-C that leaves a plan."""
    interrupts = _Interrupts(app.lang)
    with app.session() as session:
        if not sys.stderr.isatty():
            session = replace(session, observer=_Lines(app.lang))
        before = signal.signal(signal.SIGINT, interrupts.on_signal)
        try:
            yield session, interrupts
        finally:
            signal.signal(signal.SIGINT, before)


def _show_built(app: App, made: MigrationPlan) -> int:
    shown = [
        views.build_waves_view(made, risks=workflow.assess_groups(made)),
        views.build_goals_view(made),
        views.build_excluded_view(made),
    ]
    if made.status in ("infeasible", "unknown"):
        shown += [views.build_unplaced_view(made), views.build_conflict_view(made)]
    app.show(*shown)
    return 0 if made.status in ("optimal", "feasible") else 1


@verb(
    Text("从清单和配置排出批次并保存", "Plan the waves from inventory and settings, and keep the plan"),
    name="build",
    action="plan",
)
@option("--starts-on", type=DAY,
        text=Text("最早日期，默认今天；与 --from 合用时，取原计划尚未到来的首日", "Earliest date; today by default, with --from the first day of that plan while it lies ahead"))  # fmt: skip
@option("--weeks", type=click.IntRange(1, workflow.MAX_WEEKS),
        text=Text("期间的周数，默认取配置", "Weeks of the period; as in the settings by default"))  # fmt: skip
@option("--from", "previous", metavar="PLAN",
        text=Text("在这个计划（或 latest）上改，尽量少变", "Start from this plan (or latest) and change as little as can be"))  # fmt: skip
@option("--set", "overrides", multiple=True, metavar="KEY=VALUE",
        text=Text("试算：改变一项设置，如 capacity.crews=3；可多次", "A trial with a changed setting, such as capacity.crews=3; repeatable"))  # fmt: skip
@option("--limit", "limit_s", type=click.FloatRange(min=0.1, max=3600), default=10.0, show_default=True,
        text=Text("求解时限，秒", "Time limit of the search, in seconds"))  # fmt: skip
@option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True,
        text=Text("随机种子；同样的输入和种子得到同样的计划", "Random seed; the same input and seed give the same plan"))  # fmt: skip
@pass_app
def build(
    app: App, starts_on: datetime | None, weeks: int | None, previous: str | None, overrides: tuple[str, ...],
    limit_s: float, seed: int,
) -> int:  # fmt: skip
    with _planning(app) as (session, interrupts):
        made = workflow.build_plan(session, workflow.PlanOrder(
            starts_on=starts_on.date() if starts_on else None, weeks=weeks, limit_s=limit_s, seed=seed,
            previous_id=previous, overrides=overrides, stop=interrupts.asked, given_up=interrupts.given_up,
        ))  # fmt: skip
    return _show_built(app, made)


@verb(
    Text("显示计划的批次、日历、负荷和依据", "Show the waves, calendar, loads and grounds of a plan"),
    name="show",
    action="read",
)
@click.argument("plan_id", required=False)
@option("--wave", type=click.IntRange(min=1), text=Text("只看第几批", "Only this wave"))
@option("--part", "parts", type=click.Choice(PARTS), multiple=True,
        text=Text("要看的部分，可多次；默认为批次", "Parts to show, repeatable; the waves by default"))  # fmt: skip
@option("--inputs", is_flag=True, text=Text("同时显示排期依据", "Show what the plan was computed from, too"))
@pass_app
def show(app: App, plan_id: str | None, wave: int | None, parts: tuple[str, ...], inputs: bool) -> None:
    with app.session() as session:
        found = workflow.load_plan(session, plan_id)
    if wave is not None and wave > len(found.waves):
        raise UsageError(
            Text("计划 {p} 只有 {n} 批", "Plan {p} has only {n} waves").format(p=found.plan_id, n=len(found.waves)),
            where=f"--wave {wave}",
        )
    wanted = parts or ("waves",)
    risks = workflow.assess_groups(found)
    shown = []
    for part in (*wanted, *(("inputs",) if inputs else ())):
        shown += {
            "waves": lambda: [views.build_waves_view(found, wave, risks=risks)],
            "calendar": lambda: [views.build_calendar_view(found)],
            "jobs": lambda: [views.build_jobs_view(found, wave)],
            "networks": lambda: [views.build_retirements_view(found)],
            "goals": lambda: [views.build_goals_view(found)],
            "load": lambda: [views.build_load_view(found)],
            "groups": lambda: [views.build_groups_view(found), views.build_bridges_view(found)],
            "risks": lambda: [views.build_risks_view(found, (*workflow.assess_waves(found), *risks))],
            "inputs": lambda: [views.build_inputs_view(found)],
        }[part]()
    if wave is None and not parts:
        shown.append(views.build_excluded_view(found))
        if found.unplaced:
            shown += [views.build_unplaced_view(found), views.build_conflict_view(found)]
    app.show(*shown)


@verb(
    Text("说明一个系统或专网为什么排在那一天", "Say why a system moves, or a network closes, on its day"),
    name="explain",
    action="read",
)
@click.argument("subject_id")
@option("--plan", "plan_id", text=_PLAN)
@pass_app
def explain(app: App, subject_id: str, plan_id: str | None) -> None:
    with app.session() as session:
        found = workflow.load_plan(session, plan_id)
        explanation = workflow.explain_system(session, subject_id, found.plan_id)
    app.show(*views.build_explanation_views(found, explanation))


@verb(Text("两个计划之间变了什么、为什么", "What moved between two plans, and why"), name="diff", action="read")
@click.argument("before", required=False)
@click.argument("after", required=False)
@pass_app
def diff(app: App, before: str | None, after: str | None) -> None:
    with app.session() as session:
        old, new, changes = workflow.diff_plans(session, before, after)
    app.show(views.build_diff_view(old, new, changes))


@verb(Text("并排比较几个计划", "Compare plans side by side"), name="compare", action="read")
@click.argument("plan_ids", nargs=-1, required=True)
@pass_app
def compare(app: App, plan_ids: tuple[str, ...]) -> None:
    with app.session() as session:
        plans = [workflow.load_plan(session, plan_id) for plan_id in dict.fromkeys(plan_ids)]
    app.show(views.build_comparison_view(workflow.compare_plans(plans)))


@verb(Text("把系统固定在某个窗口，或暂不排入", "Pin systems to a window, or leave them out"), name="pin", action="plan")
@click.argument("system_ids", nargs=-1, required=True)
@option("--on", "opens_on", type=DAY, text=Text("窗口开始的日期", "The day on which the window opens"))
@option("--leave-out", is_flag=True, text=Text("暂不排入计划", "Leave them out of the plan"))
@option("--crew", text=Text("班组", "The crew"))
@option("--reason", required=True, text=_REASON)
@pass_app
def pin(
    app: App, system_ids: tuple[str, ...], opens_on: datetime | None, leave_out: bool, crew: str | None, reason: str
) -> None:
    if (opens_on is None) == (not leave_out):
        raise UsageError(Text("用 --on 写明日期，或用 --leave-out", "Give a day with --on, or use --leave-out"))
    day = opens_on.date() if opens_on else None
    edits = [PlanEdit(system_id=s, row="", opens_on=day, crew=crew) for s in dict.fromkeys(system_ids)]
    with app.session() as session:
        made = plan_pins.add_pins(session, edits, reason)
    app.show(build_pins_view(made))
    app.say(_AGAIN)


@verb(Text("取消固定", "Withdraw pins"), name="unpin", action="plan")
@click.argument("system_ids", nargs=-1, required=True)
@option("--reason", required=True, text=_REASON)
@pass_app
def unpin(app: App, system_ids: tuple[str, ...], reason: str) -> None:
    with app.session() as session:
        gone = plan_pins.withdraw_pins(session, system_ids, reason)
    app.show(build_pins_view(gone))
    app.say(_AGAIN)


@verb(Text("列出人工固定的安排", "List the pins"), name="pins", action="read")
@option("--all", "ended", is_flag=True, text=Text("包括已取消的", "Those withdrawn as well"))
@pass_app
def pins(app: App, ended: bool) -> None:
    with app.session() as session:
        found = plan_pins.list_pins(session, withdrawn=ended)
    app.show(build_pins_view(found))


@verb(Text("把计划写成文件：.xlsx .csv .json .html .ics .md", "Write a plan to a file: .xlsx .csv .json .html .ics .md"),
      name="export", action="export")  # fmt: skip
@click.argument("plan_id", required=False)
@option("-o", "--output", "path", required=True, type=click.Path(path_type=Path),
        text=Text("文件，按结尾决定格式", "The file; its ending names the form"))  # fmt: skip
@pass_app
def export(app: App, plan_id: str | None, path: Path) -> None:
    with app.session() as session:
        made = plan_files.export_plan(session, path, plan_id)
    app.say(Text("已写入 {p}", "Written to {p}").format(p=made))


@verb(Text("读回改过的计划表：改动成为固定安排，并重新排期", "Read an edited plan back: edits become pins, and the plan is made again"),
      name="import", action="plan")  # fmt: skip
@click.argument("path", type=click.Path(path_type=Path))
@option(
    "--plan", "plan_id", text=Text("它来自哪个计划，默认为最新的", "The plan that it came from; the latest by default")
)
@option("--preview", is_flag=True, text=Text("只看改动和后果，不保存", "Only show the edits and what they break"))
@option("--reason", text=_REASON)
@option("--limit", "limit_s", type=click.FloatRange(min=0.1, max=3600), default=10.0, show_default=True,
        text=Text("求解时限，秒", "Time limit of the search, in seconds"))  # fmt: skip
@pass_app
def import_(
    app: App, path: Path, plan_id: str | None, preview: bool, reason: str | None, limit_s: float
) -> int:  # fmt: skip
    if not preview and not reason:
        raise UsageError(Text("没有写理由", "No reason is given"),
                         next_step=Text("用 --reason 写明，或先用 --preview 查看", "Give --reason, or look first with --preview"))  # fmt: skip
    with _planning(app) as (session, interrupts):
        edited = plan_files.read_edits(session, path, plan_id)
        if preview or not edited.edits:
            app.show(
                *build_edits_views(edited.plan, edited.edits, edited.violations, edited.missing),
                views.build_risks_view(edited.edited, workflow.assess_waves(edited.edited)),
            )
            return 1 if edited.violations else 0
        plan_pins.add_pins(session, edited.edits, reason or "")
        order = workflow.PlanOrder(
            limit_s=limit_s, previous_id=edited.plan.plan_id, stop=interrupts.asked, given_up=interrupts.given_up
        )
        try:
            made = workflow.build_plan(session, order)
        except (GovcloudError, KeyboardInterrupt):
            app.say(_KEPT)
            raise
    return _show_built(app, made)


@verb(
    Text(
        "独立校验一个计划，并与现在的清单比较",
        "Verify a plan independently, and compare it with the inventory of today",
    ),
    name="verify",
    action="read",
)
@click.argument("plan_id", required=False)
@pass_app
def verify(app: App, plan_id: str | None) -> int:
    with app.session() as session:
        found, violations, changes = workflow.verify_plan(session, plan_id)
    app.show(views.build_violations_view(found, violations, changes))
    return 1 if violations else 0


_KEPT = Text(
    "改动已记为固定安排（govcloud plan pins），但没有排出新计划",
    "The edits are kept as pins (govcloud plan pins), but no new plan was made",
)
_AGAIN = Text(
    "重新排期后生效：govcloud plan build --from latest",
    "It counts from the next plan on: govcloud plan build --from latest",
)

for _part in (build, show, explain, diff, compare, pin, unpin, pins, export, import_, verify):
    plan.add_command(_part)

command = plan
