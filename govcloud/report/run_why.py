"""Why a system of a run waits, as a page says it: the page has buttons where a terminal has commands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from govcloud.model.text import Text
from govcloud.report.run import reason_of
from govcloud.report.run_overview import RunOverview, SystemStatus

_COMMAND = re.compile(
    r" ?govcloud (?:--user \S+ )?run (?P<verb>[a-z-]+)(?:(?!\. )[^；。;])*?(?P<urgent> --emergency)?(?: --reason \S+?)?"
    r"(?=[；。;]|\. |$)"
)
_BUTTONS: Mapping[str, Text] = {
    "approve": Text("批准", "Approve"),
    "resume": Text("继续", "Go on"),
    "cancel": Text("取消并撤销", "Cancel and undo"),
    "accept": Text("验收", "Accept"),
    "rollback": Text("回退", "Roll back"),
    "switch-off": Text("停用源", "Switch the source off"),
    "logs": Text("日志", "Log"),
    "decide": Text("记录决定", "Record the decision"),
    "answer": Text("机器与工单", "Machines and tickets"),
    "trust": Text("机器与工单", "Machines and tickets"),
}
_URGENT = Text("紧急批准", "Approve as an emergency")


def page_reason(status: SystemStatus, shown: RunOverview) -> Text | None:
    """`reason_of` for somebody who sits before the page."""
    wait = status.row.wait
    if wait is None and status.unworked:
        return Text(
            "没有在线的执行进程：请在执行机上启动 govcloud worker",
            "No worker is alive for it: start govcloud worker on a machine that carries runs out",
        )
    if wait is not None and wait.kind == "approval" and wait.gate_id is not None and wait.step is not None:
        return _approval(shown, wait.gate_id, shown.titles[wait.step])
    said = reason_of(status, shown)
    return None if said is None else Text(_buttons(said.zh, "zh"), _buttons(said.en, "en"))


def _approval(shown: RunOverview, gate_id: str, title: Text) -> Text:
    urgent = [a for a in shown.answers.get(gate_id, ()) if a.granted and a.emergency and shown.now < a.expires_at]
    if urgent:
        return Text(
            "“{t}”待批准：{who} 已作紧急批准，还须另一人批准",
            '"{t}" waits for approval: {who} has approved it as an emergency, a second person is needed',
        ).format(t=title, who=urgent[0].actor)
    return Text(
        "“{t}”待批准；由发起人 {by} 以外的人批准",
        '"{t}" waits for the approval of somebody other than {by}, who started the run',
    ).format(t=title, by=shown.run.created_by)


def _buttons(said: str, lang: str) -> str:
    def button(found: re.Match[str]) -> str:
        name = _URGENT if found["urgent"] else _BUTTONS.get(found["verb"])
        if name is None:
            return found[0]
        return f"“{name.zh}”" if lang == "zh" else f' "{name.en}"'

    return _COMMAND.sub(button, said)
