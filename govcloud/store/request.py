"""The newest check of every request: what departments run, or are about to, on which offering of which catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, select

from govcloud.model.request import RequestCheck
from govcloud.store import schema
from govcloud.store.codec import decode, instant
from govcloud.store.inventory import chunks, insert_rows


def save_request(tx: Connection, check: RequestCheck, at: datetime) -> str:
    return save_requests(tx, [check], at)[0]


def save_requests(tx: Connection, checks: Sequence[RequestCheck], at: datetime) -> list[str]:
    """In the place of the earlier checks of the same requests; of two with one identity the last is kept.

    Returns the SHA-256 of what is stored of each, for the ledger.
    """
    encoder, checked_at = msgspec.json.Encoder(), instant(at)
    bodies = [encoder.encode(check) for check in checks]
    rows = {
        (key := request_id(check)): (
            key, check.request.department, check.request.system_id, check.catalog_id, check.catalog_version,
            check.request.applied_on.isoformat(), checked_at, body.decode(),
        )
        for check, body in zip(checks, bodies, strict=True)
    }  # fmt: skip
    for some in chunks(sorted(rows)):
        tx.execute(delete(schema.request).where(schema.request.c.request_id.in_(some)))
    insert_rows(tx, schema.request, list(rows.values()))
    return [hashlib.sha256(body).hexdigest() for body in bodies]


def request_id(check: RequestCheck) -> str:
    """From department, system, project and file name: a system may have several requests, one file is one request."""
    request = check.request
    named = (request.department, request.system_id, request.project_id, check.file)
    return "R-" + hashlib.sha256(msgspec.json.encode(named)).hexdigest()[:16]


def running_requests(tx: Connection) -> tuple[RequestCheck, ...]:
    """By department, system and day of application."""
    return tuple(check for check, _ in latest_requests(tx))


def latest_requests(tx: Connection) -> tuple[tuple[RequestCheck, datetime], ...]:
    """Each with the instant of its check."""
    table, decoder = schema.request, msgspec.json.Decoder(RequestCheck)
    order = (table.c.department, table.c.system_id, table.c.applied_on, table.c.request_id)
    rows = tx.execute(select(table.c.body, table.c.checked_at).order_by(*order))
    return tuple((decoder.decode(row.body), datetime.fromisoformat(row.checked_at)) for row in rows)


def requests_of(tx: Connection, system_id: str) -> tuple[RequestCheck, ...]:
    """Those of one system, by day of application."""
    table = schema.request.c
    rows = select(table.body).where(table.system_id == system_id).order_by(table.applied_on, table.request_id)
    return tuple(decode(body, RequestCheck) for body in tx.execute(rows).scalars())
