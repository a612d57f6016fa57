"""Check the estate against the office's rule packs; each check with its record."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date

from govcloud import resources
from govcloud.compliance import cases
from govcloud.compliance.evaluate import evaluate
from govcloud.compliance.load import pack_ids
from govcloud.errors import UsageError
from govcloud.model.ledger import LedgerEntry
from govcloud.model.regulation import CaseResult, EstateCheck, Finding
from govcloud.model.text import Text
from govcloud.store import finding as finding_store
from govcloud.store import ledger as ledger_store
from govcloud.store.codec import encode
from govcloud.workflow.office import load_estate, load_rulebook, office_rulebook, today
from govcloud.workflow.session import Session


def check_estate(session: Session, as_of: date | None = None) -> EstateCheck:
    """Every rule against the whole inventory, as of a day (today by default).

    Findings are followed from run to run (new, open, resolved) for checks of today only: a look at another day must
    not close or open anything. Raises UsageError before the first import.
    """
    inventory = load_estate(session)
    rulebook = office_rulebook(session)
    day = today(session)
    checked = evaluate(inventory, rulebook.packs, rulebook.topics, rulebook.calendar, as_of or day)
    with session.store.begin() as tx:
        last = finding_store.last_check_on(tx)
        if checked.as_of == day and (last is None or last <= day):
            tracked = finding_store.track(tx, checked.findings, day)
            checked = replace(checked, findings=tracked, tracked=True)
        ledger_store.append(
            tx, LedgerEntry(kind="check", actor=session.actor, at=session.now(), body=_estate_body(checked))
        )
    return checked


def open_findings(session: Session) -> tuple[Finding, ...]:
    """What the last check of the estate left open; empty before the first."""
    with session.store.read() as tx:
        return finding_store.open_findings(tx)


def find_finding(session: Session, finding_id: str) -> Finding:
    """A finding of any recorded check, also one that is gone. Raises UsageError for an unknown id."""
    with session.store.read() as tx:
        found = finding_store.load_finding(tx, finding_id)
    if found is None:
        raise UsageError(
            Text("没有这个问题编号", "No such finding"),
            where=finding_id,
            next_step=Text("运行 govcloud check estate 查看编号", "govcloud check estate shows the ids"),
        )
    return found


def _estate_body(checked: EstateCheck) -> dict[str, object]:
    def count(**wanted: str) -> int:
        return sum(
            all(getattr(f, k) == v for k, v in wanted.items()) for f in checked.findings if f.state != "resolved"
        )

    return {
        "what": "estate",
        "as_of": checked.as_of.isoformat(),
        "regulations": list(checked.regulations),
        "tracked": checked.tracked,
        "binding_fail": count(standing="binding", verdict="fail"),
        "binding_undetermined": count(standing="binding", verdict="undetermined"),
        "reference": count(standing="reference"),
        "new": [f.finding_id for f in checked.findings if f.state == "new"],
        "resolved": [f.finding_id for f in checked.findings if f.state == "resolved"],
        "findings_sha256": hashlib.sha256(encode(checked.findings).encode()).hexdigest(),
    }


def check_rules() -> tuple[CaseResult, ...]:
    """Load every rule pack and try every case of its rules. Raises InputError for a pack that does not add up."""
    root = resources.folder("regulations")
    rulebook = load_rulebook(pack_ids(root))
    return tuple(r for pack in rulebook.packs for r in cases.run_cases(root, pack, rulebook.calendar))
