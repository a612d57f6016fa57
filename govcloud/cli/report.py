from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, command, option, pass_app
from govcloud.model.text import Text
from govcloud.report.written import build_written_view
from govcloud.workflow.report import write_report


@command(Text("写出离线报告（网页与表格）", "Write the offline report (pages and workbooks)"))
@option("-o", "--output", "folder", type=click.Path(path_type=Path, file_okay=False),
        text=Text("写到这个目录，默认为工作区的 reports", "Folder to write to; by default the workspace's reports"))  # fmt: skip
@pass_app
def report(app: App, folder: Path | None) -> None:
    with app.session() as session:
        files = write_report(session, folder or session.workspace.folder("reports"))
    app.show(build_written_view(files))


command = report
