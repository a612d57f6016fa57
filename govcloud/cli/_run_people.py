"""`run` verbs by which people approve, order and decide."""

from __future__ import annotations

from typing import get_args

import click

from govcloud.cli._run_work import (
    NEEDS_WORK,
    carry_on,
    leave,
    phase_option,
    reason_option,
    step_argument,
    systems_option,
    tell,
)
from govcloud.cli.base import App, command, option, pass_app
from govcloud.cli.main import INTERRUPTED
from govcloud.model.gate import Choice
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.report.run import STATE
from govcloud.workflow import run_gates, run_orders
from govcloud.workflow.run import step_titles


@command(
    Text("批准（或拒绝）别人发起的执行的一步", "Approve, or refuse, a step of somebody else's run"), action="approve"
)
@click.argument("run_id")
@option("--step", type=click.Choice(get_args(StepName)), text=Text("哪一步的关口", "The gate of this step"))
@systems_option
@option("--refuse", is_flag=True, text=Text("不予批准，系统退出这次执行", "Refuse: the system leaves the run"))
@option(
    "--emergency", is_flag=True,
    text=Text("紧急：两人批准，可在窗口外，事后复核", "Emergency: two people, also outside the window, reviewed later"),
)  # fmt: skip
@reason_option
@pass_app
def approve(
    app: App, run_id: str, step: StepName | None, systems: tuple[str, ...], refuse: bool, emergency: bool, reason: str | None
) -> None:  # fmt: skip
    with app.session() as session:
        made = run_gates.answer_gates(
            session, run_id, step=step, systems=systems, granted=not refuse, emergency=emergency, reason=reason
        )
    titles = step_titles()
    for one in made:
        word = Text("未予批准", "refused") if refuse else Text("已批准", "approved")
        until = Text("，有效至 {e}", ", valid until {e}").format(
            e=f"{one.answer.expires_at.astimezone(app.zone):%Y-%m-%d %H:%M}"
        )
        app.say(
            Text('{s} “{step}”{w}，{a}{until}，范围摘要 {h}；现状：{state}', '{s} "{step}" {w} by {a}{until}, scope {h}; now: {state}').format(
                s=one.gate.system_id, step=titles[one.gate.step], w=word, a=one.answer.actor, h=one.gate.scope_hash[:16],
                until=Text("", "") if refuse else until, state=STATE[one.state],
            )
        )  # fmt: skip
        if one.lapses_early:
            app.say(
                Text(
                    "注意：批准在变更窗口开启前就会失效，届时须重新批准（execution.approval_hours）",
                    "Mind: it lapses before the change window opens and has to be given again then (execution.approval_hours)",
                )
            )


@command(Text("暂停：不再开始新的步骤", "Hold: no further step begins"), action="operate")
@click.argument("run_id")
@systems_option
@reason_option
@pass_app
def hold(app: App, run_id: str, systems: tuple[str, ...], reason: str | None) -> None:
    with app.session() as session:
        tell(app, run_orders.hold(session, run_id, systems, reason=reason))


@command(
    Text("取消：中止正在执行的步骤，撤销已做的", "Cancel: stop the step under way and undo what was begun"),
    action="operate",
)
@click.argument("run_id")
@systems_option
@reason_option
@pass_app
def cancel(app: App, run_id: str, systems: tuple[str, ...], reason: str | None) -> int:
    with app.session() as session:
        given = run_orders.cancel(session, run_id, systems, reason=reason)
        tell(app, given)
        shown = carry_on(app, session, run_id)
    if shown is None:
        return leave(INTERRUPTED)
    given_up = {"cancelled", "rolled_back"}
    return leave(0 if all(shown.states[g.order.system_id] in given_up for g in given) else 1)


@command(
    Text("对结果不明或失败待定的一步作出决定", "Decide on a step that is unclear, or that failed and is held"),
    action="operate",
)
@click.argument("run_id")
@click.argument("system_id")
@step_argument
@click.argument("choice", metavar="DECISION", type=click.Choice(get_args(Choice)))
@phase_option
@reason_option
@pass_app
def decide(
    app: App, run_id: str, system_id: str, step: StepName, choice: Choice, phase: Phase, reason: str | None
) -> None:  # fmt: skip
    # To let a step be repeated that must not be is an approval, which the workflow asks for.
    with app.session("operate", "approve") as session:
        tell(app, [run_orders.decide(session, run_id, system_id, step, choice, phase=phase, reason=reason)])
    app.say(NEEDS_WORK.format(r=run_id))


@command(Text("让一个系统的源恢复服务", "Let a system's source serve again"), action="operate")
@click.argument("run_id")
@click.argument("system_id")
@reason_option
@pass_app
def rollback(app: App, run_id: str, system_id: str, reason: str | None) -> int:
    with app.session() as session:
        tell(app, [run_orders.roll_back(session, run_id, system_id, reason=reason)])
        shown = carry_on(app, session, run_id)
    if shown is None:
        return leave(INTERRUPTED)
    return leave(0 if shown.states[system_id] == "rolled_back" else 1)


@command(
    Text("验收：试运行通过，从此不再回退", "Accept: the trial has been passed, there is no way back any more"),
    action="approve",
)
@click.argument("run_id")
@systems_option
@reason_option
@pass_app
def accept(app: App, run_id: str, systems: tuple[str, ...], reason: str | None) -> None:
    with app.session() as session:
        tell(app, run_orders.accept(session, run_id, systems, reason=reason))


@command(
    Text("停用已验收系统的源（不删除数据）", "Switch off the sources of accepted systems; no data is deleted"),
    action="operate",
)
@click.argument("run_id")
@systems_option
@reason_option
@pass_app
def switch_off(app: App, run_id: str, systems: tuple[str, ...], reason: str | None) -> int:
    with app.session() as session:
        given = run_orders.switch_off(session, run_id, systems, reason=reason)
        tell(app, given)
        shown = carry_on(app, session, run_id)
    if shown is None:
        return leave(INTERRUPTED)
    return leave(0 if all(shown.states[g.order.system_id] == "switched_off" for g in given) else 1)


@command(Text("复核紧急批准（第三人）", "Review an emergency, as a third person"), action="review")
@click.argument("run_id")
@systems_option
@option("--reason", required=True, text=Text("复核结论，记入台账", "What was found; goes into the ledger"))
@pass_app
def review(app: App, run_id: str, systems: tuple[str, ...], reason: str) -> None:
    with app.session() as session:
        tell(app, run_orders.review(session, run_id, systems, reason=reason))


VERBS: tuple[click.Command, ...] = (approve, hold, cancel, decide, rollback, accept, switch_off, review)
