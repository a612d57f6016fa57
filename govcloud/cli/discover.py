from __future__ import annotations

from pathlib import Path

import click

from govcloud.access import FILE, load_hosts
from govcloud.cli.base import App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text
from govcloud.report.collect import build_discovery_views, build_trust_view
from govcloud.workflow.collect import discover_ssh, trust_hosts

_HOSTS = Text("主机清单，默认为工作区的 hosts.yaml", "List of hosts; hosts.yaml of the workspace by default")
_PATH = click.Path(path_type=Path, dir_okay=False)
_WANTING = {"changed", "not_expected", "failed"}


@group(Text("登录主机，核实实际情况", "Ask the hosts what they really are"))
def discover() -> None:
    pass


@verb(Text("查看并认可主机密钥；未认可的主机不登录", "See and approve host keys; nobody logs in to others"))
@option("--hosts", "hosts_file", type=_PATH, text=_HOSTS)
@option("--approve", is_flag=True, text=Text("认可新密钥，记录认可人", "Approve the new keys; who did is recorded"))
@option(
    "--expect",
    type=_PATH,
    text=Text(
        "另一途径得来的指纹清单，只认其中的密钥",
        "List of fingerprints that came another way; only those keys are approved",
    ),
)
@option(
    "--replace",
    multiple=True,
    metavar="HOST",
    text=Text("换掉这台主机原来认可的密钥", "Replace the key that was approved for this host"),
)
@pass_app
def trust(app: App, hosts_file: Path | None, approve: bool, expect: Path | None, replace: tuple[str, ...]) -> int:
    with app.session() as session:
        hosts = load_hosts(hosts_file or session.workspace.path / FILE)
        trusts = trust_hosts(session, hosts, approve=approve, expect=expect, replace=replace)
    app.show(build_trust_view(trusts))
    return 1 if any(t.state in _WANTING for t in trusts) else 0


@verb(
    Text(
        "登录各主机查明系统、地址、端口、连接和路由", "Log in and read systems, addresses, sockets, connections, routes"
    )
)
@option("--hosts", "hosts_file", type=_PATH, text=_HOSTS)
@pass_app
def ssh(app: App, hosts_file: Path | None) -> int:
    with app.session() as session:
        hosts = load_hosts(hosts_file or session.workspace.path / FILE)
        result = discover_ssh(session, hosts)
    app.show(*build_discovery_views(result))
    return 1 if result.failed else 0


discover.add_command(trust)
discover.add_command(ssh)
command = discover
