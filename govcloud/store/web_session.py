"""Who is signed in to the dashboard. Only digests of cookies are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from govcloud.model.account import Identity
from govcloud.store import schema
from govcloud.store.codec import decode, encode, instant


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    sha256: str
    """Hex, of the cookie's text."""
    login: str
    """Of the account; empty for the operating-system user of a workspace without accounts."""
    csrf: str
    begun_at: datetime
    seen_at: datetime
    expires_at: datetime
    identity: Identity = "account"
    """By what he has shown who he is."""


def save_web_session(tx: Connection, session: WebSession) -> None:
    """Store a new one, or the new state of a known one."""
    table = schema.web_session
    values = {"login": session.login, "expires_at": instant(session.expires_at), "body": encode(session)}
    if not tx.execute(update(table).where(table.c.sha256 == session.sha256).values(**values)).rowcount:
        tx.execute(insert(table).values(sha256=session.sha256, **values))


def find_web_session(tx: Connection, sha256: str) -> WebSession | None:
    table = schema.web_session
    body = tx.execute(select(table.c.body).where(table.c.sha256 == sha256)).scalar()
    return None if body is None else decode(body, WebSession)


def end_web_session(tx: Connection, sha256: str) -> None:
    tx.execute(delete(schema.web_session).where(schema.web_session.c.sha256 == sha256))


def end_sessions_of(tx: Connection, login: str) -> None:
    tx.execute(delete(schema.web_session).where(schema.web_session.c.login == login))


def end_expired(tx: Connection, now: datetime) -> None:
    tx.execute(delete(schema.web_session).where(schema.web_session.c.expires_at <= instant(now)))
