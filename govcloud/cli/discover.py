from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from govcloud.cli._discover_clouds import ansible, ec2, openstack
from govcloud.cli.base import App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text
from govcloud.report.discovery import build_discovery_views, build_trust_view
from govcloud.workflow.discover import Asking, discover_ssh, trust_hosts
from govcloud.workflow.targets import Selection, select_hosts

_PATH = click.Path(path_type=Path, dir_okay=False)
_WANTING = {"changed", "not_expected", "failed"}
_SELECTION = (
    option("--hosts", "hosts_file", type=_PATH, text=Text(
        "主机清单，默认为工作区的 hosts.yaml", "List of hosts; hosts.yaml of the workspace by default")),
    option("--from-inventory", is_flag=True, text=Text(
        "改为登录清单中有地址的全部服务器", "Go to the servers of the inventory that have an address")),
    option("--user", "login", metavar="ACCOUNT", text=Text("登录用的账号", "Account to log in with")),
    option("--key", type=_PATH, text=Text("私钥文件；不写则用 ssh-agent", "Private key; ssh-agent where none is named")),
    option("--via", metavar="BASTION", text=Text(
        "经跳板机：hosts.yaml 中的名称，或 用户@地址:端口", "Through a bastion: a name of hosts.yaml, or user@address:port")),
    option("--zone", text=Text("主机所在的网络区域（清单未写的）", "Network zone of the hosts that name none")),
    option("--limit", metavar="PATTERN", text=Text(
        "只限这些：主机名（可用 * ?）、zone:区域、department:部门、system:系统，逗号分隔，前加 ! 为除外",
        "Only these: host names (* ?), zone:Z, department:D, system:S, separated by commas; ! leaves out")),
)  # fmt: skip


def _selection(function: Callable[..., Any]) -> Callable[..., Any]:
    for add in reversed(_SELECTION):
        function = add(function)
    return function


def _select(
    hosts_file: Path | None, from_inventory: bool, login: str | None, key: Path | None, via: str | None,
    zone: str | None, limit: str | None, *, resume: bool = False,
) -> Selection:  # fmt: skip
    return Selection(
        hosts_file=hosts_file, from_inventory=from_inventory, user=login, key=key, via=via, zone=zone, limit=limit,
        resume=resume,
    )  # fmt: skip


@group(Text("登录主机，读取云平台，核实实际情况", "Ask hosts and clouds what is really there"))
def discover() -> None:
    pass


@verb(
    Text("查看并认可主机密钥；未认可的主机不登录", "See and approve host keys; nobody logs in to others"),
    action="collect",
)
@_selection
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
def trust(app: App, /, approve: bool, expect: Path | None, replace: tuple[str, ...], **selection: Any) -> int:  # fmt: skip
    with app.session() as session:
        targets = select_hosts(session, _select(**selection))
        trusts = trust_hosts(
            session, targets.hosts, bastions=targets.bastions, approve=approve, expect=expect, replaced=replace
        )
    app.show(build_trust_view(trusts))
    return 1 if any(t.state in _WANTING for t in trusts) else 0


@verb(
    Text(
        "登录各主机，查明系统、硬件、软件、端口、连接和路由",
        "Log in and read systems, hardware, software, sockets, connections, routes",
    ),
    action="collect",
)
@_selection
@option(
    "--resume",
    is_flag=True,
    text=Text("跳过最近 12 小时内答过的主机", "Leave out hosts that answered in the last 12 hours"),
)
@option(
    "--workers",
    type=click.IntRange(1, 500),
    default=24,
    metavar="N",
    text=Text("同时登录的台数，默认 24", "Hosts at a time; 24 by default"),
)
@option(
    "--deadline",
    type=click.FloatRange(1, 3600),
    default=60.0,
    metavar="SECONDS",
    text=Text("每台主机的时限（秒），默认 60", "Time limit for one host in seconds; 60 by default"),
)
@option(
    "--samples",
    type=click.IntRange(1, 10000),
    default=1,
    metavar="N",
    text=Text("连接取样次数，用以看到短暂的依赖", "How often connections are looked at, to see short-lived ones"),
)
@option(
    "--every",
    type=click.FloatRange(0.1, 86400),
    default=30.0,
    metavar="SECONDS",
    text=Text("两次取样的间隔（秒），默认 30", "Seconds between two looks; 30 by default"),
)
@pass_app
def ssh(
    app: App, /, resume: bool, workers: int, deadline: float, samples: int, every: float, **selection: Any
) -> int:  # fmt: skip
    asking = Asking(
        workers=workers, deadline_seconds=deadline, connect_seconds=min(10.0, deadline), samples=samples,
        every_seconds=every,
    )  # fmt: skip
    with app.session() as session:
        targets = select_hosts(session, _select(**selection, resume=resume))
        result = discover_ssh(session, targets.hosts, bastions=targets.bastions, asking=asking)
    app.show(*build_discovery_views(result, targets.left_out))
    return 1 if result.failed else 0


for command in (trust, ssh, openstack, ec2, ansible):
    discover.add_command(command)
command = discover
