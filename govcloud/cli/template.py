from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, command, option, pass_app
from govcloud.model.text import Text
from govcloud.workflow import template as workflow

_KINDS = ("census", "servers", "networks", "dependencies", "projects", "request")


@command(
    Text("生成发给各部门填写的调查表", "Make the survey forms that departments fill in"),
    name="template",
    action="collect",
)
@click.argument("kinds", metavar="KIND…", nargs=-1, required=True, type=click.Choice(_KINDS))
@option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    text=Text("写成哪个文件（.xlsx）；已有的文件不覆盖", "The file to write (.xlsx); an existing one is kept"),
)
@option(
    "--department",
    text=Text(
        "发给哪个部门：表上写明，改正后的同一份表替换前一次",
        "For this department: a corrected copy replaces the earlier one",
    ),
)
@option(
    "--filled",
    is_flag=True,
    text=Text(
        "预填清单中已有的内容，部门只需核对", "Fill in what the inventory knows, so that it only has to be checked"
    ),
)
@pass_app
def template(
    app: App, kinds: tuple[workflow.FormKind, ...], output: Path, department: str | None, filled: bool
) -> None:
    with app.session() as session:
        made = workflow.write_form(
            session, output, tuple(dict.fromkeys(kinds)), department=department, filled=filled
        )  # fmt: skip
    app.say(Text("已写入 {path}", "Written: {path}").format(path=made.path))
    if filled:
        app.say(Text("预填 {n} 行", "{n} rows are filled in").format(n=sum(made.rows.values())))


command = template
