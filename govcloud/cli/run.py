from __future__ import annotations

from typing import get_args

import click

from govcloud.cli.base import App, command, group, option, pass_app
from govcloud.cli.main import INTERRUPTED
from govcloud.model.run import Choice, Run, StepName
from govcloud.model.text import Text
from govcloud.report.run import build_run_view, build_runs_view
from govcloud.workflow import rollback as rollback_verb
from govcloud.workflow import run as verbs
from govcloud.workflow.session import Session

_WAIT_MIN = 240
_wait = option(
    "--wait-min", type=click.IntRange(0, 7 * 24 * 60), default=_WAIT_MIN,
    text=Text("等待批准的分钟数，默认 240", "Minutes to wait for the approval, 240 by default"),
)  # fmt: skip
_reason = option("--reason", text=Text("理由，记入台账", "Why; goes into the ledger"))


@group(
    Text("执行迁移：发起、批准、继续、决定、回退", "Carry out migrations: start, approve, resume, decide, roll back")
)
def run() -> None:
    pass


@command(Text("发起迁移：检查、等待批准、逐步执行", "Start: check, wait for the approval, then step by step"))
@click.argument("systems", nargs=-1)
@option("--plan", "plan_id", text=Text("按此计划", "Take the systems from this plan"))
@option("--wave", type=int, text=Text("计划中的批次", "Wave of the plan"))
@option(
    "--no-wait", is_flag=True, text=Text("检查后不等批准即返回", "Return after the check; do not wait for the approval")
)
@_wait
@pass_app
def start(
    app: App, systems: tuple[str, ...], plan_id: str | None, wave: int | None, no_wait: bool, wait_min: int
) -> int:
    with app.session() as session:
        made = verbs.register_run(session, systems, plan_id=plan_id, wave=wave)
        app.say(
            Text(
                "已登记 {r}：{s}。先做只读检查，通过后等待另一人批准：govcloud --user 姓名 run approve {r}",
                "Registered {r}: {s}. It is checked first (read only), then another person approves: "
                "govcloud --user NAME run approve {r}",
            ).format(r=made.run_id, s=", ".join(made.systems))
        )
        return _work(app, session, made.run_id, 0 if no_wait else wait_min, waiting_is_fine=no_wait)


@command(Text("继续一次中断或等待中的执行", "Go on with a run that was interrupted or waits"))
@click.argument("run_id")
@_wait
@pass_app
def resume(app: App, run_id: str, wait_min: int) -> int:
    with app.session() as session:
        return _work(app, session, run_id, wait_min, waiting_is_fine=False)


def _work(app: App, session: Session, run_id: str, wait_min: int, *, waiting_is_fine: bool) -> int:
    try:
        ended = verbs.carry_on(session, run_id, wait_approval_s=wait_min * 60)
    except KeyboardInterrupt:
        app.say(
            Text(
                "已离开。正在执行的步骤会在后台做完，此后不再前进；继续：govcloud run resume {r}",
                "Left. The step under way ends by itself in the background and nothing follows it; go on with: govcloud run resume {r}",
            ).format(r=run_id)
        )
        return INTERRUPTED
    _show(app, session, ended)
    return _code(ended, waiting_is_fine=waiting_is_fine)


def _code(run: Run, *, waiting_is_fine: bool = False) -> int:
    return 0 if run.status == "done" or (waiting_is_fine and run.status == "waiting_approval") else 1


@command(Text("批准（或拒绝）别人发起的执行", "Approve, or refuse, somebody else's run"))
@click.argument("run_id")
@_reason
@option("--refuse", is_flag=True, text=Text("不予批准，结束这次执行", "Refuse: the run ends"))
@pass_app
def approve(app: App, run_id: str, reason: str | None, refuse: bool) -> None:
    with app.session() as session:
        answer = verbs.approve_run(session, run_id, approved=not refuse, reason=reason)
    word = Text("已批准", "approved") if answer.approved else Text("未予批准", "refused")
    app.say(
        Text("{r} {w}，批准人 {a}，范围摘要 {h}", "{r} {w} by {a}, scope {h}").format(
            r=run_id, w=word, a=answer.actor, h=answer.scope_hash[:16]
        )
    )


@command(Text("查看一次执行，默认最近一次；--all 列出全部", "Show a run, the newest by default; --all lists them"))
@click.argument("run_id", required=False)
@option("--all", "everything", is_flag=True, text=Text("列出全部", "List all runs"))
@pass_app
def status(app: App, run_id: str | None, everything: bool) -> None:
    with app.session() as session:
        if everything:
            app.show(build_runs_view(verbs.list_runs(session)))
            return
        _show(app, session, verbs.load_run(session, run_id))


@command(Text("对结果不明或被搁置的步骤作出决定", "Decide on a step that is unclear or held"))
@click.argument("run_id")
@click.argument("step", type=click.Choice(get_args(StepName)))
@click.argument("choice", type=click.Choice(get_args(Choice)))
@option("--system", "system_id", text=Text("系统编号", "System id"))
@_reason
@pass_app
def decide(app: App, run_id: str, step: StepName, choice: Choice, system_id: str | None, reason: str | None) -> None:
    with app.session() as session:
        made = verbs.decide(session, run_id, step, choice, system_id=system_id, reason=reason)
    app.say(
        Text(
            "已记录：{s} 第 {n} 次 {t}，决定 {c}。继续：govcloud run resume {r}",
            "Recorded: {s}, attempt {n} of {t}: {c}. Go on with: govcloud run resume {r}",
        ).format(s=made.system_id, n=made.attempt, t=step, c=choice, r=run_id)
    )


@command(Text("让一个系统的源恢复服务", "Let a system's source serve again"))
@click.argument("run_id")
@click.argument("system_id")
@_reason
@pass_app
def rollback(app: App, run_id: str, system_id: str, reason: str | None) -> int:
    with app.session() as session:
        ended = rollback_verb.roll_back(session, run_id, system_id, reason=reason)
        _show(app, session, ended)
        return 0 if ended.outcomes.get(system_id) == "rolled_back" else 1


def _show(app: App, session: Session, shown: Run) -> None:
    attempts = verbs.run_attempts(session, shown.run_id)
    approval = verbs.run_approval(session, shown.run_id)
    app.show(build_run_view(shown, attempts, verbs.step_titles(), approval))


for _part in (start, approve, status, resume, decide, rollback):
    run.add_command(_part)

command = run
