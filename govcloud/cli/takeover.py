"""`takeover`: maintenance passes to the construction unit."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

import click

from govcloud.cli import _takeover_package, _takeover_proofs
from govcloud.cli.base import DAY, App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import UsageError
from govcloud.model.handover import Level, Role, TakeoverState
from govcloud.model.text import Text
from govcloud.report.handover import (
    build_access_view,
    build_checklist_view,
    build_data_view,
    build_progress_view,
    build_sign_view,
    build_systems_view,
    build_todo_view,
)
from govcloud.workflow import takeover as takeover_workflow
from govcloud.workflow import (
    takeover_data,
    takeover_decide,
    takeover_overview,
    takeover_papers,
    takeover_rotate,
)
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import Takeover

_FILE = click.Path(path_type=Path, dir_okay=False)
_identity = option(
    "--identity", type=_FILE,
    text=Text("对方私钥文件，只在原处读取用于验证登录", "The builder's private key, read in place to prove a login"),
)  # fmt: skip
_LEVELS = click.Choice(list(get_args(Level)))
_level_text = Text(
    "等级：register 登记托管，technical 技术运维移交，full 全面移交",
    "register: only listed; technical: technical operation; full: all of it",
)
_reason = option("--reason", required=True, text=Text("理由", "Why"))
_dual_run = option(
    "--dual-run-until",
    type=DAY,
    text=Text("双方约定的双轨运行截止日", "Agreed last day of the dual run"),
)


@group(
    Text("运维接管：计划、资料、接收、换钥、签字", "Maintenance takeover: plan, papers, acceptance, keys, signatures")
)
def takeover() -> None:
    pass


def _show(app: App, session: Session, found: Takeover, done: Text | None = None) -> int:
    """What happened, or why not; 1 where it did not."""
    for obstacle in found.obstacles:
        app.say(obstacle)
    if done is not None and not found.obstacles:
        app.say(done)
    if app.output != "table":
        _show_all(app, session, found)
    return 1 if found.obstacles else 0


def _show_all(app: App, session: Session, found: Takeover) -> None:
    handover = found.handover
    data = takeover_data.build_data(session, handover, takeover_data.data_items(found.checklist))
    views = [
        build_checklist_view(handover, found.checklist, found.standings, found.status),
        build_todo_view(takeover_workflow.todos(session, found)),
        build_access_view(handover),
        build_sign_view(handover, takeover_workflow.sign_offs(found)),
        build_data_view(data, found.checklist, takeover_workflow.today(session)),
    ]
    # The data have a verb of their own on the screen; their warnings belong to the state.
    app.show(*(views if app.output != "table" else views[:-1]))
    if app.output == "table":
        for note in views[-1].notes:
            app.say(note)


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


@verb(Text("全部系统的接管状态", "State of the takeover of every system"), name="list", action="read")
@option(
    "--state", type=click.Choice(list(get_args(TakeoverState))), text=Text("只列这一状态", "Only those in this state")
)
@option("--department", text=Text("只列名称含此文字的部门", "Only departments whose name has this text"))
@pass_app
def list_systems(app: App, state: TakeoverState | None, department: str | None) -> None:
    with app.session() as session:
        found = takeover_overview.list_systems(session, state=state, department=department)
    app.show(build_systems_view(found))


@verb(Text("各部门接管进度和逾期", "Progress of takeovers by department, and what is overdue"), action="read")
@pass_app
def progress(app: App) -> None:
    with app.session() as session:
        found = takeover_overview.build_progress(takeover_overview.list_systems(session))
    app.show(build_progress_view(found))


@verb(Text("把系统列入接管计划，或改计划", "Plan the takeover of a system, or change the plan"), action="give_papers")
@click.argument("system")
@option("--level", required=True, type=_LEVELS, text=_level_text)
@option("--builder", required=True, text=Text("接管单位（项目建设单位）名称", "Name of the unit that takes over"))
@option("--until", required=True, type=DAY, text=Text("计划完成日", "Day by which it is to be done"))
@_dual_run
@pass_app
def plan(
    app: App, system: str, level: Level, builder: str, until: datetime, dual_run_until: datetime | None
) -> int:  # fmt: skip
    with app.session() as session:
        found = takeover_decide.plan_takeover(
            session, system, level=level, builder=builder, until=until.date(), dual_run_until=_day(dual_run_until)
        )
        done = Text("已列入计划：{s}，{until} 前", "Planned: {s}, until {until}")
        return _show(app, session, found, done.format(s=system, until=until.date()))


@verb(Text("暂缓接管，写明理由", "Put a takeover off, and why"), action="give_papers")
@click.argument("system")
@_reason
@option("--until", type=DAY, text=Text("何时再看", "When it is looked at again"))
@pass_app
def defer(app: App, system: str, reason: str, until: datetime | None) -> int:
    with app.session() as session:
        found = takeover_decide.defer(session, system, reason=reason, until=_day(until))
        return _show(app, session, found, Text("已暂缓：{s}", "Deferred: {s}").format(s=system))


@verb(Text("列为不适用接管，写明理由", "Say that a system is not taken over, and why"), action="give_papers")
@click.argument("system")
@_reason
@pass_app
def exclude(app: App, system: str, reason: str) -> int:
    with app.session() as session:
        found = takeover_decide.exclude(session, system, reason=reason)
        return _show(app, session, found, Text("已列为不适用：{s}", "Not applicable: {s}").format(s=system))


@verb(Text("撤销暂缓或不适用", "Take a deferral or an exclusion back"), action="give_papers")
@click.argument("system")
@pass_app
def resume(app: App, system: str) -> int:
    with app.session() as session:
        found = takeover_decide.resume(session, system)
        return _show(app, session, found, Text("已恢复：{s}", "It goes on: {s}").format(s=system))


@verb(Text("开始一个系统的接管", "Begin the takeover of a system"), action="give_papers")
@click.argument("system")
@option(
    "--builder",
    text=Text("接管单位名称；已列入计划的不用写", "Name of the unit that takes over; not needed where it was planned"),
)
@option("--level", type=_LEVELS, text=_level_text)
@option(
    "--builder-key",
    type=_FILE,
    text=Text(
        "对方 SSH 公钥文件（.pub）；register 等级不需要",
        "The builder's SSH public key (.pub); not needed at level register",
    ),
)
@_identity
@option(
    "--host",
    "hosts",
    multiple=True,
    text=Text(
        "换钥的主机；默认：已迁移的为迁移目标，其余为台账中的服务器",
        "Host whose keys change; by default the migration target, else the system's servers",
    ),
)
@_dual_run
@pass_app
def start(
    app: App, system: str, builder: str | None, level: Level | None, builder_key: Path | None, identity: Path | None,
    hosts: tuple[str, ...], dual_run_until: datetime | None,
) -> int:  # fmt: skip
    with app.session() as session:
        found = takeover_decide.start_takeover(
            session, system, builder=builder, level=level, builder_key=builder_key, identity=identity, hosts=hosts,
            dual_run_until=_day(dual_run_until),
        )  # fmt: skip
        done = Text(
            "接管 {h} 已开始，必需 {n} 项\n下一步：govcloud takeover status {h} 列出每项由谁用什么命令办",
            "Takeover {h} has begun; {n} items are required\nNext: govcloud takeover status {h} says who does what, with which command",
        )
        return _show(app, session, found, done.format(h=found.handover.handover_id, n=len(found.open)))


@verb(
    Text("提交一项资料：文件、说明或“不适用”及理由", "Hand over one item: a file, a note, or why it does not apply"),
    action="give_papers",
)
@click.argument("handover")
@click.argument("item")
@click.argument("file", required=False, type=_FILE)
@option("--note", text=Text("文字说明", "A sentence"))
@option("--not-applicable", metavar="REASON", text=Text("不适用，写明理由", "It does not apply, and why"))
@pass_app
def evidence(
    app: App, handover: str, item: str, file: Path | None, note: str | None, not_applicable: str | None
) -> int:
    texts = [text for text in (note, not_applicable) if text is not None]
    if (file is not None or note is not None) == (not_applicable is not None) or not all(t.strip() for t in texts):
        raise UsageError(
            Text(
                "给出文件或 --note，或者只给 --not-applicable 及理由",
                "Give a file or --note, or --not-applicable alone",
            ),
            where=item,
        )
    with app.session() as session:
        found = takeover_papers.add_evidence(
            session, handover, item, file=file, note=not_applicable or note, not_applicable=not_applicable is not None
        )
        return _show(app, session, found, _left(Text("已收：{item}", "Taken: {item}").format(item=item), found))


def _left(done: Text, found: Takeover) -> Text:
    return Text("{done}；还有 {n} 项必需未完成", "{done}; {n} required items are open").format(
        done=done, n=len(found.open)
    )


@verb(
    Text("提交整个目录的资料，文件以清单项编号命名", "Hand over a folder of papers, its files named after the items"),
    action="give_papers",
)
@click.argument("handover")
@click.argument("folder", type=click.Path(path_type=Path))
@pass_app
def papers(app: App, handover: str, folder: Path) -> int:
    with app.session() as session:
        found = takeover_papers.add_papers(session, handover, folder)
        if found.unknown:
            app.say(
                Text("不是清单项，未收：{names}", "Not an item of the checklist, left alone: {names}").format(
                    names=", ".join(found.unknown)
                )
            )
        done = Text("已收 {n} 项，待接收方接收", "{n} taken, to be accepted by the receiver").format(n=len(found.taken))
        return 1 if _show(app, session, found.takeover, done) or found.unknown else 0


def _chosen(items: tuple[str, ...], everything: bool) -> tuple[str, ...]:
    if bool(items) == everything:
        raise UsageError(
            Text("写明清单项，或者只写 --all", "Name items, or --all alone"),
            next_step=Text("govcloud takeover status 列出各项", "govcloud takeover status lists the items"),
        )
    return items


@verb(Text("接收方逐项接收", "The receiver accepts items"), action="receive_papers")
@click.argument("handover")
@click.argument("items", nargs=-1)
@option("--all", "everything", is_flag=True, text=Text("所有待接收的项", "Everything that waits for acceptance"))
@pass_app
def accept(app: App, handover: str, items: tuple[str, ...], everything: bool) -> int:
    with app.session() as session:
        found = takeover_papers.accept(session, handover, _chosen(items, everything))
        taken = sum(a.at == found.handover.acceptances[-1].at for a in found.handover.acceptances)
        done = Text("已接收 {n} 项", "Items accepted: {n}").format(n=taken)
        return _show(app, session, found, _left(done, found))


@verb(Text("接收方退回不完整的资料", "The receiver sends incomplete papers back"), action="receive_papers")
@click.argument("handover")
@click.argument("items", nargs=-1)
@option("--all", "everything", is_flag=True, text=Text("整体退回", "The whole as incomplete"))
@_reason
@pass_app
def refuse(app: App, handover: str, items: tuple[str, ...], everything: bool, reason: str) -> int:
    with app.session() as session:
        found = takeover_papers.refuse(session, handover, _chosen(items, everything), reason)
        names = ", ".join(found.handover.refusals[-1].items) if found.handover.refusals else ""
        return _show(app, session, found, Text("已退回：{items}", "Sent back: {items}").format(items=names))


@verb(
    Text("接管的状态、清单和待办：每项由谁用什么命令办", "State, checklist and what is to do: who, with which command"),
    action="read",
)
@click.argument("handover")
@pass_app
def status(app: App, handover: str) -> None:
    with app.session() as session:
        _show_all(app, session, takeover_workflow.get_takeover(session, handover))


@verb(
    Text(
        "台账自动生成的清单内容：到期、未知、接收后的变化",
        "What the store knows for the checklist: ends, unknowns, changes",
    ),
    action="read",
)
@click.argument("handover")
@click.argument("items", nargs=-1)
@pass_app
def data(app: App, handover: str, items: tuple[str, ...]) -> None:
    with app.session() as session:
        found = takeover_workflow.get_takeover(session, handover)
        chosen = takeover_data.data_items(found.checklist, items)
        shown = takeover_data.build_data(session, found.handover, chosen)
        app.show(build_data_view(shown, found.checklist, takeover_workflow.today(session)))


@verb(Text("一方签字；各方须为不同的人", "Sign for one party; each by another person"), action="sign")
@click.argument("handover")
@option(
    "--role",
    required=True,
    type=click.Choice(list(get_args(Role))),
    text=Text(
        "owner 业主单位、builder 建设单位（必签），supervisor 监理单位、authority 主管部门（可签）",
        "owner and builder must sign, supervisor and authority may",
    ),
)
@_identity
@pass_app
def sign(app: App, handover: str, role: Role, identity: Path | None) -> int:
    with app.session() as session:
        if identity is not None:
            checked = takeover_rotate.check_access(session, handover, identity=identity)
            if checked.obstacles:
                return _show(app, session, checked)
        found = takeover_workflow.sign(session, handover, role)
        both = found.status == "operating"
        done = (
            Text("双方已签字，接管完成", "Both have signed: taken over")
            if both
            else Text("已签字，等待另一方", "Signed; waiting for the other party")
        )
        return _show(app, session, found, done)


_VERBS: tuple[Any, ...] = (
    list_systems, progress, plan, defer, exclude, resume, start, evidence, papers, accept, refuse, *_takeover_proofs.VERBS,
    status, data, sign, *_takeover_package.VERBS,
)  # fmt: skip
for _verb in _VERBS:
    takeover.add_command(_verb)

command = takeover
