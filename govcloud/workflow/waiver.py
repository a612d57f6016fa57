"""Grant, list and withdraw waivers of findings; each with its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from govcloud.compliance.waivers import granting_roles, verify_grant
from govcloud.errors import UsageError
from govcloud.model.ids import build_id
from govcloud.model.ledger import LedgerEntry
from govcloud.model.regulation import Finding
from govcloud.model.text import Text
from govcloud.model.waiver import Waiver
from govcloud.store import finding as finding_store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import waiver as waiver_store
from govcloud.workflow.check import unknown_finding
from govcloud.workflow.office import office_rulebook, today
from govcloud.workflow.session import Session


def add_waiver(
    session: Session,
    finding_id: str,
    *,
    reason: str,
    role: str,
    approver: str,
    document: str,
    approved_on: date,
    valid_until: date,
) -> Waiver:
    """Raises UsageError for an unknown finding, and where the waiver can't be granted, with every reason."""
    at, day = session.now(), today(session)
    packs = {pack.regulation_id: pack for pack in office_rulebook(session).packs}
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        finding = finding_store.load_finding(tx, finding_id)
        if finding is None:
            raise unknown_finding(finding_id)
        pack = packs.get(finding.rule_id.partition("/")[0])
        roles = pack.roles if pack else {}
        earlier = waiver_store.list_waivers(tx, [finding_id])
        waiver = Waiver(
            waiver_id=build_id("W", finding_id, str(len(earlier))), finding_id=finding_id, rule_id=finding.rule_id,
            subject_id=finding.subject_id, reason=_line(reason), role=role, role_term=roles.get(role) or "",
            approver=_line(approver), document=_line(document), approved_on=approved_on, valid_until=valid_until,
            recorded_by=session.actor, recorded_at=at,
        )  # fmt: skip
        problems = verify_grant(finding, earlier, waiver, roles, day)
        if problems:
            what = Text("；".join(p.zh for p in problems), "; ".join(p.en for p in problems))
            raise UsageError(Text("不能豁免：{w}", "It can't be waived: {w}").format(w=what), where=finding_id)
        waiver_store.add_waiver(tx, waiver)
        _record(session, tx, waiver, "add", {
            "reason": waiver.reason, "role": role, "role_term": waiver.role_term, "approver": waiver.approver,
            "document": waiver.document, "approved_on": approved_on.isoformat(), "valid_until": valid_until.isoformat(),
        })  # fmt: skip
    return waiver


def granting_parties(session: Session, finding: Finding) -> dict[str, str]:
    """Role -> what the finding's document calls it, of those that may grant a waiver."""
    packs = (p for p in office_rulebook(session).packs if p.regulation_id == finding.rule_id.partition("/")[0])
    return next((granting_roles(finding, pack.roles) for pack in packs), {})


def withdraw_waiver(session: Session, waiver_id: str, reason: str) -> Waiver:
    """From today on it does not count. Raises UsageError for an unknown or ended waiver, and without a reason."""
    day = today(session)
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        found = waiver_store.load_waiver(tx, waiver_id)
        if found is None:
            raise UsageError(
                Text("没有这个豁免编号", "No such waiver"), where=waiver_id,
                next_step=Text("运行 govcloud waiver list --all 查看编号", "govcloud waiver list --all shows the ids"),
            )  # fmt: skip
        if found.withdrawn_on is not None:
            raise UsageError(
                Text("已于 {d} 撤销", "It was withdrawn on {d}").format(d=found.withdrawn_on.isoformat()),
                where=waiver_id,
            )
        if found.state(day) == "expired":
            raise UsageError(
                Text("已于 {d} 到期，无须撤销", "It expired on {d}; there is nothing to withdraw").format(
                    d=found.valid_until.isoformat()),
                where=waiver_id,
            )  # fmt: skip
        if not _line(reason):
            raise UsageError(Text("没有写撤销理由", "No reason is given"), where=waiver_id)
        withdrawn = replace(
            found, withdrawn_on=day, withdrawn_by=session.actor, withdrawn_reason=_line(reason)
        )  # fmt: skip
        waiver_store.replace_waiver(tx, withdrawn)
        _record(session, tx, withdrawn, "withdraw", {"reason": _line(reason)})
    return withdrawn


def list_waivers(session: Session, *, ended: bool = False) -> tuple[tuple[Waiver, Finding | None], ...]:
    """Those that are valid today, each with its finding; `ended`: also those that have expired or were withdrawn."""
    day = today(session)
    with session.store.read() as tx:
        waivers = [w for w in waiver_store.list_waivers(tx) if ended or w.valid(day)]
        findings = finding_store.load_findings(tx, {w.finding_id for w in waivers})
    return tuple((waiver, findings.get(waiver.finding_id)) for waiver in waivers)


def _line(text: str) -> str:
    return " ".join(text.split())


def _record(session: Session, tx: Connection, waiver: Waiver, what: str, body: Mapping[str, object]) -> None:
    known = {"what": what, "waiver_id": waiver.waiver_id, "finding_id": waiver.finding_id, "rule_id": waiver.rule_id}
    ledger_store.append(tx, LedgerEntry(
        kind="waiver", actor=session.actor, at=session.now(), subject_id=waiver.subject_id, body=known | dict(body),
    ))  # fmt: skip
