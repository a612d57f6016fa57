"""Findings from run to run: a problem keeps its row from the day it is first seen to the day it is gone, and after.

The body is what the check said; when the problem came and went stands in the columns, so that a check which finds the same
again writes no body. `resolved_on` of an open row: when it was gone the last time, before it came back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from govcloud.model.regulation import Finding, FindingState
from govcloud.model.text import Text
from govcloud.store import schema
from govcloud.store.inventory import chunks, insert_rows

_OPEN, _RESOLVED = "open", "resolved"
_PORTION = 5_000
"""Bodies that are held at once."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Finding).decode


class _Return(msgspec.Struct):
    """The part of a body that says when the problem came back."""

    returned_on: date | None = None


_returned = msgspec.json.Decoder(_Return).decode


class _Fact(msgspec.Struct, omit_defaults=True):
    """Evidence as it is stored: a quarter of the bodies would be fields that say nothing."""

    field: str
    value: str | None
    subject_id: str | None = None
    source: str | None = None
    locator: str | None = None
    observed_at: datetime | None = None
    stale: bool = False


class _Body(msgspec.Struct, omit_defaults=True):
    """A Finding as it is stored, without what stands in the columns and without waivers; it is read as a Finding."""

    finding_id: str
    rule_id: str
    topic: str
    subject_kind: str
    subject_id: str
    subject_name: str
    department: str | None
    verdict: str
    standing: str
    severity: str
    title: Text
    message: Text
    clauses: tuple[str, ...]
    consequence: Text | None
    responsible: str
    responsible_term: str | None
    next_step: Text
    evidence: tuple[_Fact, ...] = ()
    missing: tuple[str, ...] = ()
    due_on: date | None = None
    provisional: bool = False
    note: Text | None = None
    returned_on: date | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """What is stored of a finding, without its body."""

    status: str
    first_seen_on: str
    resolved_on: str | None
    returned_on: date | None
    body_hash: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    findings: tuple[Finding, ...]
    """As they were given, then those that are gone since the last run."""
    sha256: str
    """Over the stored bodies of all open findings in the order of their ids, each with a line feed."""


def last_check_on(tx: Connection) -> date | None:
    """Day of the latest recorded check that found anything; None before the first."""
    table = schema.finding
    days = tx.execute(select(func.max(table.c.last_seen_on), func.max(table.c.resolved_on))).one()
    known = [date.fromisoformat(day) for day in days if day]
    return max(known, default=None)


def track(tx: Connection, findings: Sequence[Finding], as_of: date) -> Tracked:
    """Record the findings of today's check and return them with their states.

    A finding first seen today is `new`, also when the check runs twice; one that comes back is `new` again and keeps
    the day it was first seen. `resolved` ones are returned on the day they went only.
    """
    stored, day = _rows(tx), as_of.isoformat()
    current: dict[str, Finding] = {}
    digest = hashlib.sha256()
    ordered = sorted(findings, key=attrgetter("finding_id"))
    for start in range(0, len(ordered), _PORTION):
        fresh: list[tuple[object, ...]] = []
        outdated: list[str] = []
        for finding in ordered[start : start + _PORTION]:
            row = stored.pop(finding.finding_id, None)
            dated = _dated(finding, row, as_of)
            body = _body(finding, dated.returned_on)
            digest.update(body + b"\n")
            text = body.decode()
            if row is None or row.status == _RESOLVED or row.body_hash != hash(text):
                first = row.first_seen_on if row else day
                gone_on = row.resolved_on if row else None
                fresh.append(
                    (finding.finding_id, finding.rule_id, finding.subject_id, _OPEN, first, day, gone_on, text)
                )
                if row:
                    outdated.append(finding.finding_id)
            current[finding.finding_id] = dated
        for some in chunks(outdated):
            tx.execute(delete(schema.finding).where(schema.finding.c.finding_id.in_(some)))
        insert_rows(tx, schema.finding, fresh)
    gone = [finding_id for finding_id, row in stored.items() if row.status == _OPEN]
    before = [finding_id for finding_id, row in stored.items() if row.status == _RESOLVED and row.resolved_on == day]
    _close(tx, gone, day)
    return Tracked(
        findings=(*(current[f.finding_id] for f in findings), *load_findings(tx, [*gone, *before]).values()),
        sha256=digest.hexdigest(),
    )


def digest_findings(findings: Sequence[Finding]) -> str:
    """The same digest of findings that are not recorded."""
    digest = hashlib.sha256()
    for finding in sorted(findings, key=attrgetter("finding_id")):
        digest.update(_body(finding) + b"\n")
    return digest.hexdigest()


def open_findings(tx: Connection) -> tuple[Finding, ...]:
    """The findings of the last recorded check that are still there, by id."""
    table = schema.finding
    rows = tx.execute(select(table).where(table.c.status == _OPEN).order_by(table.c.finding_id))
    return tuple(map(_finding, rows))


def load_finding(tx: Connection, finding_id: str) -> Finding | None:
    return load_findings(tx, [finding_id]).get(finding_id)


def load_findings(tx: Connection, finding_ids: Collection[str]) -> dict[str, Finding]:
    """Id -> finding, of any recorded check, also those that are gone; unknown ids are left out."""
    table = schema.finding
    found = {}
    for some in chunks(sorted(finding_ids)):
        for row in tx.execute(select(table).where(table.c.finding_id.in_(some)).order_by(table.c.finding_id)):
            found[row.finding_id] = _finding(row)
    return found


def _body(f: Finding, returned_on: date | None = None) -> bytes:
    facts = tuple(
        _Fact(e.field, e.value, e.subject_id, e.source, e.locator, e.observed_at, e.stale) for e in f.evidence
    )
    return _encode(_Body(
        f.finding_id, f.rule_id, f.topic, f.subject_kind, f.subject_id, f.subject_name, f.department, f.verdict,
        f.standing, f.severity, f.title, f.message, f.clauses, f.consequence, f.responsible, f.responsible_term,
        f.next_step, facts, f.missing, f.due_on, f.provisional, f.note, returned_on,
    ))  # fmt: skip


def _rows(tx: Connection) -> dict[str, _Row]:
    query = "SELECT finding_id, status, first_seen_on, resolved_on, body FROM finding"
    return {
        finding_id: _Row(
            status, first, resolved, _returned(body).returned_on if resolved and status == _OPEN else None, hash(body)
        )
        for finding_id, status, first, resolved, body in tx.exec_driver_sql(query)
    }


def _dated(finding: Finding, row: _Row | None, as_of: date) -> Finding:
    if row is None:
        return finding.as_seen("new", as_of)
    first = date.fromisoformat(row.first_seen_on)
    returned = as_of if row.status == _RESOLVED else row.returned_on
    gone = date.fromisoformat(row.resolved_on) if row.resolved_on else None
    return finding.as_seen("new" if as_of in (first, returned) else "open", first, gone, returned)


def _finding(row: Any) -> Finding:
    found = _decode(row.body)
    gone = date.fromisoformat(row.resolved_on) if row.resolved_on else None
    first, last = date.fromisoformat(row.first_seen_on), date.fromisoformat(row.last_seen_on)
    state: FindingState = "new" if last in (first, found.returned_on) else "open"
    return found.as_seen("resolved" if row.status == _RESOLVED else state, first, gone, found.returned_on)


def _close(tx: Connection, gone: Sequence[str], day: str) -> None:
    """What is gone, is gone since that day; everything else was seen on it."""
    table = schema.finding
    for some in chunks(gone):
        tx.execute(update(table).where(table.c.finding_id.in_(some)).values(status=_RESOLVED, resolved_on=day))
    tx.execute(update(table).where(table.c.status == _OPEN, table.c.last_seen_on != day).values(last_seen_on=day))
