"""A served office with an account of every role, each with a token, and with something to look at and to decide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
from served import AT, Served, serving, workspace

from govcloud.model.account import ACCOUNT_ROLES, AccountRole
from govcloud.workflow import account_changes, accounts
from govcloud.workflow.check import check_estate
from govcloud.workflow.session import Session

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ApiOffice:
    served: Served
    tokens: dict[str, str]
    """Login -> text. Roles have an account called after them."""

    @contextmanager
    def by(self, login: str) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self.served.address, headers=bearer(self.tokens[login]), timeout=60) as client:
            yield client

    def session(self, login: str) -> Session:
        return as_account(self.served.session, login)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def as_account(session: Session, login: str) -> Session:
    account = accounts.enabled_account(session, login)
    assert account is not None
    acting = accounts.acting_for(account, ("read", "administer"), "os_user")
    assert acting is not None
    return session.written_for(acting)


def join(session: Session, login: str, *roles: AccountRole) -> None:
    """Added by the administrator, who is the first."""
    by = as_account(session, ADMIN) if login != ADMIN else session
    account_changes.add_account(
        by, login, name=f"示例{login}", unit=f"示例单位{login}", roles=roles,
        os_users=["ops"] if login == ADMIN else [], here="ops",
    )  # fmt: skip


def give_token(session: Session, login: str, days: int = 30) -> str:
    return account_changes.new_token(as_account(session, login), login, "示例", days)[1]


@contextmanager
def api_office(folder: Path) -> Iterator[ApiOffice]:
    with workspace(folder) as opened:
        # A clock that goes: two plans of one instant would be one plan.
        ticks = count()
        session = replace(opened, now=lambda: AT + timedelta(milliseconds=next(ticks)))
        check_estate(session)
        join(session, ADMIN, "administrator")
        for role in ACCOUNT_ROLES:
            if role != "administrator":
                join(session, role, role)
        tokens = {login: give_token(session, login) for login in (ADMIN, *ACCOUNT_ROLES) if login != "administrator"}
        with serving(session) as served:
            yield ApiOffice(served, {**tokens, "administrator": tokens[ADMIN]})


__all__ = ["ADMIN", "ApiOffice", "api_office", "as_account", "bearer", "give_token", "join"]
