from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from govcloud.cli._door import without_accounts
from govcloud.cli.base import App, command, option, pass_app
from govcloud.model.ledger import HashName
from govcloud.model.text import Text
from govcloud.workflow.init import init_workspace


@command(Text("建立一个站点的工作区", "Make a workspace for a site"))
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@option(
    "--site",
    required=True,
    text=Text("站点：shanxi、jincheng、jiaocheng、shandong", "Site: shanxi, jincheng, jiaocheng, shandong"),
)
@option(
    "--ledger",
    type=click.Choice(get_args(HashName)),
    default="sha256",
    text=Text(
        "台账的算法，建立后不再改变：sha256（配 Ed25519，默认）或 sm3（配 SM2）",
        "The ledger's hash, fixed for good: sha256 (with Ed25519, the default) or sm3 (with SM2)",
    ),
)
@pass_app
def init(app: App, directory: Path, site: str, ledger: HashName) -> None:
    workspace = init_workspace(directory, site, actor=without_accounts(app.user), ledger=ledger)
    settings = workspace.settings
    app.say(
        Text(
            "已建立工作区 {path}\n单位：{name}\n法规：{packs}\n服务目录：{catalog}\n下一步：govcloud -w {path} import 普查表.xlsx",
            "Workspace made: {path}\nOffice: {name}\nRegulations: {packs}\nService catalog: {catalog}\n"
            "Next: govcloud -w {path} import CENSUS.xlsx",
        ).format(path=directory, name=settings.name, packs=", ".join(settings.jurisdiction), catalog=settings.catalog)
    )


command = init
