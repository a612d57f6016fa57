from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text
from govcloud.report.departments import build_departments_view, build_overlaps_view
from govcloud.report.sizing import build_sizing_totals_view, build_sizing_view
from govcloud.report.zombies import build_zombie_evidence_view, build_zombies_view
from govcloud.workflow.overlap import list_departments, list_overlaps
from govcloud.workflow.sizing import size_servers, write_request
from govcloud.workflow.zombies import list_zombies

_DEPARTMENT = Text("只看这个部门", "Only this department")


@verb(
    Text(
        "按五种情形排查僵尸系统，列出依据；发现时退出码为 1",
        "Look for zombie systems by the five criteria; exit 1 if any",
    ),
    name="zombies",
    action="read",
)
@option("--department", text=_DEPARTMENT)
@option("--all", "everything", is_flag=True, text=Text("列出全部系统和所缺资料", "Every system, and what is missing"))
@pass_app
def zombies(app: App, department: str | None, everything: bool) -> int:
    with app.session() as session:
        found = list_zombies(session, department=department)
    view = build_zombies_view(found.verdicts, found.inventory, found.rules, found.coverage, everything=everything)
    evidence = build_zombie_evidence_view(found.verdicts, found.inventory, everything=everything)
    app.show(*((view, evidence) if evidence.rows or app.output == "json" else (view,)))
    return 1 if found.found else 0


@verb(
    Text(
        "按利用率给出每台服务器的目录服务、价格和可省费用",
        "Catalog offerings for each server by its use, with price and saving",
    ),
    name="sizing",
    action="read",
)
@option("--department", text=_DEPARTMENT)
@option("--system", "system_id", metavar="ID", text=Text("只看这个系统", "Only this system"))
@option(
    "--request",
    "request_path",
    type=click.Path(path_type=Path, dir_okay=False),
    text=Text("写成资源申请文件，可用 check request 核对", "Also write it as a request that check request reads"),
)
@pass_app
def sizing(app: App, department: str | None, system_id: str | None, request_path: Path | None) -> None:
    with app.session() as session:
        sized = size_servers(session, department=department, system_id=system_id)
    written = write_request(sized, request_path) if request_path is not None else None
    app.show(build_sizing_view(sized.sizing, sized.inventory), build_sizing_totals_view(sized.sizing, sized.inventory))
    if written is not None:
        app.say(Text("已写入 {path}", "Written: {path}").format(path=written))


@verb(
    Text("各部门和处室的系统、服务器、网络和问题数", "What every department and office has"),
    name="departments",
    action="read",
)
@pass_app
def departments(app: App) -> None:
    with app.session() as session:
        rows = list_departments(session)
    app.show(build_departments_view(rows))


@verb(
    Text("功能相近、可考虑整合的系统及理由", "Systems that may do the same, with the reason"),
    name="overlaps",
    action="read",
)
@option("--department", text=_DEPARTMENT)
@pass_app
def overlaps(app: App, department: str | None) -> None:
    with app.session() as session:
        found = list_overlaps(session, department=department)
    app.show(build_overlaps_view(found.found, found.inventory, found.catalog))
