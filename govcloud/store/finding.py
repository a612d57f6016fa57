"""Findings from run to run: a problem keeps its row from the day it is first seen to the day it is gone, and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, func, insert, select, update

from govcloud.model.regulation import Finding, FindingState
from govcloud.store import schema
from govcloud.store.codec import decode, encode

_OPEN, _RESOLVED = "open", "resolved"


def last_check_on(tx: Connection) -> date | None:
    """Day of the latest recorded check that found anything; None before the first."""
    table = schema.finding
    days = tx.execute(select(func.max(table.c.last_seen_on), func.max(table.c.resolved_on))).one()
    known = [date.fromisoformat(day) for day in days if day]
    return max(known, default=None)


def track(tx: Connection, findings: Sequence[Finding], as_of: date) -> tuple[Finding, ...]:
    """Record the findings of today's check and return them with their states, those that are gone now at the end.

    A finding first seen today is `new`, also when the check runs twice; one that comes back is `new` again and keeps
    the day it was first seen. `resolved` ones are returned on the day they went only.
    """
    table = schema.finding
    rows = {row.finding_id: row for row in tx.execute(select(table))}
    day = as_of.isoformat()
    tracked: list[Finding] = []
    for finding in findings:
        row = rows.pop(finding.finding_id, None)
        if row is None:
            current = replace(finding, state="new", first_seen_on=as_of)
            tx.execute(insert(table).values(finding_id=finding.finding_id, **_columns(current, _OPEN, day)))
        else:
            back = row.status == _RESOLVED
            state: FindingState = "new" if back or row.first_seen_on == day else "open"
            current = replace(finding, state=state, first_seen_on=date.fromisoformat(row.first_seen_on))
            tx.execute(
                update(table).where(table.c.finding_id == finding.finding_id).values(**_columns(current, _OPEN, day))
            )
        tracked.append(current)
    for row in rows.values():
        if row.status == _RESOLVED and row.resolved_on != day:
            continue
        gone = replace(
            decode(row.body, Finding), state="resolved", resolved_on=as_of,
            first_seen_on=date.fromisoformat(row.first_seen_on),
        )  # fmt: skip
        values = {"status": _RESOLVED, "resolved_on": day, "body": encode(gone)}
        tx.execute(update(table).where(table.c.finding_id == row.finding_id).values(**values))
        tracked.append(gone)
    return tuple(tracked)


def open_findings(tx: Connection) -> tuple[Finding, ...]:
    """The findings of the last recorded check that are still there, by id."""
    table = schema.finding
    rows = tx.execute(select(table.c.body).where(table.c.status == _OPEN).order_by(table.c.finding_id))
    return tuple(decode(row.body, Finding) for row in rows)


def load_finding(tx: Connection, finding_id: str) -> Finding | None:
    table = schema.finding
    body = tx.execute(select(table.c.body).where(table.c.finding_id == finding_id)).scalar()
    return decode(body, Finding) if body is not None else None


def _columns(finding: Finding, status: str, day: str) -> dict[str, str | None]:
    return {
        "rule_id": finding.rule_id, "subject_id": finding.subject_id, "status": status,
        "first_seen_on": (finding.first_seen_on or date.fromisoformat(day)).isoformat(), "last_seen_on": day,
        "resolved_on": None, "body": encode(finding),
    }  # fmt: skip
