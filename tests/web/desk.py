"""People of an office at their browsers: who is who in the tests of takeovers, ledger and accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import httpx
from api_office import ADMIN, as_account, join
from served import AT, PASSWORD, Served, csrf, serving, workspace

from govcloud.model.account import AccountRole
from govcloud.settings import open_workspace
from govcloud.workflow import account_changes
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

ROLES: tuple[AccountRole, ...] = ("owner", "builder", "auditor")


@dataclass(frozen=True, slots=True)
class Desk:
    served: Served
    browsers: dict[str, httpx.Client]
    """Login (that of a role) -> signed in, Chinese."""

    @property
    def session(self) -> Session:
        return self.served.session

    def get(self, login: str, path: str) -> httpx.Response:
        return self.browsers[login].get(path)

    def post(
        self, login: str, path: str, data: dict[str, object] | None = None, files: dict[str, tuple[str, bytes]] | None = None
    ) -> httpx.Response:  # fmt: skip
        browser = self.browsers[login]
        token = csrf(browser.get("/me"))
        return browser.post(path, data={"csrf": token, **(data or {})}, files=files)


@contextmanager
def open_desk(folder: Path, *, estate: bool = True) -> Iterator[Desk]:
    """`estate`: with the sample workbooks."""
    with ExitStack() as stack:
        session = stack.enter_context(workspace(folder) if estate else _empty(folder))
        for login, role in ((ADMIN, "administrator"), *((role, role) for role in ROLES)):
            join(session, login, role)
            account_changes.set_password(as_account(session, login), login, PASSWORD)
        served = stack.enter_context(serving(session))
        yield Desk(served, {login: stack.enter_context(served.signed_in(login)) for login in (ADMIN, *ROLES)})


@contextmanager
def _empty(folder: Path) -> Iterator[Session]:
    init_workspace(folder, "shanxi", actor="张示例")
    with open_session(open_workspace(folder), actor="张示例", now=lambda: AT) as opened:
        yield opened


def text_of(page: httpx.Response) -> str:
    """What a reader sees, without markup."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text)))


__all__ = ["ADMIN", "PASSWORD", "Desk", "open_desk", "text_of"]
