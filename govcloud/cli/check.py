from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from govcloud.cli._check_request import request
from govcloud.cli.base import DAY, App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text
from govcloud.report import findings as views
from govcloud.report.finding import build_finding_view
from govcloud.report.waivers import build_waived_view, build_waivers_view
from govcloud.workflow import check as workflow
from govcloud.workflow.office import today


@group(
    Text("按法规核对资产，按服务目录核对申请", "Check the estate against the rules and requests against the catalog"),
    name="check",
)
def check() -> None:
    pass


@verb(
    Text("按本地法规检查全部资产", "Check the whole estate against the rules of the office"),
    name="estate",
    action="check",
)
@option(
    "--as-of",
    type=DAY,
    text=Text(
        "按哪一天判断（默认今天）；其他日期只试算", "The day to judge by, today by default; another day is a preview"
    ),
)
@option("--rules", is_flag=True, text=Text("同时列出每条规则的结果数", "Also list every rule with its counts"))
@option(
    "--new",
    "changes",
    is_flag=True,
    text=Text("只看比上次新增和消除的", "Only what is new or resolved since the last run"),
)
@option("--department", text=Text("只看一个部门的", "Only of one department"))
@option("--topic", text=Text("只看一个主题的", "Only of one topic"))
@option("--clause", text=Text("只看一条条款的", "Only of one clause"))
@option("--severity", type=click.Choice(list(views.SEVERITY)), text=Text("只看这一程度的", "Only of this severity"))
@pass_app
def estate(app: App, /, as_of: datetime | None, rules: bool, **wanted: Any) -> int:
    selection = workflow.Selection(**wanted)
    with app.session() as session:
        checked = workflow.check_estate(session, as_of.date() if as_of else None, selection)
    found = [finding for finding in checked.findings if selection.takes(finding)]
    shown = [
        views.build_findings_view(found),
        build_waived_view(found, checked.as_of),
        views.build_undetermined_view(found),
        views.build_findings_view(found, standing="reference"),
    ]
    whole = selection == workflow.Selection()
    if whole or app.output == "json":
        shown.append(views.build_coverage_view(checked.coverage))
    if rules:
        shown.append(views.build_rules_view(checked.tallies))
    # Scripts rely on every key; a person is spared the empty tables.
    app.show(*(view for view in shown if view.rows or app.output == "json"), views.build_summary_view(checked))
    if not whole:
        app.say(
            Text(
                "只列出筛选出的 {n} 项；结果和退出码按全部检查。",
                "Only the {n} that were asked for are listed; result and exit code are of the whole check.",
            ).format(n=len(found))
        )
    return 0 if checked.clean else 1


@verb(
    Text("显示一个问题的依据、责任方和下一步", "Show a finding's evidence, who answers for it and what to do"),
    name="show",
    action="read",
)
@click.argument("finding_id")
@pass_app
def show(app: App, finding_id: str) -> None:
    with app.session() as session:
        found, waivers = workflow.find_finding(session, finding_id)
        day = today(session)
    shown = [build_finding_view(found)]
    if waivers:
        shown.append(build_waivers_view([(waiver, found) for waiver in waivers], day))
    app.show(*shown)


@verb(
    Text("校验法规包并试跑每条规则的用例", "Validate the rule packs and try the cases of every rule"),
    name="rules",
    action="read",
)
@pass_app
def rules(app: App) -> int:
    results = workflow.check_rules(here.path if (here := app.workspace()) else None)
    app.show(views.build_cases_view(results))
    return 0 if all(result.agrees for result in results) else 1


for _part in (estate, request, show, rules):
    check.add_command(_part)

command = check
