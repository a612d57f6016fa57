"""Where one system is on its road, in one table."""

from __future__ import annotations

from collections.abc import Iterable

from govcloud.model.inventory import System
from govcloud.model.plan import Unplaced, Wave
from govcloud.model.regulation import Finding
from govcloud.model.run import Run, RunSystem
from govcloud.model.text import Text, same
from govcloud.report import words
from govcloud.report.findings import SEVERITY, STATE, VERDICT, due_text, finding_fields, term
from govcloud.report.inventory_values import word_term
from govcloud.report.run import STATE as RUN_STATE
from govcloud.report.view import Cell, Column, View


def build_standing_view(
    system: System, *, wave: Wave | None, unplaced: Unplaced | None, run: tuple[Run, RunSystem] | None, takeover: Text | None,
    failing: int, undetermined: int,
) -> View:  # fmt: skip
    """`takeover`: the state of the newest; `failing`: findings that bind and are not waived."""
    planned = Text("未排入计划", "not in the plan")
    if wave is not None:
        planned = Text("第 {n} 批，{d}", "wave {n}, {d}").format(n=wave.number, d=wave.window.opens_on.isoformat())
    elif unplaced is not None:
        planned = Text("未能排入：{r}", "not placed: {r}").format(r=unplaced.reason)
    rows: list[tuple[Text, Cell]] = [
        (Text("业主部门", "Department"), system.department),
        (Text("状态", "State"), word_term(words.LIFECYCLE, system.lifecycle)),
        (Text("部署方式", "Hosting"), word_term(words.HOSTING, system.hosting)),
        (Text("等保级别", "MLPS level"), system.mlps_level),
        (Text("合规", "Findings"), Text("不符合 {f} 项，不能判定 {u} 项", "{f} failing, {u} undetermined").format(f=failing, u=undetermined)),
        (Text("迁移计划", "Plan"), planned),
        (Text("迁移执行", "Migration"), RUN_STATE[run[1].state] if run else Text("尚未执行", "not run yet")),
        (Text("运维接管", "Takeover"), takeover or Text("尚未启动", "not begun")),
        (Text("运维单位", "Maintained by"), system.maintained_by),
    ]  # fmt: skip
    return View(
        name="standing", title=Text("现状", "Where it stands"),
        columns=(Column("what", Text("事项", "What")), Column("now", Text("情况", "Now"))),
        rows=tuple({"what": what, "now": now} for what, now in rows),
    )  # fmt: skip


def build_system_findings_view(findings: Iterable[Finding]) -> View:
    """All that the last check said of one system: also waived, undetermined and for reference."""
    return View(
        name="findings", title=Text("合规问题", "Findings"),
        columns=(
            Column("finding_id", Text("编号", "Id")), Column("severity", Text("程度", "Severity")), Column("verdict", Text("结论", "Verdict")),
            Column("message", Text("问题", "Problem")), Column("clauses", Text("条款", "Clauses")), Column("due_on", Text("期限", "Due")),
            Column("state", Text("状态", "State")),
        ),
        rows=tuple(
            {
                "finding_id": f.finding_id, "severity": term(SEVERITY, f.severity), "verdict": _verdict(f), "message": _problem(f),
                "clauses": f.clauses, "due_on": due_text(f), "state": term(STATE, f.state),
            }
            for f in findings
        ),
    )  # fmt: skip


def _problem(finding: Finding) -> Text:
    if finding.verdict != "undetermined" or not finding.missing:
        return finding.message
    return Text("{t}：缺少{f}", "{t}: missing {f}").format(t=finding.title, f=finding_fields(finding.missing))


def _verdict(finding: Finding) -> Text:
    if finding.waived:
        return Text("已豁免", "waived")
    if finding.standing == "reference":
        return Text("供参照", "for reference")
    return term(VERDICT, finding.verdict)


def build_system_runs_view(runs: Iterable[tuple[Run, RunSystem]]) -> View:
    """The runs that one system was in, with its own state in each."""
    return View(
        name="runs", title=Text("迁移执行", "Runs"),
        columns=(
            Column("run_id", Text("编号", "Run")), Column("wave", Text("批次", "Wave"), "right"), Column("state", Text("本系统状态", "State of this system")),
            Column("wait", Text("在等什么", "Waits for")), Column("since", Text("自", "Since")), Column("created_by", Text("发起人", "By")),
        ),
        rows=tuple(
            {
                "run_id": run.run_id, "wave": same(run.wave) if run.wave else None, "state": RUN_STATE[row.state],
                "wait": row.wait.text if row.wait else None, "since": row.since, "created_by": run.created_by,
            }
            for run, row in runs
        ),
    )  # fmt: skip
