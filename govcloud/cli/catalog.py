from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from govcloud.cli.base import DAY, App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.catalog import Arch, Catalog, Layer, Zone
from govcloud.model.text import Text
from govcloud.report import catalog as views
from govcloud.report.catalog_diff import build_diff_views
from govcloud.settings import Workspace, open_workspace
from govcloud.workflow import catalog as workflow

_CATALOG = Text(
    "目录编号、编号@版本，或目录文件夹；默认为工作区的目录，写明时不需要工作区",
    "Id of a catalog, id@version, or its folder; the workspace's own by default; no workspace is needed with it",
)
_ON = Text("按哪一天的版本和状态，默认今天", "The day whose version and states are meant; today by default")
_INVALID = 3


@group(Text("政务云服务目录", "The service catalog of the government cloud"), name="catalog")
def catalog() -> None:
    pass


@verb(Text("列出服务项", "List the offerings"), name="list", action="read")
@option("--catalog", "named", text=_CATALOG)
@option("--on", type=DAY, text=_ON)
@option(
    "--find",
    text=Text(
        "只列编码、名称、说明或类别含此文字的", "Only those whose code, name, description or class has this text"
    ),
)
@option("--layer", type=click.Choice(["iaas", "paas", "saas"]), text=Text("只列一个层次", "Only this layer"))
@option("--class", "service_class", text=Text("只列一个类别（编号）", "Only this class (id)"))
@option("--zone", type=click.Choice(["gov_extranet", "internet", "gov_intranet"]),
        text=Text("只列一个区域提供的", "Only what this zone has"))  # fmt: skip
@option("--arch", type=click.Choice(["x86_64", "aarch64", "loongarch64", "mips64el"]),
        text=Text("只列适用于这种架构的", "Only what suits this architecture"))  # fmt: skip
@option(
    "--domestic/--not-domestic",
    default=None,
    text=Text("只列国产的，或只列非国产的", "Only domestic ones, or only the others"),
)
@pass_app
def list_(
    app: App, named: str | None, on: datetime | None, find: str | None, layer: Layer | None, service_class: str | None,
    zone: Zone | None, arch: Arch | None, domestic: bool | None,
) -> None:  # fmt: skip
    found = _catalog(app, named, on)
    offerings = workflow.find_offerings(
        found, text=find, layer=layer, service_class=service_class, zone=zone, arch=arch, domestic=domestic
    )
    app.show(views.build_catalog_view(found, offerings))


@verb(Text("显示一个服务项", "Show one offering"), name="show", action="read")
@click.argument("code")
@option("--catalog", "named", text=_CATALOG)
@option("--on", type=DAY, text=_ON)
@pass_app
def show(app: App, code: str, named: str | None, on: datetime | None) -> None:
    found = _catalog(app, named, on)
    app.show(views.build_offering_view(found, workflow.find_offering(found, code)))


@verb(
    Text("列出各目录的版本和有效期", "List the catalogs' versions and when they are valid"),
    name="versions",
    action="read",
)
@option("--on", type=DAY, text=Text("哪一天现行，默认今天", "In force on which day; today by default"))
@pass_app
def versions(app: App, on: datetime | None) -> None:
    workspace = app.workspace()
    app.show(
        views.build_versions_view(workflow.list_versions(_day(on, workspace), workspace.path if workspace else None))
    )


@verb(
    Text(
        "校验目录文件、版本文件夹或其上级文件夹，列出全部错误",
        "Validate a catalog's file, folder or the folder above: every fault is listed",
    ),
    name="validate",
    action="read",
)
@click.argument("path", metavar="FILE|DIR", type=click.Path(path_type=Path))
@pass_app
def validate(app: App, path: Path) -> int:
    faults = workflow.verify_catalog(path)
    if faults:
        app.show(views.build_faults_view(faults))
        return _INVALID
    app.say(Text("目录有效：{path}", "The catalog is valid: {path}").format(path=path))
    return 0


@verb(
    Text(
        "比较两个目录或版本，并指出涉及的在用申请",
        "Compare two catalogs or versions, and tell which running requests are touched",
    ),
    name="diff",
    action="read",
)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@pass_app
def diff(app: App, before: str, after: str) -> int:
    workspace = app.workspace()
    today, folder = _day(None, workspace), workspace.path if workspace else None
    old, new = (workflow.resolve_catalog(named, today, folder) for named in (before, after))
    if workspace is None:
        found = workflow.diff_catalogs(old, new)
    else:
        with app.session() as session:
            found = workflow.diff_catalogs(old, new, session)
    app.show(*build_diff_views(found))
    if workspace is None:
        app.say(Text("没有工作区，未核对在用申请", "There is no workspace: running requests were not looked at"))
    return 1 if found.touched else 0


def _catalog(app: App, named: str | None, on: datetime | None) -> Catalog:
    if named is None:
        office = open_workspace(app.path)
        return workflow.load_catalog(office.settings.catalog, _day(on, office), office.path)
    workspace = app.workspace()
    return workflow.resolve_catalog(named, _day(on, workspace), workspace.path if workspace else None)


def _day(on: datetime | None, workspace: Workspace | None) -> date:
    """The day meant, else today in the office's time zone (the machine's own without a workspace)."""
    zone = ZoneInfo(workspace.settings.timezone) if workspace else None
    return on.date() if on else datetime.now(UTC).astimezone(zone).date()


for _part in (list_, show, versions, validate, diff):
    catalog.add_command(_part)

command = catalog
