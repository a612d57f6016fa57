from __future__ import annotations

import importlib
from typing import cast, get_args

import click

from govcloud.cli.base import App, LocalizedGroup, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.answers import Query
from govcloud.model.inventory import Traffic
from govcloud.model.text import Text
from govcloud.report import inventory as views
from govcloud.report.inventory_subject import build_subject_views
from govcloud.report.inventory_traffic import build_flow_page, build_tenant_page
from govcloud.report.networks import build_network_evidence_view
from govcloud.workflow import inventory as answers

_ELSEWHERE = {
    "ansible": ("_ansible_inventory", "ansible_inventory"),
    **{name: ("_inventory_analysis", name) for name in ("departments", "overlaps", "sizing", "zombies")},
    **{name: ("_inventory_answers", name) for name in (
        "confidence", "confirm", "confirmations", "diff", "snapshot", "snapshots")},
}  # fmt: skip
"""Command -> its module and function: somebody who looks up one server does not wait for what judges the estate."""


class Questions(LocalizedGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _ELSEWHERE:
            module, function = _ELSEWHERE[cmd_name]
            found: click.Command = getattr(importlib.import_module(f"govcloud.cli.{module}"), function)
            return found
        return super().get_command(ctx, cmd_name)


inventory = Questions("inventory")
inventory.text = Text("已知的系统、服务器、网络、依赖，及其出处", "What is known, from where, since when")


_department = option(
    "--department", text=Text("只列这个部门的；写名称或其一部分", "Of this department only; its name or a part of it")
)
_find = option("--find", metavar="TEXT", text=Text("只列含有这些字的", "Only those that hold this text in some value"))
_limit = option(
    "--limit", type=click.IntRange(min=0), metavar="N",
    text=Text("最多列多少行；0 为全部；表格默认 200，json 和 csv 默认全部",
              "How many rows; 0: all; 200 by default for tables, all for json and csv"),
)  # fmt: skip


def row_limit(app: App, limit: int | None) -> int | None:
    """None: all. A screen is filled with a part; what a script reads is whole unless it asks for less."""
    if limit is None:
        return views.TABLE_LIMIT if app.output == "table" else None
    return limit or None


def _query(app: App, department: str | None, find: str | None, limit: int | None) -> Query:
    return Query(department=department, find=find, limit=row_limit(app, limit))


@verb(Text("列出政务信息系统", "List the systems"), action="read")
@_department
@_find
@_limit
@pass_app
def systems(app: App, department: str | None, find: str | None, limit: int | None) -> None:
    with app.session() as session:
        page = answers.list_page(session, "system", _query(app, department, find, limit))
        app.show(views.build_system_page(page))


@verb(Text("列出服务器", "List the servers"), action="read")
@_department
@_find
@_limit
@pass_app
def servers(app: App, department: str | None, find: str | None, limit: int | None) -> None:
    with app.session() as session:
        page = answers.list_page(session, "server", _query(app, department, find, limit))
        app.show(views.build_server_page(page))


@verb(Text("网络及其上的系统和服务器", "Networks, and who is on them"), action="read")
@_department
@_find
@_limit
@pass_app
def networks(app: App, department: str | None, find: str | None, limit: int | None) -> None:
    with app.session() as session:
        page = answers.list_page(session, "network", _query(app, department, find, limit))
        app.show(views.build_network_page(page))


@verb(Text("系统之间的依赖，填报的和测得的", "Dependencies, declared and measured"), action="read")
@_department
@_find
@_limit
@pass_app
def dependencies(app: App, department: str | None, find: str | None, limit: int | None) -> None:
    with app.session() as session:
        page = answers.list_page(session, "dependency", _query(app, department, find, limit))
        app.show(views.build_dependency_page(page))


@verb(Text("云上的租户（项目）及其配额和用量", "Tenants of clouds with their quotas and what they use"), action="read")
@_department
@_find
@_limit
@pass_app
def tenants(app: App, department: str | None, find: str | None, limit: int | None) -> None:
    with app.session() as session:
        page = answers.list_page(session, "tenant", _query(app, department, find, limit))
        app.show(build_tenant_page(page))


@verb(
    Text("测得的连接：谁连谁的哪个端口，两端是什么程序", "Measured connections: who talks to which port, and the programs at both ends"), action="read"
)  # fmt: skip
@click.argument("name", metavar="[ID]", required=False)
@option("--traffic", type=click.Choice(get_args(Traffic)), text=Text("只列这一类", "Only this class of traffic"))
@_limit
@pass_app
def connections(app: App, name: str | None, traffic: str | None, limit: int | None) -> None:
    with app.session() as session:
        page = answers.list_flows(session, name, cast("Traffic | None", traffic), row_limit(app, limit))
        app.show(build_flow_page(page))


@verb(
    Text("来源说法不一的事实；csv 可填写确认值后交给 inventory confirm",
         "Facts that witnesses disagree about; the csv can be filled in for inventory confirm"), action="read"
)  # fmt: skip
@_department
@_find
@_limit
@pass_app
def conflicts(app: App, department: str | None, find: str | None, limit: int | None) -> None:
    with app.session() as session:
        page = answers.list_conflicts(session, _query(app, department, find, limit))
        app.show(views.build_conflict_page(page, answers=app.output == "csv"))


@verb(
    Text(
        "无人填报的服务器和网段，以及专网上的服务器",
        "Servers and address blocks nobody declared; servers on dedicated networks",
    ),
    action="read",
)
@_department
@_find
@_limit
@pass_app
def undeclared(app: App, department: str | None, find: str | None, limit: int | None) -> None:
    with app.session() as session:
        found = answers.list_undeclared(session, _query(app, department, find, limit))
        app.show(
            views.build_undeclared_page(found.page),
            build_network_evidence_view(found.traces, found.inventory),
            views.build_dedicated_servers_view(found.inventory),
        )


@verb(
    Text("一个对象的全部字段，连同出处和时间", "Every field of one subject, with where and when it was read"),
    action="read",
)
@click.argument("name", metavar="ID")
@option(
    "--why", is_flag=True,
    text=Text("每个字段的全部来源和采用理由，以及编号为何合并", "All witnesses of each field and why one is believed; why ids were joined"),
)  # fmt: skip
@option(
    "--history", is_flag=True, text=Text("历次说法，含已撤回的", "All that was ever said, also what was taken back")
)
@pass_app
def show(app: App, name: str, *, why: bool, history: bool) -> None:
    with app.session() as session:
        found = answers.explain_subjects(session, name, history=history)
        app.show(*(view for answer in found for view in build_subject_views(answer, why=why, history=history)))


for _verb in (systems, servers, networks, dependencies, connections, tenants, conflicts, undeclared, show):
    inventory.add_command(_verb)
command = inventory
