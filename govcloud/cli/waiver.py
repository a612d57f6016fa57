from __future__ import annotations

from datetime import datetime

import click

from govcloud.cli.base import DAY, App, group, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text
from govcloud.report.waivers import build_waivers_view
from govcloud.workflow import waiver as workflow
from govcloud.workflow.office import today


@group(
    Text("豁免：有理由、有批准、有期限地暂不处理一个问题", "Waivers: leave a finding for a time, with a reason and an approval"),
    name="waiver",
)  # fmt: skip
def waiver() -> None:
    pass


@verb(Text("登记一个问题的豁免", "Record a waiver of a finding"), name="add", action="waive")
@click.argument("finding_id")
@option("--reason", required=True, text=Text("为什么暂不处理", "Why it is left for now"))
@option(
    "--role", required=True,
    text=Text("批准方在法规中的角色：authority、finance、approver…", "Role of the party that granted it: authority, finance, approver …"),
)  # fmt: skip
@option("--approver", required=True, text=Text("签字的人", "The person who signed"))
@option("--document", required=True, text=Text("批准文件的文号或名称", "Number or title of the paper"))
@option("--approved-on", required=True, type=DAY, text=Text("批准日期", "Day of the approval"))
@option("--until", required=True, type=DAY, text=Text("有效至（含当日）", "Its last day"))
@pass_app
def add(
    app: App, finding_id: str, reason: str, role: str, approver: str, document: str, approved_on: datetime, until: datetime
) -> None:  # fmt: skip
    with app.session() as session:
        made = workflow.add_waiver(
            session, finding_id, reason=reason, role=role, approver=approver, document=document,
            approved_on=approved_on.date(), valid_until=until.date(),
        )  # fmt: skip
        found, day = workflow.list_waivers(session), today(session)
    app.show(build_waivers_view([pair for pair in found if pair[0].waiver_id == made.waiver_id], day))


@verb(Text("列出豁免", "List the waivers"), name="list", action="read")
@option(
    "--all",
    "ended",
    is_flag=True,
    text=Text("也列出已到期、已撤销的", "Also those that have expired or were withdrawn"),
)
@pass_app
def list_(app: App, ended: bool) -> None:
    with app.session() as session:
        found, day = workflow.list_waivers(session, ended=ended), today(session)
    app.show(build_waivers_view(found, day))


@verb(
    Text("撤销豁免，自当日起不再有效", "Withdraw a waiver; it does not count from today on"),
    name="withdraw",
    action="waive",
)
@click.argument("waiver_id")
@option("--reason", required=True, text=Text("为什么撤销", "Why it is withdrawn"))
@pass_app
def withdraw(app: App, waiver_id: str, reason: str) -> None:
    with app.session() as session:
        gone = workflow.withdraw_waiver(session, waiver_id, reason)
        found, day = workflow.list_waivers(session, ended=True), today(session)
    app.show(build_waivers_view([pair for pair in found if pair[0].waiver_id == gone.waiver_id], day))


for _part in (add, list_, withdraw):
    waiver.add_command(_part)

command = waiver
