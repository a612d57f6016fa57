"""Departments' requests against the office's catalog; each check with its record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from govcloud.compliance import catalog_match, request_source
from govcloud.discovery.request_form import parse_request
from govcloud.discovery.workbook import load_workbook
from govcloud.events import Event
from govcloud.model.catalog import Catalog, LineVerdict, RequestCheck, ResourceRequest
from govcloud.model.ledger import LedgerEntry
from govcloud.model.text import Text
from govcloud.store import ledger as ledger_store
from govcloud.workflow.office import office_catalog, office_rulebook
from govcloud.workflow.session import Session


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
