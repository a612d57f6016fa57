from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import click

from govcloud.cli.base import App, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import UsageError
from govcloud.model.answers import Settled
from govcloud.model.observation import SubjectKind
from govcloud.model.text import Text
from govcloud.report import inventory_history as views
from govcloud.report.inventory import TABLE_LIMIT
from govcloud.workflow import confirm as settle
from govcloud.workflow.confidence import read_confidence
from govcloud.workflow.confirm import Relation
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import Session
from govcloud.workflow.snapshots import compare_moments, list_snapshots, take_snapshot

_RELATIONS: dict[str, Relation] = {"same-as": "same_as", "not-same-as": "not_same_as"}
_department = option(
    "--department", text=Text("只列这个部门的；写名称或其一部分", "Of this department only; its name or a part of it")
)
_limit = option(
    "--limit", type=click.IntRange(min=0), metavar="N",
    text=Text("最多列多少行；0 为全部；表格默认 200，json 和 csv 默认全部",
              "How many rows; 0: all; 200 by default for tables, all for json and csv"),
)  # fmt: skip


def _rows(app: App, limit: int | None) -> int | None:
    if limit is None:
        return TABLE_LIMIT if app.output == "table" else None
    return limit or None


@verb(
    Text("确认一个字段的值，或两个编号是不是同一个；任何导入都不会改变它",
         "Settle the value of a field, or whether two ids are one thing; no import overrides it"), action="collect"
)  # fmt: skip
@click.argument("words", metavar="[ID FIELD VALUE | ID same-as ID | ID not-same-as ID]", nargs=-1)
@option("--reason", text=Text("理由，写入台账", "The reason; it goes into the ledger"))
@option("--document", default="", text=Text("依据的文件或文号", "The paper that it rests on"))
@option(
    "--file", "path", type=click.Path(path_type=Path, dir_okay=False),
    text=Text("填好确认值的 conflicts 清单（csv 或 xlsx）", "The list of conflicts with answers filled in (csv or xlsx)"),
)  # fmt: skip
@option(
    "--withdraw",
    is_flag=True,
    text=Text("撤回：ID FIELD，或 ID same-as ID", "Take it back: ID FIELD, or ID same-as ID"),
)
@pass_app
def confirm(
    app: App, words: tuple[str, ...], reason: str | None, document: str, path: Path | None, *, withdraw: bool
) -> int:
    if (path is None) == (not words) or (path is not None and withdraw):
        raise UsageError(
            Text("写 ID 字段 值，或写 --file", "Write ID FIELD VALUE, or --file"),
            where="inventory confirm",
            next_step=_EXAMPLE,
        )
    if path is None and not (reason and reason.strip()):
        raise UsageError(Text("要写 --reason 理由", "It needs --reason"), where=" ".join(words), next_step=_EXAMPLE)
    with app.session() as session:
        if path is not None:
            settled = settle.confirm_file(session, path, reason)
        else:
            settled = _confirm(session, words, (reason or "").strip(), document, withdraw=withdraw)
        shown = [views.build_settled_view(settled)]
        app.show(*shown, *([views.build_rejected_view(settled)] if settled.problems else []))
    return 1 if settled.problems else 0


_EXAMPLE = Text(
    "例如 govcloud inventory confirm 10.1.2.3 memory_gib 64G --reason 现场核对",
    'For example govcloud inventory confirm 10.1.2.3 memory_gib 64G --reason "looked at it"',
)


def _confirm(session: Session, words: tuple[str, ...], reason: str, document: str, *, withdraw: bool) -> Settled:
    relation = _RELATIONS.get(words[1]) if len(words) > 1 else None
    if len(words) != (2 if withdraw and relation is None else 3):
        raise UsageError(
            Text("参数个数不对", "The wrong number of arguments"), where=" ".join(words), next_step=_EXAMPLE
        )
    if withdraw:
        if relation is not None:
            return settle.withdraw_identity(session, words[0], words[2], relation, reason)
        return settle.withdraw_field(session, words[0], words[1], reason)
    if relation is not None:
        return settle.confirm_identity(session, words[0], words[2], relation, reason, document)
    return settle.confirm_field(session, words[0], words[1], words[2], reason, document)


@verb(
    Text("人工确认过的事实，及确认后的不同说法", "What persons confirmed, and what witnesses say otherwise since"),
    action="read",
)
@_department
@pass_app
def confirmations(app: App, department: str | None) -> None:
    with app.session() as session:
        app.show(views.build_confirmations_view(settle.list_confirmations(session, department)))


@verb(Text("给现在的清单起名留存，以便日后比较", "Name the inventory of now, to compare with later"), action="collect")
@click.argument("label", metavar="LABEL")
@pass_app
def snapshot(app: App, label: str) -> None:
    with app.session() as session:
        app.show(views.build_snapshots_view([take_snapshot(session, label)]))


@verb(Text("列出留存的快照", "List the snapshots"), action="read")
@pass_app
def snapshots(app: App) -> None:
    with app.session() as session:
        app.show(views.build_snapshots_view(list_snapshots(session)))


@verb(
    Text("两个时刻之间的变化；时刻写快照名、日期、#批次或 now",
         "What changed between two states: a snapshot, a day, #batch or now"), action="read"
)  # fmt: skip
@click.argument("before", metavar="A")
@click.argument("after", metavar="[B]", default="now")
@option("--kind", type=click.Choice(get_args(SubjectKind)), text=Text("只列这一类对象", "Only this kind of subject"))
@_department
@_limit
@pass_app
def diff(
    app: App, before: str, after: str, kind: str | None, department: str | None, limit: int | None
) -> None:  # fmt: skip
    with app.session() as session:
        found = compare_moments(
            session, before, after, kind=cast("SubjectKind | None", kind), department=department
        )  # fmt: skip
        app.show(views.build_difference_view(found, _rows(app, limit)))


@verb(
    Text("每个系统的数据可信度，差的在前，及先做什么",
         "How far each system's facts can be relied on, the worst first, and what to ask next"), action="read"
)  # fmt: skip
@_department
@_limit
@pass_app
def confidence(app: App, department: str | None, limit: int | None) -> None:
    with app.session() as session:
        found = read_inventory(session)
        scores = read_confidence(session, found)
        wanted = (department or "").casefold()
        systems = [s for s in found.systems if wanted in (s.department or "").casefold()]
        app.show(views.build_confidence_view(systems, scores, _rows(app, limit)))
