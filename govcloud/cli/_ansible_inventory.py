from __future__ import annotations

import json
from pathlib import Path

import click

from govcloud import resources
from govcloud.cli.base import App, command, option, pass_app
from govcloud.errors import UsageError
from govcloud.model.text import Text
from govcloud.report.ansible_inventory import build_ansible_groups_view, render_ansible_inventory
from govcloud.report.files import save
from govcloud.workflow.ansible_source import build_ansible_inventory, list_for_ansible


@command(
    Text("作为 Ansible 主机清单输出（JSON）", "The servers as an Ansible inventory (JSON)"),
    name="ansible",
    action="read",
)
@option("--list", "everything", is_flag=True, text=Text("全部主机和组（默认）", "All hosts and groups (the default)"))
@option("--host", metavar="NAME", text=Text("一台主机的变量", "Variables of one host"))
@option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    text=Text("写成静态清单文件（YAML）", "Write a static inventory file (YAML)"),
)
@option("--groups", is_flag=True, text=Text("各主机组的含义", "What the groups stand for"))
@option(
    "--plugin-path",
    is_flag=True,
    text=Text(
        "输出随附的 Ansible 清单插件所在目录",
        "Print the folder of the Ansible inventory plugin that comes with the tool",
    ),
)
@pass_app
def ansible_inventory(
    app: App, everything: bool, host: str | None, output: Path | None, groups: bool, plugin_path: bool
) -> None:
    if sum((everything, host is not None, output is not None, groups, plugin_path)) > 1:
        raise UsageError(
            Text(
                "只能选其中一个：--list、--host、-o、--plugin-path", "Choose one of --list, --host, -o, --plugin-path"
            ),
            where="inventory ansible",
        )
    if plugin_path:
        click.echo(resources.folder("playbooks") / "plugins" / "inventory")
    elif groups:
        with app.session() as session:
            listing = list_for_ansible(session)
        app.show(build_ansible_groups_view(listing.groups, listing.meanings, listing.left_out))
    elif output is not None:
        _write(app, output)
    else:
        with app.session() as session:
            found = build_ansible_inventory(session)
        # Ansible reads this: always JSON, in ASCII, whatever the terminal.
        click.echo(json.dumps(found if host is None else _of(found, host), indent=2))


def _of(found: dict[str, object], host: str) -> object:
    meta = found["_meta"]
    known = meta["hostvars"] if isinstance(meta, dict) else {}
    if host not in known:
        raise UsageError(
            Text("清单里没有这台主机", "The inventory has no such host"), where=host,
            next_step=Text("用 --list 查看全部", "See them all with --list"),
        )  # fmt: skip
    return known[host]


def _write(app: App, output: Path) -> None:
    with app.session() as session:
        listing = list_for_ansible(session)
    save(output, render_ansible_inventory(listing.groups, listing.hosts).encode())
    app.say(
        Text("已写入 {p}：{n} 台主机、{g} 个组", "{p} written: {n} hosts, {g} groups").format(
            p=output, n=len(listing.hosts), g=len(listing.groups)
        )
    )
    if listing.left_out:
        app.say(
            Text("没有地址、未列入的服务器：{n}", "Left out, having no address: {n}").format(
                n=", ".join(listing.left_out)
            )
        )
