from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from govcloud.cli.base import App, command, option, pass_app
from govcloud.model.text import Text
from govcloud.report.files import save
from govcloud.report.networks import build_network_evidence_view, build_networks_view
from govcloud.report.xlsx import render_xlsx
from govcloud.workflow import networks as workflow


@command(
    Text("列出尚存的业务专网及撤并障碍", "List the dedicated networks that remain and what blocks closing them"),
    name="networks",
)
@option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    text=Text("按哪一天判断，默认今天", "The day to judge by; today by default"),
)
@option(
    "--xlsx",
    type=click.Path(path_type=Path, dir_okay=False),
    text=Text("同时写成工作簿", "Also write it as a workbook"),
)
@pass_app
def networks(app: App, as_of: datetime | None, xlsx: Path | None) -> None:
    with app.session() as session:
        found = workflow.list_remaining(session, as_of.date() if as_of else None)
    views = (
        build_networks_view(found.rows, found.coverage),
        build_network_evidence_view(found.undeclared, found.inventory),
    )
    app.show(*views)
    if xlsx is not None:
        app.say(Text("已写入 {path}", "Written: {path}").format(path=save(xlsx, render_xlsx(views, app.lang))))


command = networks
