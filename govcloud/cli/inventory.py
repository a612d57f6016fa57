from __future__ import annotations

import click

from govcloud.cli.base import App, group, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import UsageError
from govcloud.model.text import Text
from govcloud.report import inventory as views
from govcloud.workflow.inventory import find_subjects, read_inventory, stray_routes


@group(Text("已知的系统、服务器、网络、依赖，及其出处", "What is known, from where, since when"))
def inventory() -> None:
    pass


@verb(Text("政务信息系统", "Systems"))
@pass_app
def systems(app: App) -> None:
    with app.session() as session:
        app.show(views.build_systems_view(read_inventory(session)))


@verb(Text("服务器", "Servers"))
@pass_app
def servers(app: App) -> None:
    with app.session() as session:
        app.show(views.build_servers_view(read_inventory(session)))


@verb(Text("网络及其上的系统和服务器", "Networks, and who is on them"))
@pass_app
def networks(app: App) -> None:
    with app.session() as session:
        app.show(views.build_network_list_view(read_inventory(session)))


@verb(Text("系统之间的依赖，填报的和测得的", "Dependencies, declared and measured"))
@pass_app
def dependencies(app: App) -> None:
    with app.session() as session:
        app.show(views.build_dependencies_view(read_inventory(session)))


@verb(Text("来源说法不一的事实", "Facts that witnesses disagree about"))
@pass_app
def conflicts(app: App) -> None:
    with app.session() as session:
        app.show(views.build_conflicts_view(read_inventory(session)))


@verb(
    Text(
        "无人填报的服务器和网段，以及专网上的服务器",
        "Servers and address blocks nobody declared; servers on dedicated networks",
    )
)
@pass_app
def undeclared(app: App) -> None:
    with app.session() as session:
        found = read_inventory(session)
    app.show(
        views.build_undeclared_view(found),
        views.build_stray_routes_view(found, stray_routes(found)),
        views.build_dedicated_servers_view(found),
    )


@verb(Text("一个对象的全部字段，连同出处和时间", "Every field of one subject, with where and when it was read"))
@click.argument("name", metavar="ID")
@pass_app
def show(app: App, name: str) -> None:
    with app.session() as session:
        found = read_inventory(session)
    subjects = find_subjects(found, name)
    if not subjects:
        raise UsageError(
            Text("清单里没有这个编号、名称或地址", "The inventory has no such id, name or address"),
            where=name,
            next_step=Text(
                "用 govcloud inventory systems 或 servers 查看", "See govcloud inventory systems, or servers"
            ),
        )
    app.show(*(views.build_subject_view(found, s) for s in subjects))


for _verb in (systems, servers, networks, dependencies, conflicts, undeclared, show):
    inventory.add_command(_verb)
command = inventory
