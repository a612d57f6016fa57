from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from govcloud.cli.base import DAY, App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text
from govcloud.report import projects as views
from govcloud.report.files import save
from govcloud.report.project_record import build_record_views
from govcloud.workflow import office
from govcloud.workflow import projects as workflow


@group(Text("项目台账和法定时限", "Project records and statutory deadlines"), name="projects")
def projects() -> None:
    pass


_department = option(
    "--department", text=Text("只列这个部门的；写名称或其一部分", "Of this department only; its name or a part of it")
)
_as_of = option("--as-of", type=DAY, text=Text("按哪一天判断，默认今天", "The day to judge by; today by default"))


@verb(Text("列出项目", "List the projects"), name="list", action="read")
@_department
@pass_app
def list_(app: App, department: str | None) -> None:
    with app.session() as session:
        found = workflow.list_projects(session, department)
    app.show(views.build_projects_view(found))


@verb(Text("一个项目的全部记录和时限", "One project: its whole record and its deadlines"), action="read")
@click.argument("name", metavar="ID")
@_as_of
@pass_app
def show(app: App, name: str, as_of: datetime | None) -> None:
    with app.session() as session:
        found = workflow.show_project(session, name, as_of.date() if as_of else None)
    deadlines = found.deadlines
    app.show(
        *build_record_views(found.project, found.systems, found.networks),
        views.build_deadlines_view(deadlines.rows, deadlines.own, deadlines.as_of, undated=deadlines.undated),
    )


@verb(
    Text(
        "列出各项目的法定时限，有超期时退出码为 1",
        "List the deadlines of all projects; exit code 1 when one is overdue",
    ),
    name="deadlines",
    action="read",
)
@_as_of
@_department
@option(
    "--within",
    type=click.IntRange(min=0),
    metavar="DAYS",
    text=Text("只列未办结的：已超期的和多少天内到期的", "Only what is open: overdue, or due in so many days"),
)
@option("--reference", is_flag=True, text=Text("另列上级条款的时限", "Also those of higher-level clauses"))
@option(
    "--ics",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    text=Text("把未办结的写成日历文件", "Write the open ones as a calendar file"),
)
@pass_app
def deadlines(
    app: App, as_of: datetime | None, department: str | None, within: int | None, reference: bool, ics: Path | None
) -> int:
    with app.session() as session:
        found = workflow.list_deadlines(session, as_of.date() if as_of else None, department=department, within=within)
        now, site = session.now(), session.workspace.settings.site
    shown = [views.build_deadlines_view(found.rows, found.own, found.as_of, undated=found.undated)]
    if found.office:
        shown.append(views.build_office_view(found.office, found.own))
    if reference:
        shown.append(views.build_deadlines_view(found.reference, found.own, found.as_of, reference=True))
    app.show(*shown)
    if ics is not None:
        from govcloud.report.ics import find_open, render_ics  # a library that no other verb waits for

        rows = (*found.rows, *found.office)
        path = save(ics, render_ics(rows, found.own, site=site, now=now, lang=app.lang))
        app.say(Text("已写入 {path}：{n} 项", "Written: {path}, {n} duties").format(path=path, n=find_open(rows)))
    return 1 if found.overdue else 0


@verb(
    Text("一件事发生后，谁须在何时前做什么", "What must be done by whom and when after an event"),
    name="due",
    action="read",
)
@click.argument("event", metavar="EVENT", type=click.Choice(workflow.EVENT_IDS))
@option("--on", "on", type=DAY, required=True, text=Text("发生日期", "The day of the event"))
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
        rulebook = workflow.jurisdiction_rulebook(jurisdiction, here.path if (here := app.workspace()) else None)
    else:
        with app.session() as session:
            rulebook = office.office_rulebook(session)
    found = workflow.find_duties(event, on.date(), rulebook)
    app.show(views.build_due_view(found.binding, found.reference, found.own, event, found.on))


for _part in (list_, show, deadlines, due):
    projects.add_command(_part)

command = projects
