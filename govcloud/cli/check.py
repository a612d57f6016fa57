from __future__ import annotations

from datetime import datetime

import click

from govcloud.cli._check_request import request
from govcloud.cli.base import App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text
from govcloud.report import findings as views
from govcloud.workflow import check as workflow


@group(
    Text("按法规核对资产，按服务目录核对申请", "Check the estate against the rules and requests against the catalog"),
    name="check",
)
def check() -> None:
    pass


@verb(Text("按本地法规检查全部资产", "Check the whole estate against the rules of the office"), name="estate")
@option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    text=Text(
        "按哪一天判断（默认今天）；其他日期只试算", "The day to judge by, today by default; another day is a preview"
    ),
)
@option("--rules", is_flag=True, text=Text("同时列出每条规则的结果数", "Also list every rule with its counts"))
@pass_app
def estate(app: App, as_of: datetime | None, rules: bool) -> int:
    with app.session() as session:
        checked = workflow.check_estate(session, as_of.date() if as_of else None)
    shown = [
        views.build_findings_view(checked.findings),
        views.build_undetermined_view(checked.findings),
        views.build_findings_view(checked.findings, standing="reference"),
        views.build_coverage_view(checked.coverage),
    ]
    if rules:
        shown.append(views.build_rules_view(checked.tallies))
    # Scripts rely on every key; a person is spared the empty tables.
    app.show(*(view for view in shown if view.rows or app.output == "json"), views.build_summary_view(checked))
    return 0 if checked.clean else 1


@verb(
    Text("显示一个问题的依据、责任方和下一步", "Show a finding's evidence, who answers for it and what to do"),
    name="show",
)
@click.argument("finding_id")
@pass_app
def show(app: App, finding_id: str) -> None:
    with app.session() as session:
        found = workflow.find_finding(session, finding_id)
    app.show(views.build_finding_view(found))


@verb(Text("校验法规包并试跑每条规则的用例", "Validate the rule packs and try the cases of every rule"), name="rules")
@pass_app
def rules(app: App) -> int:
    results = workflow.check_rules()
    app.show(views.build_cases_view(results))
    return 0 if all(result.agrees for result in results) else 1


for _part in (estate, request, show, rules):
    check.add_command(_part)

command = check
