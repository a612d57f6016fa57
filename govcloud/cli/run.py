from __future__ import annotations

import json
import sys
import time

import click

from govcloud.cli import _run_machines, _run_people
from govcloud.cli._run_work import FEW, carry_on, code_of, leave, reason_option, systems_option, tell
from govcloud.cli.base import App, command, group, option, pass_app
from govcloud.cli.main import INTERRUPTED
from govcloud.model.text import Text
from govcloud.report.run import build_change_line, build_run_views, build_runs_view
from govcloud.report.run_overview import RunOverview
from govcloud.report.text import render_json, render_text
from govcloud.workflow import run as verbs
from govcloud.workflow import run_orders, run_status
from govcloud.workflow.session import Session

_LOOK_S = 1.0
_no_wait = option(
    "--no-wait", is_flag=True, text=Text("到关口即返回，不等批准", "Return at the gates; do not wait for people")
)
_wait_min = option(
    "--wait-min", type=click.IntRange(0, 7 * 24 * 60), default=240,
    text=Text("有人需要批准或决定时，最多再等多少分钟，默认 240", "Minutes to stay while people are awaited, 240 by default"),
)  # fmt: skip


@group(
    Text(
        "执行迁移：发起、批准、跟踪、暂停、决定、回退、验收",
        "Carry out migrations: start, approve, follow, hold, decide, roll back, accept",
    )
)
def run() -> None:
    pass


@command(
    Text("发起迁移：检查，到关口等待，逐步执行", "Start: check, stop at the gates, then step by step"), action="operate"
)
@click.argument("systems", nargs=-1)
@option("--plan", "plan_id", text=Text("按此计划", "Take the systems from this plan"))
@option("--wave", type=int, text=Text("计划中的批次", "Wave of the plan"))
@_no_wait
@_wait_min
@pass_app
def start(
    app: App, systems: tuple[str, ...], plan_id: str | None, wave: int | None, no_wait: bool, wait_min: int
) -> int:
    with app.session() as session:
        made = verbs.register_run(session, systems, plan_id=plan_id, wave=wave)
        app.say(
            Text(
                "已登记 {r}：{s}。先做只读检查，到关口停下等待批准；跟踪：govcloud run status {r} --follow",
                "Registered {r}: {s}. It is checked first (read only) and stops at its gates; follow it with: govcloud run status {r} --follow",
            ).format(r=made.run_id, s=", ".join(made.systems))
        )
        shown = carry_on(app, session, made.run_id, wait_min=0 if no_wait else wait_min)
    return leave(code_of(shown, waiting_is_fine=no_wait))


@command(
    Text(
        "继续：解除暂停，采用现在的计划和文件，接着做能做的",
        "Go on: take back holds, adopt what has changed, do what can be done",
    ),
    action="operate",
)
@click.argument("run_id")
@systems_option
@reason_option
@_no_wait
@_wait_min
@pass_app
def resume(
    app: App, run_id: str, systems: tuple[str, ...], reason: str | None, no_wait: bool, wait_min: int
) -> int:  # fmt: skip
    with app.session() as session:
        tell(app, run_orders.resume(session, run_id, systems, reason=reason))
        shown = carry_on(app, session, run_id, wait_min=0 if no_wait else wait_min)
    return leave(code_of(shown, waiting_is_fine=no_wait))


@command(
    Text("查看执行到哪里、为什么等待；默认最近一次", "Where a run is and why it waits; the newest by default"), action="read"
)  # fmt: skip
@click.argument("run_id", required=False)
@option("--all", "everything", is_flag=True, text=Text("列出全部执行", "List all runs"))
@option("--attempts", is_flag=True, text=Text("列出每次尝试", "Every attempt as well"))
@option(
    "--follow",
    is_flag=True,
    text=Text("有变化就输出，直到全部停下", "Print what changes, until all wait or have ended"),
)
@pass_app
def status(app: App, run_id: str | None, everything: bool, attempts: bool, follow: bool) -> int:
    with app.session() as session:
        if everything:
            app.show(build_runs_view(run_status.list_states(session)))
            return 0
        shown = run_status.run_overview(session, run_id)
        if follow:
            return _follow(app, session, shown)
        app.show(*build_run_views(shown, attempts=attempts or app.output != "table" or len(shown.systems) <= FEW))
    return 0


def _follow(app: App, session: Session, shown: RunOverview) -> int:
    """A table first, then a line for each system that has changed; as JSON one document a line for each change."""
    before: dict[str, Text] | None = None
    while True:
        now = {s.row.system_id: build_change_line(s, shown) for s in shown.systems}
        changed = [line for system_id, line in now.items() if before is None or before.get(system_id) != line]
        if changed:
            _print_change(app, shown, None if before is None else changed)
        before = now
        if not run_status.goes_on(shown):
            return 0
        try:
            time.sleep(_LOOK_S)
        except KeyboardInterrupt:
            return INTERRUPTED
        shown = run_status.run_overview(session, shown.run.run_id)


def _print_change(app: App, shown: RunOverview, changed: list[Text] | None) -> None:
    views = build_run_views(shown, attempts=app.output == "json")
    if app.output == "json":
        line = json.dumps(json.loads(render_json(views, app.lang)), ensure_ascii=False)
    elif changed is None:
        line = render_text(views[:1], app.lang, app.zone)
    else:
        at = f"{shown.now.astimezone(app.zone):%H:%M:%S}"
        line = "\n".join(f"{at} {text.to(app.lang)}" for text in changed)
    click.echo(line)
    # A pipe would keep the lines back until there are many.
    sys.stdout.flush()


for _part in (start, status, resume, *_run_people.VERBS, *_run_machines.VERBS):
    run.add_command(_part)

command = run
