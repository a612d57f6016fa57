from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from govcloud.cli.base import DAY, App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import UsageError
from govcloud.model.handover import Role
from govcloud.model.text import Text
from govcloud.report.handover import build_access_view, build_checklist_view, build_list_view, build_sign_view
from govcloud.workflow import takeover as takeover_workflow
from govcloud.workflow import takeover_package, takeover_papers, takeover_rotate
from govcloud.workflow.takeover import Takeover

_FILE = click.Path(path_type=Path, dir_okay=False)
_identity = option(
    "--identity", type=_FILE,
    text=Text("对方私钥文件，只在原处读取用于验证登录", "The builder's private key, read in place to prove a login"),
)  # fmt: skip


@group(Text("运维接管：资料、换钥、双方签字", "Maintenance takeover: papers, keys, two sign-offs"))
def takeover() -> None:
    pass


def _show(app: App, found: Takeover, done: Text | None = None) -> int:
    """What happened, or why not; 1 where it did not."""
    if found.obstacles:
        for obstacle in found.obstacles:
            app.say(obstacle)
    elif done is not None:
        app.say(done)
    if app.output != "table":
        _show_all(app, found)
    return 1 if found.obstacles else 0


def _show_all(app: App, found: Takeover) -> None:
    handover = found.handover
    app.show(
        build_checklist_view(handover, found.checklist, takeover_workflow.done_items(found), found.status),
        build_access_view(handover),
        build_sign_view(handover, takeover_workflow.sign_offs(found)),
    )


@verb(Text("开始一个系统的接管", "Open the takeover of a system"))
@click.argument("system")
@option(
    "--builder",
    required=True,
    text=Text("接管单位（项目建设单位）名称", "Name of the construction unit that takes over"),
)
@option(
    "--builder-key",
    required=True,
    type=_FILE,
    text=Text("对方 SSH 公钥文件（.pub）", "The builder's SSH public key (.pub)"),
)
@_identity
@option(
    "--host",
    "hosts",
    multiple=True,
    text=Text("换钥的主机，默认为迁移目标", "Host whose keys change; the migration target by default"),
)
@option(
    "--dual-run-until",
    type=DAY,
    text=Text("双方约定的双轨运行截止日", "Agreed last day of the dual run"),
)
@pass_app
def start(
    app: App, system: str, builder: str, builder_key: Path, identity: Path | None, hosts: tuple[str, ...],
    dual_run_until: datetime | None,
) -> int:  # fmt: skip
    with app.session() as session:
        found = takeover_workflow.start_takeover(
            session, system, builder=builder, builder_key=builder_key, identity=identity, hosts=hosts,
            dual_run_until=dual_run_until.date() if dual_run_until else None,
        )  # fmt: skip
    done = Text(
        "接管 {h} 已开始，必需资料 {n} 项\n下一步：govcloud takeover status {h} 查看清单，用 takeover evidence 逐项或 takeover papers 整目录提交",
        "Takeover {h} is open; {n} items are required\nNext: govcloud takeover status {h} lists them; takeover evidence hands one over, takeover papers a folder",
    )
    return _show(app, found, done.format(h=found.handover.handover_id, n=len(found.open)))


@verb(Text("提交一项资料：文件、说明或“不适用”及理由", "Hand over one item: a file, a note, or why it does not apply"))
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
        found = takeover_workflow.add_evidence(
            session, handover, item, file=file, note=not_applicable or note, not_applicable=not_applicable is not None
        )
    done = Text("已收：{item}；还有 {n} 项必需未完成", "Taken: {item}; {n} required items are open")
    return _show(app, found, done.format(item=item, n=len(found.open)))


@verb(Text("提交整个目录的资料，文件以清单项编号命名", "Hand over a folder of papers, its files named after the items"))
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
    done = Text("已收 {n} 项；还有 {open} 项必需未完成", "{n} taken; {open} required items are open")
    code = _show(app, found.takeover, done.format(n=len(found.taken), open=len(found.takeover.open)))
    return 1 if found.unknown else code


@verb(Text("接收方退回不完整的资料", "The receiver sends incomplete papers back"))
@click.argument("handover")
@click.argument("items", nargs=-1, required=True)
@option("--reason", required=True, text=Text("理由", "Why"))
@pass_app
def refuse(app: App, handover: str, items: tuple[str, ...], reason: str) -> int:
    with app.session() as session:
        found = takeover_workflow.refuse(session, handover, items, reason)
    return _show(app, found, Text("已退回：{items}", "Sent back: {items}").format(items=", ".join(items)))


@verb(
    Text(
        "更换登录密钥：装上对方公钥，撤掉其余，逐步验证",
        "Change the login keys: the builder's in, all others out, each step proved",
    )
)
@click.argument("handover")
@_identity
@pass_app
def rotate(app: App, handover: str, identity: Path | None) -> int:
    with app.session() as session:
        found = takeover_rotate.rotate(session, handover, identity=identity)
    if found.obstacles:
        return _show(app, found)
    app.show(build_access_view(found.handover))
    return 0 if found.handover.rotations[-1].ok else 1


@verb(
    Text(
        "再次验证：旧钥应被拒绝，对方密钥应能登录", "Prove again: the old key is refused, the builder's key is accepted"
    )
)
@click.argument("handover")
@_identity
@pass_app
def check(app: App, handover: str, identity: Path | None) -> int:
    with app.session() as session:
        found = takeover_rotate.check_access(session, handover, identity=identity)
    return _show(app, found, Text("登录验证符合预期，已记录", "The logins are as they should be; recorded"))


@verb(Text("接管的状态和清单；不写编号则列出全部", "State and checklist of a takeover; all of them without an id"))
@click.argument("handover", required=False)
@pass_app
def status(app: App, handover: str | None) -> None:
    with app.session() as session:
        if handover is not None:
            _show_all(app, takeover_workflow.get_takeover(session, handover))
            return
        rows = [(t.handover, t.status, len(t.open)) for t in takeover_workflow.list_takeovers(session)]
    app.show(build_list_view(rows))


@verb(Text("一方签字；双方须为不同的人", "Sign for one party; the two must be different persons"))
@click.argument("handover")
@option(
    "--role",
    required=True,
    type=click.Choice(["owner", "builder"]),
    text=Text("owner 业主单位，builder 建设单位", "owner or builder"),
)
@_identity
@pass_app
def sign(app: App, handover: str, role: Role, identity: Path | None) -> int:
    with app.session() as session:
        if identity is not None:
            checked = takeover_rotate.check_access(session, handover, identity=identity)
            if checked.obstacles:
                return _show(app, checked)
        found = takeover_workflow.sign(session, handover, role)
    both = found.status == "signed"
    return _show(
        app, found,
        Text("双方已签字，接管完成", "Both have signed: taken over") if both else Text("已签字，等待另一方", "Signed; waiting for the other party"),
    )  # fmt: skip


@verb(Text("导出接管归档包（清单、证据、签字）", "Write the takeover's file: checklist, evidence, sign-offs"))
@click.argument("handover")
@option("-o", "folder", required=True, type=click.Path(path_type=Path), text=Text("目标目录", "Target folder"))
@pass_app
def package(app: App, handover: str, folder: Path) -> int:
    with app.session() as session:
        found = takeover_package.write_package(session, handover, folder)
    return _show(app, found, Text("归档包已写入 {folder}", "Written to {folder}").format(folder=folder))


_VERBS: tuple[Any, ...] = (start, evidence, papers, refuse, rotate, check, status, sign, package)
for _verb in _VERBS:
    takeover.add_command(_verb)

command = takeover
