from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, command, option, pass_app
from govcloud.errors import InputError
from govcloud.model.collect import SheetKind
from govcloud.model.text import Text
from govcloud.report.collect import build_import_views
from govcloud.workflow.collect import import_files

_KINDS = ("census", "servers", "networks", "dependencies", "projects")


@command(Text("导入各部门报来的工作簿", "Import the departments' workbooks"), name="import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@option(
    "--as",
    "kind",
    type=click.Choice(_KINDS),
    text=Text("指明表的类型，默认按表头识别", "Kind of the tables; found by their headers by default"),
)
@option("--preview", is_flag=True, text=Text("只看会有什么变化，不写入", "Show what would change and store nothing"))
@pass_app
def import_(app: App, files: tuple[Path, ...], kind: SheetKind | None, preview: bool) -> int:
    with app.session() as session:
        result = import_files(session, files, kind=kind, preview=preview)
    app.show(*build_import_views(result))
    if any(f.state == "refused" for f in result.files):
        return InputError.exit_code
    return 1 if result.rejected else 0


command = import_
