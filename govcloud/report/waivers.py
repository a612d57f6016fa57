"""Views of waivers: what is waived now, and every waiver with its state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from govcloud.model.regulation import Finding
from govcloud.model.text import Term, Text, same
from govcloud.model.waiver import NOTICE_DAYS, Waiver, WaiverState
from govcloud.report.view import Cell, Column, View

STATES: Mapping[WaiverState, Text] = {
    "valid": Text("有效", "valid"),
    "not_yet": Text("尚未生效", "not yet"),
    "expired": Text("已到期", "expired"),
    "withdrawn": Text("已撤销", "withdrawn"),
}
_FINDINGS: Mapping[str, Text] = {
    "open": Text("仍在", "still there"),
    "undetermined": Text("不能判定", "undetermined"),
    "gone": Text("问题已消除", "the finding is gone"),
    "unknown": Text("没有这个问题", "no such finding"),
}
_COLUMNS = (
    Column("waiver_id", Text("豁免编号", "Waiver")),
    Column("finding_id", Text("问题", "Finding")),
    Column("subject_id", Text("对象", "Subject")),
    Column("subject_name", Text("名称", "Name")),
    Column("department", Text("部门", "Department")),
    Column("problem", Text("豁免的问题", "Problem")),
    Column("clauses", Text("条款", "Clauses")),
    Column("reason", Text("理由", "Reason")),
    Column("granted_by", Text("批准方", "Granted by")),
    Column("approver", Text("批准人", "Approver")),
    Column("document", Text("批准文件", "Document")),
    Column("approved_on", Text("批准日期", "Approved on")),
    Column("valid_until", Text("有效至", "Valid until")),
    Column("days_left", Text("剩余天数", "Days left"), "right"),
)


def waiver_end(waiver: Waiver) -> Text:
    """How a waiver that does not count any more came to its end."""
    if waiver.withdrawn_on is not None:
        return Text("豁免 {w} 已于 {d} 撤销", "waiver {w} was withdrawn on {d}").format(
            w=waiver.waiver_id, d=waiver.withdrawn_on.isoformat()
        )
    return Text("豁免 {w} 已于 {d} 到期", "waiver {w} expired on {d}").format(
        w=waiver.waiver_id, d=waiver.valid_until.isoformat()
    )


def build_waived_view(findings: Sequence[Finding], as_of: date) -> View:
    """What fails and is waived on that day: shown, but not counted against the office."""
    shown = [(f.waiver, f) for f in findings if f.waived and f.waiver is not None]
    shown.sort(key=lambda pair: (pair[0].valid_until, pair[0].waiver_id))
    soon = [waiver for waiver, _ in shown if waiver.days_left(as_of) <= NOTICE_DAYS]
    notes = []
    if shown:
        notes.append(Text("共豁免 {n} 项，不计入不符合项；到期后重新计入。", "Waived: {n}. They do not count as violations until their waivers end.").format(n=len(shown)))  # fmt: skip
    if soon:
        notes.append(Text("{d} 天内到期 {n} 项：{ids}", "Ending within {d} days: {n} ({ids})").format(n=len(soon), d=NOTICE_DAYS, ids=", ".join(w.waiver_id for w in soon)))  # fmt: skip
    return View(
        name="waived", title=Text("已豁免", "Waived"), columns=_COLUMNS,
        rows=tuple(_row(waiver, finding, as_of) for waiver, finding in shown), notes=tuple(notes),
        facts={"expiring": [w.waiver_id for w in soon]},
    )  # fmt: skip


def build_waivers_view(waivers: Sequence[tuple[Waiver, Finding | None]], as_of: date, *, name: str = "waivers") -> View:
    """Every waiver with its state; one whose finding is gone says so."""
    idle = sum(_finding_state(finding) in ("gone", "unknown") for _, finding in waivers)
    notes = [Text("共 {n} 项豁免", "Waivers: {n}").format(n=len(waivers))]
    if not waivers:
        notes = [Text("对某项问题登记的豁免列在这里", "Waivers that are recorded for findings are listed here")]
    if idle:
        notes.append(Text("{n} 项的问题已不在，豁免不再需要", "Not needed any more, because the finding is gone: {n}").format(n=idle))  # fmt: skip
    return View(
        name=name, title=Text("豁免", "Waivers"),
        columns=(
            *_COLUMNS, Column("state", Text("状态", "State")), Column("finding_state", Text("问题现状", "The finding")),
            Column("withdrawn", Text("撤销", "Withdrawn")),
        ),
        rows=tuple(
            {**_row(waiver, finding, as_of), **_ended(waiver, finding, as_of)} for waiver, finding in waivers
        ),
        notes=tuple(notes),
        facts={"recorded": [_facts(waiver) for waiver, _ in waivers]},
    )  # fmt: skip


def _row(waiver: Waiver, finding: Finding | None, as_of: date) -> dict[str, Cell]:
    return {
        "waiver_id": waiver.waiver_id,
        "finding_id": waiver.finding_id,
        "subject_id": waiver.subject_id,
        "subject_name": finding.subject_name if finding else None,
        "department": finding.department if finding else None,
        "problem": finding.title if finding else same(waiver.rule_id),
        "clauses": finding.clauses if finding else None,
        "reason": waiver.reason,
        "granted_by": Term(waiver.role_term, waiver.role_term, waiver.role),
        "approver": waiver.approver,
        "document": waiver.document,
        "approved_on": waiver.approved_on,
        "valid_until": waiver.valid_until,
        "days_left": waiver.days_left(as_of) if waiver.valid(as_of) else None,
    }


def _ended(waiver: Waiver, finding: Finding | None, as_of: date) -> dict[str, Cell]:
    state, of_finding = waiver.state(as_of), _finding_state(finding)
    withdrawn = None
    if waiver.withdrawn_on is not None:
        withdrawn = Text("{d} {who}：{why}", "{d} {who}: {why}").format(
            d=waiver.withdrawn_on.isoformat(), who=waiver.withdrawn_by, why=waiver.withdrawn_reason
        )
    return {
        "state": Term(STATES[state].zh, STATES[state].en, state),
        "finding_state": Term(_FINDINGS[of_finding].zh, _FINDINGS[of_finding].en, of_finding),
        "withdrawn": withdrawn,
    }


def _finding_state(finding: Finding | None) -> str:
    if finding is None:
        return "unknown"
    if finding.state == "resolved":
        return "gone"
    return "undetermined" if finding.verdict == "undetermined" else "open"


def _facts(waiver: Waiver) -> dict[str, object]:
    return {
        "waiver_id": waiver.waiver_id, "role": waiver.role, "role_term": waiver.role_term,
        "recorded_by": waiver.recorded_by, "recorded_at": waiver.recorded_at, "withdrawn_on": waiver.withdrawn_on,
        "withdrawn_by": waiver.withdrawn_by, "withdrawn_reason": waiver.withdrawn_reason,
    }  # fmt: skip
