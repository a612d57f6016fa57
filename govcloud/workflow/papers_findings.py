"""What the last check of the estate left open: for the report, and as a paper of the office or of one department."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

import msgspec

from govcloud.model.ids import normalize
from govcloud.model.regulation import Finding, Severity
from govcloud.model.text import Text, same
from govcloud.report.document import Document, Signature
from govcloud.report.findings_document import build_findings_sections
from govcloud.store import ledger as ledger_store
from govcloud.workflow.check import open_findings
from govcloud.workflow.office import office_rulebook, today
from govcloud.workflow.paper_frame import new_document
from govcloud.workflow.paper_kind import Scope
from govcloud.workflow.session import Session

NOT_CHECKED = Text(
    "还没有按法规核对。运行 govcloud check estate。", "Nothing was checked yet. Run govcloud check estate."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCheck:
    as_of: date
    documents: tuple[str, ...]
    findings: tuple[Finding, ...]
    """What is open today, with the waivers of today, the most urgent first."""


def last_check(session: Session) -> LastCheck | None:
    """None before the first check of the estate."""
    body = _newest_estate_check(session)
    if body is None:
        return None
    found = sorted(open_findings(session), key=_urgency)
    return LastCheck(
        as_of=date.fromisoformat(body["as_of"]), documents=tuple(body["regulations"]), findings=tuple(found)
    )


def _newest_estate_check(session: Session) -> dict[str, Any] | None:
    with session.store.read() as tx:
        for record in ledger_store.iterate(tx, newest_first=True):
            # Most records are no checks, and a long body need not be read to see that.
            if '"kind":"check"' in record.canonical:
                document = msgspec.json.decode(record.canonical)
                body: dict[str, Any] = document["body"]
                if document["kind"] == "check" and body.get("what") == "estate" and body.get("tracked", True):
                    return body
    return None


def _urgency(finding: Finding) -> tuple[int, str, str]:
    return (get_args(Severity).index(finding.severity), finding.department or "", finding.subject_id)


def build_findings_paper(session: Session, scope: Scope) -> Document | Text:
    checked = last_check(session)
    if checked is None:
        return NOT_CHECKED
    named = scope.department
    findings = _of(checked.findings, named) if named else checked.findings
    if named and not findings:
        return Text(
            "最近一次核对中，{d}没有问题。部门名称可用 govcloud inventory departments 查看。",
            "The last check found nothing of {d}. The names of departments: govcloud inventory departments.",
        ).format(d=named)
    packs = office_rulebook(session).packs
    clauses = {c.clause_id: c for pack in packs for c in pack.clauses.values()}
    titles = {pack.regulation_id: pack.title for pack in packs}
    named_text = Text("{i}《{t}》", "{i} ({t})")
    documents = [named_text.format(i=i, t=titles[i]) if i in titles else same(i) for i in checked.documents]
    sections = build_findings_sections(
        findings, clauses, as_of=checked.as_of, documents=documents, today=today(session), department=named
    )
    title = Text("政务信息系统合规问题清单", "Findings of the check against the regulations")
    if not named:
        return new_document(session, title, sections)
    whole = findings[0].department or named
    return new_document(
        session, Text("{d}合规问题清单", "Findings of {d}").format(d=whole), sections, numbered=True,
        opening=(
            Text("{d}：", "To: {d}").format(d=whole),
            Text("经核对，你单位政务信息系统存在以下问题，请按整改要求办理，并反馈办理结果。",
                 "The check of your information systems found what follows. Please put it right as asked, and report the results."),
        ),
        signatures=(Signature(party=Text("核对单位", "Checking office"), unit=session.workspace.settings.name),),
    )  # fmt: skip


def _of(findings: Sequence[Finding], department: str) -> tuple[Finding, ...]:
    wanted = normalize(department)
    exact = tuple(f for f in findings if normalize(f.department or "") == wanted)
    return exact or tuple(f for f in findings if wanted in normalize(f.department or ""))
