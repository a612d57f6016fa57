from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.errors import InputError, UsageError
from govcloud.model.text import Text
from govcloud.report import request as views
from govcloud.workflow import request as workflow

_SHOWN = 10
"""Requests whose lines fit a terminal; of more only the summary is printed. JSON and CSV have all of them."""


@verb(
    Text(
        "按服务目录核对部门的资源申请（文件或目录），可出审核意见",
        "Check departments' requests (files or folders) against the service catalog, with review opinions",
    ),
    name="request",
    action="check",
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@option(
    "-o",
    "--opinion",
    "opinions",
    type=click.Path(path_type=Path),
    text=Text(
        "写审核意见：一份申请写成 .docx、.txt 或 .json 文件；多份写到目录，一份一个 .docx",
        "Write review opinions: one request as a .docx, .txt or .json file; several to a folder, a .docx each",
    ),
)
@option("--list", "listed", is_flag=True, text=Text("列出各申请最近一次核对", "List the newest check of every request"))
@pass_app
def request(app: App, files: tuple[Path, ...], opinions: Path | None, listed: bool) -> int:
    if listed == bool(files) or (listed and opinions):
        raise UsageError(
            Text("写申请文件，或单独用 --list", "Name requests, or use --list alone"),
            next_step=Text("例如 govcloud check request 申请.yaml", "For example: govcloud check request request.yaml"),
        )
    with app.session(*(("read",) if listed else ())) as session:
        if listed:
            latest = workflow.latest_requests(session)
            at = {views.key_of(check): instant for check, instant in latest}
            app.show(views.build_requests_view([check for check, _ in latest], at))
            return 0
        run = workflow.check_request(session, files, opinions)
    shown = [views.build_request_view(check, number) for number, check in enumerate(run.checks, 1)]
    if app.output == "table" and len(shown) > _SHOWN:
        shown = []
    if len(run.checks) > 1:
        shown.append(views.build_requests_view(run.checks))
    if run.faulty:
        shown.append(views.build_faulty_view(run.faulty))
    app.show(*shown)
    if opinions and run.checks:
        app.say(Text("审核意见已写入 {p}", "The review opinion is written to {p}").format(p=opinions))
    if run.faulty:
        return InputError.exit_code
    return 0 if all(check.conforms for check in run.checks) else 1
