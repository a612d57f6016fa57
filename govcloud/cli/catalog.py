from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.catalog import Catalog
from govcloud.model.text import Text
from govcloud.report import catalog as views
from govcloud.workflow import catalog as workflow

_CATALOG = Text(
    "目录编号，默认为工作区的目录；写明时不需要工作区",
    "Id of a catalog; the workspace's own by default; no workspace is needed with it",
)


@group(Text("政务云服务目录", "The service catalog of the government cloud"), name="catalog")
def catalog() -> None:
    pass


@verb(Text("列出服务项", "List the offerings"), name="list")
@option("--catalog", "catalog_id", text=_CATALOG)
@option("--layer", type=click.Choice(["iaas", "paas", "saas"]), text=Text("只列一个层次", "Only this layer"))
@pass_app
def list_(app: App, catalog_id: str | None, layer: str | None) -> None:
    found = _catalog(app, catalog_id)
    app.show(views.build_catalog_view(found, [o for o in found.offerings if layer in (None, o.layer)]))


@verb(Text("显示一个服务项", "Show one offering"), name="show")
@click.argument("code")
@option("--catalog", "catalog_id", text=_CATALOG)
@pass_app
def show(app: App, code: str, catalog_id: str | None) -> None:
    found = _catalog(app, catalog_id)
    app.show(views.build_offering_view(found, workflow.find_offering(found, code)))


@verb(Text("校验一份目录文件或目录文件夹", "Validate a catalog file or folder"), name="validate")
@click.argument("file", type=click.Path(path_type=Path))
@pass_app
def validate(app: App, file: Path) -> None:
    found = workflow.read_catalog(file)
    app.show(views.build_catalog_view(found, found.offerings))
    app.say(Text("目录有效，{n} 项", "The catalog is valid: {n} offerings").format(n=len(found.offerings)))


def _catalog(app: App, catalog_id: str | None) -> Catalog:
    if catalog_id is not None:
        return workflow.load_catalog(catalog_id)
    with app.session() as session:
        return workflow.load_catalog(session.workspace.settings.catalog)


for _part in (list_, show, validate):
    catalog.add_command(_part)

command = catalog
