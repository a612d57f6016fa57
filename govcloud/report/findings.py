"""Views of a check of the estate: findings, what could not be judged, rules, and topics without a clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from govcloud.model.regulation import (
    CaseResult,
    EstateCheck,
    Finding,
    FindingState,
    RuleTally,
    Severity,
    Standing,
    TopicCoverage,
)
from govcloud.model.text import Term, Text, same
from govcloud.report.view import Column, View
from govcloud.report.waivers import waiver_end
from govcloud.report.words import field_title

Code = TypeVar("Code", bound=str)

SEVERITY: Mapping[Severity, Text] = {
    "high": Text("高", "high"),
    "medium": Text("中", "medium"),
    "low": Text("低", "low"),
    "info": Text("提示", "info"),
}
VERDICT: Mapping[str, Text] = {
    "pass": Text("通过", "pass"),
    "fail": Text("不符合", "fail"),
    "undetermined": Text("不能判定", "undetermined"),
    "not_applicable": Text("不适用", "not applicable"),
}
STANDING: Mapping[Standing, Text] = {
    "binding": Text("适用", "binding"),
    "reference": Text("供参照", "for reference"),
}
STATE: Mapping[FindingState, Text] = {
    "new": Text("新增", "new"),
    "open": Text("仍在", "open"),
    "resolved": Text("已消除", "resolved"),
    "preview": Text("试算", "preview"),
}
ROLES: Mapping[str, Text] = {
    "owner": Text("业主部门", "owner department"),
    "builder": Text("建设单位", "builder"),
    "authority": Text("主管部门", "authority"),
    "finance": Text("财政部门", "finance"),
    "approver": Text("审批部门", "approving body"),
    "acceptance_organiser": Text("验收组织单位", "organiser of the acceptance"),
    "auditor": Text("审计机关", "audit body"),
    "all": Text("各有关单位", "all parties"),
}
NO_CLAUSE = Text("本地区无此条款", "no clause here")
NO_CONSEQUENCE = Text("条文未写明", "none stated")


def role_text(role: str, term: str | None = None) -> Text:
    """The party as the office's document calls it; in English with the neutral role in front."""
    neutral = ROLES.get(role)
    if neutral is None:
        return same(role)
    if term is None:
        return neutral
    return Text(term, f"{neutral.en} ({term})")


def term(table: Mapping[Code, Text], code: Code) -> Term:
    """An enum value for a cell."""
    text = table.get(code, same(code))
    return Term(text.zh, text.en, code)


def build_findings_view(findings: Sequence[Finding], *, standing: Standing = "binding") -> View:
    """What fails and is not waived, the most urgent first; all that is known of each is in the JSON facts (`details`)."""
    shown = [f for f in findings if f.verdict == "fail" and f.standing == standing and not f.waived]
    binding = standing == "binding"
    title = Text("不符合项", "Findings") if binding else Text("供参照的上级条款", "Higher-level clauses, for reference")
    gone = sum(f.state == "resolved" for f in shown)
    followed = Text(
        "共 {n} 项，新增 {new} 项，已消除 {gone} 项。查看依据：govcloud check show 编号",
        "{n} findings, {new} new, {gone} resolved. The evidence: govcloud check show ID",
    ).format(n=len(shown) - gone, new=sum(f.state == "new" for f in shown), gone=gone)
    preview = any(f.state == "preview" for f in shown)
    notes = [Text("共 {n} 项", "{n} findings").format(n=len(shown)) if preview else followed]
    if not binding:
        notes.append(
            Text(
                "这些条款按其自身文字不约束本单位，不是违规。",
                "By their own words these clauses do not bind this office; they are no violations.",
            )
        )
    return View(
        name="findings" if binding else "findings_for_reference",
        title=title,
        columns=(
            Column("finding_id", Text("编号", "Id")),
            Column("severity", Text("程度", "Severity")),
            Column("subject_id", Text("对象", "Subject")),
            Column("subject_name", Text("名称", "Name")),
            Column("department", Text("部门", "Department")),
            Column("message", Text("问题", "Problem")),
            Column("clauses", Text("条款", "Clauses")),
            Column("due_on", Text("期限", "Due")),
            Column("state", Text("状态", "State")),
            *([Column("waiver", Text("豁免", "Waiver"))] if any(f.waiver for f in shown) else ()),
        ),
        rows=tuple(
            {
                "finding_id": f.finding_id,
                "severity": term(SEVERITY, f.severity),
                "subject_id": f.subject_id,
                "subject_name": f.subject_name,
                "department": f.department,
                "message": f.message,
                "clauses": f.clauses,
                "due_on": due_text(f),
                "state": term(STATE, f.state),
                "waiver": waiver_end(f.waiver) if f.waiver else None,
            }
            for f in shown
        ),
        notes=tuple(notes) if shown else (),
        facts={"details": [details(f) for f in shown]},
    )


def due_text(finding: Finding) -> Text | None:
    if finding.due_on is None:
        return None
    day = finding.due_on.isoformat()
    return Text(f"{day}（暂估）", f"{day} (provisional)") if finding.provisional else same(day)


def details(finding: Finding) -> dict[str, object]:
    """Everything known of a finding, for scripts."""
    return {
        "finding_id": finding.finding_id,
        "rule_id": finding.rule_id,
        "verdict": finding.verdict,
        "standing": finding.standing,
        "severity": finding.severity,
        "subject_kind": finding.subject_kind,
        "subject_id": finding.subject_id,
        "clauses": finding.clauses,
        "consequence": finding.consequence,
        "responsible": finding.responsible,
        "responsible_term": finding.responsible_term,
        "next_step": finding.next_step,
        "missing": finding.missing,
        "due_on": finding.due_on,
        "provisional": finding.provisional,
        "state": finding.state,
        "first_seen_on": finding.first_seen_on,
        "resolved_on": finding.resolved_on,
        "returned_on": finding.returned_on,
        "waived": finding.waived,
        "waiver_id": finding.waiver.waiver_id if finding.waiver else None,
        "evidence": [
            {
                "field": e.field, "value": e.value, "subject_id": e.subject_id or finding.subject_id,
                "source": e.source, "locator": e.locator, "observed_at": e.observed_at, "stale": e.stale,
            }
            for e in finding.evidence
        ],
    }  # fmt: skip


def build_undetermined_view(findings: Sequence[Finding]) -> View:
    """One row a rule and set of missing fields: what to ask for, and about how many subjects."""
    groups: dict[tuple[str, tuple[str, ...]], list[Finding]] = {}
    for finding in findings:
        if finding.verdict == "undetermined" and finding.state != "resolved":
            groups.setdefault((finding.rule_id, finding.missing), []).append(finding)
    return View(
        name="undetermined",
        title=Text("资料不足，不能判定", "Not enough is known for a verdict"),
        columns=(
            Column("title", Text("检查项", "Rule")),
            Column("clauses", Text("条款", "Clauses")),
            Column("standing", Text("效力", "Standing")),
            Column("missing", Text("缺少字段", "Missing fields")),
            Column("count", Text("个数", "Count"), "right"),
            Column("subjects", Text("对象", "Subjects")),
        ),
        rows=tuple(
            {
                "title": group[0].title,
                "clauses": group[0].clauses,
                "standing": term(STANDING, group[0].standing),
                "missing": finding_fields(missing),
                "count": len(group),
                "subjects": _few([f.subject_id for f in group]),
            }
            for (_, missing), group in groups.items()
        ),
        notes=(
            Text("补齐字段后重新检查；未知不作通过处理。", "Fill these in and check again; unknown is never a pass."),
        )
        if groups
        else (),
        facts={"details": [details(f) for group in groups.values() for f in group]},
    )


_DERIVED: Mapping[str, Text] = {
    "projects": Text("所属项目", "Projects"),
    "accepted_on": Text("所属项目验收", "Projects accepted on"),
    "unknown_systems": Text("未知系统", "Unknown systems"),
    "unknown_networks": Text("未知网络", "Unknown networks"),
    "unfiled_changes": Text("未备案的变更", "Changes not filed"),
    "late_changes": Text("事后备案的变更", "Changes filed afterwards"),
    "zombie_detached": Text("判据：与业务流程脱节", "Criterion: detached from the process"),
    "zombie_replaceable": Text("判据：功能可被替代", "Criterion: replaceable"),
    "zombie_resources_idle": Text("判据：资源长期空闲", "Criterion: resources idle"),
    "zombie_updates_stopped": Text("判据：停止更新", "Criterion: updates stopped"),
    "zombie_little_used": Text("判据：范围小、频度低", "Criterion: little used"),
}


def finding_field(name: str) -> Term:
    title = _DERIVED.get(name) or field_title(name)
    return Term(title.zh, title.en, name)


def finding_fields(names: Sequence[str]) -> Term:
    titles = [finding_field(name) for name in names]
    return Term("、".join(t.zh for t in titles), ", ".join(t.en for t in titles), tuple(names))


def _few(ids: Sequence[str], limit: int = 4) -> list[str]:
    return [*ids[:limit], f"+{len(ids) - limit}"] if len(ids) > limit else list(ids)


def build_rules_view(tallies: Sequence[RuleTally]) -> View:
    return View(
        name="rules",
        title=Text("各项检查", "Rules"),
        columns=(
            Column("rule_id", Text("规则", "Rule")),
            Column("title", Text("检查项", "Problem looked for")),
            Column("clauses", Text("条款", "Clauses")),
            Column("standing", Text("效力", "Standing")),
            Column("failed", Text("不符合", "Fail"), "right"),
            Column("undetermined", Text("不能判定", "Undetermined"), "right"),
            Column("passed", Text("通过", "Pass"), "right"),
        ),
        rows=tuple(
            {
                "rule_id": t.rule_id,
                "title": t.title,
                "clauses": t.clauses,
                "standing": term(STANDING, t.standing),
                "failed": t.failed,
                "undetermined": t.undetermined,
                "passed": t.passed,
            }
            for t in tallies
        ),
    )


def build_coverage_view(coverage: Sequence[TopicCoverage]) -> View:
    """Topic by topic: the clauses that bind the office, or that there are none."""
    return View(
        name="coverage",
        title=Text("条款适用情况", "Clauses by topic"),
        columns=(
            Column("topic", Text("主题", "Topic")),
            Column("binding", Text("本地区条款", "Clauses here")),
            Column("reference", Text("上级条款（供参照）", "Higher level, for reference")),
        ),
        rows=tuple(
            {
                "topic": Term(row.title.zh, row.title.en, row.topic),
                "binding": row.binding or Term(NO_CLAUSE.zh, NO_CLAUSE.en, ()),
                "reference": row.reference or None,
            }
            for row in coverage
        ),
    )


def build_summary_view(check: EstateCheck) -> View:
    """One line that says how the check ended, and under which documents. Always of the whole check."""
    binding = [f for f in check.findings if f.standing == "binding" and f.state != "resolved"]
    waived = [f for f in binding if f.waived]
    facts = {
        "as_of": check.as_of,
        "regulations": check.regulations,
        "not_in_force": check.not_in_force,
        "superseded": check.superseded,
        "failed": sum(f.verdict == "fail" for f in binding) - len(waived),
        "waived": len(waived),
        "undetermined": sum(f.verdict == "undetermined" for f in binding),
        "for_reference": sum(f.standing == "reference" and f.state != "resolved" for f in check.findings),
        "new": sum(f.state == "new" for f in check.findings),
        "resolved": sum(f.state == "resolved" for f in check.findings),
        "tracked": check.tracked,
        "clean": check.clean,
    }
    notes = [
        Text(
            "截至 {day}，依据 {docs}：不符合 {failed} 项，不能判定 {open} 项；另有已豁免 {waived} 项，供参照 {ref} 项。",
            "As of {day} under {docs}: {failed} findings, {open} undetermined; {waived} more waived, {ref} for reference.",
        ).format(
            day=check.as_of.isoformat(), docs=", ".join(check.regulations), failed=facts["failed"],
            open=facts["undetermined"], waived=facts["waived"], ref=facts["for_reference"],
        )
    ]  # fmt: skip
    if check.not_in_force:
        notes.append(
            Text("该日未施行、未采用：{docs}", "Not in force on that day, not used: {docs}").format(
                docs=", ".join(check.not_in_force)
            )
        )
    notes += [
        Text(
            "{id} 已由 {new} 取代，请核对 govcloud.yaml 的 jurisdiction。",
            "{id} was replaced by {new}: check jurisdiction in govcloud.yaml.",
        ).format(id=old, new=new)
        for old, new in check.superseded.items()
    ]
    if not check.regulations:
        notes.append(
            Text("该日没有施行中的法规，什么都没有检查。", "No document was in force on that day: nothing was checked.")
        )
    if not check.tracked:
        notes.append(
            Text("按其他日期试算，不改变问题状态。", "A look at another day: the state of findings was not changed.")
        )
    return View(name="summary", title=Text("检查结果", "Result"), columns=(), notes=tuple(notes), facts=facts)


def build_cases_view(results: Sequence[CaseResult]) -> View:
    """A row a rule with its tried examples; one that disagrees is named."""
    rules: dict[str, list[CaseResult]] = {}
    for result in results:
        rules.setdefault(result.rule_id, []).append(result)
    return View(
        name="rule_cases",
        title=Text("规则用例", "Rule cases"),
        columns=(
            Column("rule_id", Text("规则", "Rule")),
            Column("cases", Text("用例", "Cases"), "right"),
            Column("verdict", Text("结果", "Result")),
            Column("disagreements", Text("不一致的用例", "Cases that disagree")),
        ),
        rows=tuple(
            {
                "rule_id": rule_id,
                "cases": len(group),
                "verdict": term(VERDICT, "pass" if all(r.agrees for r in group) else "fail"),
                "disagreements": [f"{r.name}: {r.expected} ≠ {r.actual} ({r.where})" for r in group if not r.agrees],
            }
            for rule_id, group in rules.items()
        ),
        notes=(Text("{n} 条规则，{c} 个用例", "{n} rules, {c} cases").format(n=len(rules), c=len(results)),),
    )
