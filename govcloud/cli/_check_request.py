from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text
from govcloud.report.request import build_request_view
from govcloud.workflow import request as workflow


@verb(Text("按服务目录核对部门的资源申请", "Check departments' requests against the service catalog"), name="request")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@pass_app
def request(app: App, files: tuple[Path, ...]) -> int:
    with app.session() as session:
        checks = workflow.check_request(session, files)
    app.show(*(build_request_view(check, number) for number, check in enumerate(checks, 1)))
    return 0 if all(check.conforms for check in checks) else 1
