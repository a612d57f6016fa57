from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, command, option, pass_app
from govcloud.model.text import Text
from govcloud.workflow.init import init_workspace


@command(Text("建立一个站点的工作区", "Make a workspace for a site"))
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@option(
    "--site",
    required=True,
    text=Text("站点：shanxi、jincheng、jiaocheng、shandong", "Site: shanxi, jincheng, jiaocheng, shandong"),
)
@pass_app
def init(app: App, directory: Path, site: str) -> None:
    workspace = init_workspace(directory, site, actor=app.user)
    settings = workspace.settings
    app.say(
        Text(
            "已建立工作区 {path}\n单位：{name}\n法规：{packs}\n服务目录：{catalog}\n下一步：govcloud -w {path} import 普查表.xlsx",
            "Workspace made: {path}\nOffice: {name}\nRegulations: {packs}\nService catalog: {catalog}\n"
            "Next: govcloud -w {path} import CENSUS.xlsx",
        ).format(path=directory, name=settings.name, packs=", ".join(settings.jurisdiction), catalog=settings.catalog)
    )


command = init
