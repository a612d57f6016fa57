"""Check the estate against the office's rule packs and requests against its catalog; each result with its record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from govcloud import resources
from govcloud.compliance import cases, catalog_match, catalog_source, request_source
from govcloud.compliance.calendar import WorkCalendar
from govcloud.compliance.calendar_source import load_calendar
from govcloud.compliance.evaluate import evaluate
from govcloud.compliance.load import load_packs, load_topics, pack_ids
from govcloud.discovery.request_form import parse_request
from govcloud.discovery.workbook import load_workbook
from govcloud.errors import UsageError
from govcloud.events import Event
from govcloud.model.catalog import Catalog, LineVerdict, RequestCheck, ResourceRequest
from govcloud.model.inventory import Inventory
from govcloud.model.ledger import LedgerEntry
from govcloud.model.regulation import CaseResult, EstateCheck, Finding, Regulation
from govcloud.model.text import Text
from govcloud.store import finding as finding_store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store.codec import encode
from govcloud.workflow.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """What an office is measured by: its own pack first, then those of the levels above it."""

    packs: tuple[Regulation, ...]
    topics: dict[str, Text]
    calendar: WorkCalendar

    @property
    def own(self) -> Regulation:
        return self.packs[0]


def load_rulebook(ids: Sequence[str], workspace: Path | None = None) -> Rulebook:
    """Raises UsageError for an unknown pack, InputError for a faulty one. `workspace`/calendars adds and corrects years."""
    root = resources.folder("regulations")
    own_calendars = (workspace / "calendars",) if workspace else ()
    return Rulebook(
        packs=load_packs(root, ids),
        topics=load_topics(root),
        calendar=load_calendar(root / "calendars", *own_calendars),
    )


def office_rulebook(session: Session) -> Rulebook:
    settings = session.workspace.settings
    if not settings.jurisdiction:
        raise UsageError(
            Text("工作区没有设置法规", "The workspace names no regulations"),
            where="govcloud.yaml:jurisdiction",
            next_step=Text("写上法规包编号，例如 [SX19, SX17]", "Name rule packs there, for example [SX19, SX17]"),
        )
    return load_rulebook(settings.jurisdiction, session.workspace.path)


def office_catalog(session: Session) -> Catalog:
    return catalog_source.load_catalog(resources.folder("service_catalog"), session.workspace.settings.catalog)


def today(session: Session) -> date:
    """The date in the office's own time zone."""
    return session.now().astimezone(ZoneInfo(session.workspace.settings.timezone)).date()


def load_estate(session: Session) -> Inventory:
    """Raises UsageError before the first import: an empty inventory would look like a clean one."""
    with session.store.read() as tx:
        inventory = inventory_store.load_inventory(tx)
    if not (inventory.systems or inventory.networks or inventory.projects):
        raise UsageError(
            Text("资产清单还是空的", "The inventory is still empty"),
            where=str(session.workspace.path),
            next_step=Text("先运行 govcloud import 普查表.xlsx", "Run govcloud import CENSUS.xlsx first"),
        )
    return inventory


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


def check_request(session: Session, files: Sequence[Path]) -> tuple[RequestCheck, ...]:
    """Each file against the office's catalog. All files are read before anything is recorded, so a faulty one records
    nothing. Raises InputError.
    """
    rulebook, catalog = office_rulebook(session), office_catalog(session)
    what = Text("核对申请", "Checking requests")
    checks: list[tuple[RequestCheck, str]] = []
    for done, path in enumerate(files):
        session.observer.on_event(Event(what=what, subject=path.name, done=done, total=len(files)))
        request = _read_request(path, catalog)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        checks.append((catalog_match.check_request(request, catalog, rulebook.own, path.name), digest))
    with session.store.begin() as tx:
        for check, digest in checks:
            entry = LedgerEntry(
                kind="check",
                actor=session.actor,
                at=session.now(),
                subject_id=check.request.system_id,
                project_id=check.request.project_id,
                body=_request_body(check, digest, catalog),
            )
            ledger_store.append(tx, entry)
    return tuple(check for check, _ in checks)


def _read_request(path: Path, catalog: Catalog) -> ResourceRequest:
    """YAML, or the form that `govcloud template request` makes. Raises InputError."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return request_source.load_request(path, catalog)
    return request_source.build_request(parse_request(load_workbook(path), catalog.classes), path, catalog)


def _request_body(check: RequestCheck, digest: str, catalog: Catalog) -> dict[str, object]:
    def line(verdict: LineVerdict) -> dict[str, object]:
        return {
            "line": str(verdict.line.line),
            "outcome": verdict.outcome,
            "code": verdict.code,
            "clauses": list(verdict.clauses),
            "yearly_fen": None if verdict.yearly_fen is None else str(verdict.yearly_fen),
        }

    return {
        "what": "request",
        "file": check.file,
        "sha256": digest,
        "department": check.request.department,
        "catalog": check.catalog_id,
        "catalog_version": catalog.version,
        "conforms": check.conforms,
        "lines": [line(verdict) for verdict in check.lines],
    }


def check_rules() -> tuple[CaseResult, ...]:
    """Load every rule pack and try every case of its rules. Raises InputError for a pack that does not add up."""
    root = resources.folder("regulations")
    rulebook = load_rulebook(pack_ids(root))
    return tuple(r for pack in rulebook.packs for r in cases.run_cases(root, pack, rulebook.calendar))
