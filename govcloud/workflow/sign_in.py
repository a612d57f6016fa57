"""Signing in to the dashboard: sessions of browsers that end by themselves, a new one at each sign-in."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from govcloud.model.account import Account, Identity
from govcloud.model.ids import is_host_name
from govcloud.model.ledger import LedgerEntry
from govcloud.store import ledger as ledger_store
from govcloud.store.web_session import WebSession, end_expired, end_web_session, find_web_session, save_web_session
from govcloud.workflow.accounts import authenticate, enabled_account, refuse
from govcloud.workflow.session import Session

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=10)
_TOUCH = timedelta(minutes=1)
"""A session's last use is written no more often than that: a page costs no writing transaction."""


class LocalKey:
    """Opens the dashboard of a workspace without accounts, once, for whoever can read the server's terminal."""

    def __init__(self) -> None:
        self.text = secrets.token_urlsafe(24)
        self._used = False

    def use(self, text: str) -> bool:
        fits = not self._used and hmac.compare_digest(text.encode(), self.text.encode())
        self._used = self._used or fits
        return fits


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A session that was just begun. `cookie` is told to the browser and never stored."""

    cookie: str
    session: WebSession


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A browser's session that is valid now."""

    session: WebSession
    account: Account | None
    """None: the operating-system user, in a workspace without accounts."""


def sign_in(session: Session, login: str, password: str) -> Begun | None:
    """None for whatever is wrong: a stranger learns nothing from the answer."""
    account = authenticate(session, login, password)
    return None if account is None else begin(session, account)


def sign_in_by_provider(session: Session, login: str) -> Begun | None:
    """For whom the office's identity provider knows by that login. None, recorded, where no enabled account has it: none is
    ever made."""
    account = enabled_account(session, login) if is_host_name(login) else None  # a database may not take any text
    if account is None:
        refuse(session, "oidc", "identity", None)
        return None
    return begin(session, account, "oidc")


def begin(session: Session, account: Account | None, identity: Identity = "account") -> Begun:
    """A session for somebody who has shown who he is. The record names him, never the cookie."""
    now, cookie = session.now(), secrets.token_urlsafe(32)
    made = WebSession(
        sha256=_digest(cookie), login=account.login if account else "", csrf=secrets.token_urlsafe(24),
        begun_at=now, seen_at=now, expires_at=now + IDLE, identity=identity,
    )  # fmt: skip
    entry = LedgerEntry(
        kind="sign_in", actor=account.name if account else session.actor, at=now, body={"login": made.login},
        unit=account.unit if account else None, identity=identity if account else None,
    )  # fmt: skip
    with session.store.begin() as tx:
        end_expired(tx, now)
        save_web_session(tx, made)
        ledger_store.append(tx, entry)
    return Begun(cookie=cookie, session=made)


def signed_in(session: Session, cookie: str, *, touch: bool = True) -> SignedIn | None:
    """Whose cookie it is, while session and account are good; asked at every request, so disabling works at once.

    `touch`: it counts as a use, which prolongs the session.
    """
    now, digest = session.now(), _digest(cookie)
    with session.store.read() as tx:
        found = find_web_session(tx, digest)
    if found is None or now >= found.expires_at:
        return None
    account = enabled_account(session, found.login) if found.login else None
    if found.login and account is None:
        return None
    if touch and now - found.seen_at >= _TOUCH:
        found = replace(found, seen_at=now, expires_at=_end(found, now))
        with session.store.begin() as tx:
            save_web_session(tx, found)
    return SignedIn(session=found, account=account)


def _end(found: WebSession, now: datetime) -> datetime:
    return min(now + IDLE, found.begun_at + LONGEST)


def sign_out(session: Session, cookie: str) -> None:
    with session.store.begin() as tx:
        end_web_session(tx, _digest(cookie))


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()
