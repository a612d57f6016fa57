"""One finding in full: what is wrong, by which facts, who answers for it, when it came and went, who waived it."""

from __future__ import annotations

from collections.abc import Mapping

from govcloud.model.regulation import Evidence, Finding
from govcloud.model.text import Term, Text
from govcloud.report.findings import NO_CONSEQUENCE, STATE, details, due_text, finding_field, finding_fields, role_text
from govcloud.report.inventory_values import word_term
from govcloud.report.view import Cell, Column, View
from govcloud.report.words import SOURCES, value_text


def build_finding_view(finding: Finding) -> View:
    """One finding with its evidence: which fact, from where, since when."""
    notes = [
        Text("{subject} {name}：{message}", "{subject} {name}: {message}").format(
            subject=finding.subject_id, name=finding.subject_name, message=finding.message
        ),
        Text("条款：{c}；后果：{q}", "Clauses: {c}. Consequence: {q}").format(
            c=", ".join(finding.clauses), q=finding.consequence or NO_CONSEQUENCE
        ),
        Text("责任方：{who}", "Responsible: {who}").format(
            who=role_text(finding.responsible, finding.responsible_term)
        ),
        Text("下一步：{next}", "Next: {next}").format(next=finding.next_step),
        *_history(finding),
    ]
    if finding.note:
        notes.insert(2, Text("说明：{note}", "Note: {note}").format(note=finding.note))
    if finding.due_on:
        notes.insert(1, Text("期限：{d}", "Due: {d}").format(d=due_text(finding)))
    if finding.missing:
        notes.insert(1, Text("缺少：{m}", "Missing: {m}").format(m=finding_fields(finding.missing)))
    stale = sum(e.stale for e in finding.evidence)
    if stale:
        notes.append(
            Text("{n} 项依据已陈旧，须再核实", "{n} of these facts are stale: have them confirmed").format(n=stale)
        )
    elsewhere = any(e.subject_id for e in finding.evidence)
    return View(
        name="finding",
        title=Text("{id} {title}", "{id} {title}").format(id=finding.finding_id, title=finding.title),
        columns=(
            *([Column("subject_id", Text("对象", "Subject"))] if elsewhere else ()),
            Column("field", Text("字段", "Field")),
            Column("value", Text("值", "Value")),
            Column("source", Text("来源", "Source")),
            Column("locator", Text("出处", "Where")),
            Column("observed_at", Text("时间", "Observed")),
            Column("stale", Text("陈旧", "Stale")),
        ),
        rows=tuple(_evidence_row(finding, e) for e in finding.evidence),
        notes=tuple(notes),
        facts=details(finding),
    )


def _history(finding: Finding) -> list[Text]:
    """When it came and went, as far as checks of their own day have followed it."""
    if finding.first_seen_on is None:
        return []
    days = [Text("首次发现 {d}", "first seen {d}").format(d=finding.first_seen_on.isoformat())]
    if finding.resolved_on:
        days.append(Text("消除 {d}", "gone {d}").format(d=finding.resolved_on.isoformat()))
    if finding.returned_on:
        back = Text("再现 {d}", "back {d}").format(d=finding.returned_on.isoformat())
        # A problem that is gone may have been back before.
        days.insert(1 if finding.state == "resolved" else len(days), back)
    return [
        Text("经过：{days}；现在：{state}", "History: {days}; now: {state}").format(
            days=Text("，".join(d.zh for d in days), ", ".join(d.en for d in days)), state=STATE[finding.state]
        )
    ]


_FLAGS: Mapping[str, Text] = {"true": Text("是", "yes"), "false": Text("否", "no")}


def _evidence_row(finding: Finding, evidence: Evidence) -> dict[str, Cell]:
    value = evidence.value
    kind = "server" if evidence.subject_id else finding.subject_kind
    words = value_text(kind, evidence.field, value) or _FLAGS.get(value or "")
    return {
        "subject_id": evidence.subject_id or finding.subject_id,
        "field": finding_field(evidence.field),
        "value": Term(words.zh, words.en, value) if words and value else value,
        "source": word_term(SOURCES, evidence.source),
        "locator": evidence.locator,
        "observed_at": evidence.observed_at,
        "stale": evidence.stale or None,
    }
