from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from govcloud.cli.base import App, command, option, pass_app
from govcloud.demo.road import walk
from govcloud.model.text import Text


@command(
    Text(
        "在本机真实主机上把全程走一遍（示例数据）",
        "Walk the whole road on the sample estate, against real hosts on this machine",
    )
)
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), required=False)
@option("--site", default="shanxi", text=Text("站点，默认 shanxi", "Site; shanxi by default"))
@option("--no-crash", is_flag=True, text=Text("途中不杀主控", "Do not kill the controller on the way"))
@option(
    "--loopback",
    is_flag=True,
    text=Text(
        "不用命名空间，主机改为本机端口上的 SSH 服务",
        "No namespaces: the hosts are SSH servers on ports of this machine",
    ),
)
@option(
    "--keep",
    is_flag=True,
    text=Text("走完后保留主机，按回车才结束", "Keep the hosts at the end until Enter is pressed"),
)
@pass_app
def demo(app: App, directory: Path | None, site: str, no_crash: bool, loopback: bool, keep: bool) -> None:
    folder = directory or Path(f"govcloud-demo-{datetime.now():%Y%m%d-%H%M%S}")
    with walk(folder, site=site, lang=app.lang, crash=not no_crash, loopback=loopback) as lab:
        if keep:
            app.say(
                Text(
                    "主机仍在。另开一个终端，命令前加上：{prefix}",
                    "The hosts are still up. In another terminal, put this before a command: {prefix}",
                ).format(prefix=" ".join(lab.prefix) or "-")
            )
            click.prompt(
                Text("按回车结束", "Press Enter to end").to(app.lang), default="", show_default=False, prompt_suffix=""
            )


command = demo
