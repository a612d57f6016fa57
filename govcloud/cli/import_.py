from __future__ import annotations

import typing
from collections.abc import Sequence
from pathlib import Path

import click

from govcloud.cli.base import App, command, option, pass_app
from govcloud.errors import InputError, UsageError
from govcloud.model.collect import ImportResult, SheetKind
from govcloud.model.text import Text
from govcloud.report.collect import build_import_views
from govcloud.workflow.collect import import_files

_WORKBOOKS = frozenset({".xlsx", ".xlsm", ".xlsb", ".xls", ".et", ".ods", ".csv", ".tsv", ".txt"})


@command(
    Text("导入各部门报来的工作簿和其他工具的导出", "Import the departments' workbooks and exports of other tools"),
    name="import",
    action="collect",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@option(
    "--as",
    "kind",
    type=click.Choice(typing.get_args(SheetKind)),
    text=Text("指明表的类型，默认按表头识别", "Kind of the tables; found by their headers by default"),
)
@option("--preview", is_flag=True, text=Text("只看会有什么变化，不写入", "Show what would change and store nothing"))
@option(
    "--returns",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    text=Text(
        "把有问题的工作簿标出问题后写到这个目录，供退回部门",
        "Write the workbooks with problems, marked, to this folder to be sent back",
    ),
)
@option(
    "--replaces",
    type=click.Path(path_type=Path),
    text=Text("这一个文件是先前导入的哪个文件的更正", "The file that was imported before and that this one corrects"),
)
@pass_app
def import_(
    app: App, files: tuple[Path, ...], kind: SheetKind | None, preview: bool, folder: Path | None, replaces: Path | None
) -> int:  # fmt: skip
    with app.session() as session:
        result = import_files(session, _workbooks(files), kind=kind, preview=preview, replaces=replaces)
        returned: Sequence[Path] = ()
        if folder is not None:
            from govcloud.workflow.returns import write_returns

            returned = write_returns(session, result, folder, app.lang)
    app.show(*build_import_views(result))
    for path in returned:
        app.say(Text("退回件：{p}", "To be sent back: {p}").format(p=path))
    return _exit_code(result)


def _workbooks(files: Sequence[Path]) -> list[Path]:
    """A folder stands for the workbooks in it and below; lock files (`~$…`) and hidden ones are no workbooks."""
    found: list[Path] = []
    for path in files:
        if not path.is_dir():
            found.append(path)
            continue
        inside = [
            p for p in sorted(path.rglob("*"))
            if p.suffix.lower() in _WORKBOOKS and p.is_file() and not p.name.startswith(("~$", "."))
        ]  # fmt: skip
        if not inside:
            raise UsageError(Text("目录里没有工作簿", "There is no workbook in the folder"), where=str(path))
        found += inside
    return found


def _exit_code(result: ImportResult) -> int:
    if any(f.state == "refused" for f in result.files):
        return InputError.exit_code
    return 1 if any(p.left_out or not p.taken for f in result.files for p in f.problems) else 0


command = import_
