from __future__ import annotations

from datetime import datetime

import click

from govcloud.cli.base import App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text
from govcloud.report import projects as views
from govcloud.workflow import office
from govcloud.workflow import projects as workflow

_DAY = click.DateTime(["%Y-%m-%d"])


@group(Text("项目台账和法定时限", "Project records and statutory deadlines"), name="projects")
def projects() -> None:
    pass


@verb(Text("列出项目", "List the projects"), name="list")
@pass_app
def list_(app: App) -> None:
    with app.session() as session:
        found = workflow.list_projects(session)
    app.show(views.build_projects_view(found))


@verb(
    Text(
        "列出各项目的法定时限，有超期时退出码为 1",
        "List the deadlines of all projects; exit code 1 when one is overdue",
    ),
    name="deadlines",
)
@option("--as-of", type=_DAY, text=Text("按哪一天判断，默认今天", "The day to judge by; today by default"))
@pass_app
def deadlines(app: App, as_of: datetime | None) -> int:
    with app.session() as session:
        found = workflow.list_deadlines(session, as_of.date() if as_of else None)
    app.show(views.build_deadlines_view(found.rows, found.own, found.as_of))
    return 1 if found.overdue else 0


@verb(Text("一件事发生后，谁须在何时前做什么", "What must be done by whom and when after an event"), name="due")
@click.argument("event", type=click.Choice(workflow.EVENT_IDS))
@option("--on", "on", type=_DAY, required=True, text=Text("发生日期", "The day of the event"))
@option(
    "--jurisdiction",
    text=Text(
        "法规包或站点编号，默认为工作区的法规；写明时不需要工作区",
        "Id of a rule pack or a site; the workspace's own by default; no workspace is needed with it",
    ),
)
@pass_app
def due(app: App, event: str, on: datetime, jurisdiction: str | None) -> None:
    if jurisdiction is not None:
        rulebook = workflow.jurisdiction_rulebook(jurisdiction)
    else:
        with app.session() as session:
            rulebook = office.office_rulebook(session)
    found = workflow.find_duties(event, on.date(), rulebook)
    app.show(views.build_due_view(found.binding, found.reference, found.own, event, found.on))


for _part in (list_, deadlines, due):
    projects.add_command(_part)

command = projects
