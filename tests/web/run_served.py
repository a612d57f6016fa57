"""Runs and their people, served: the desk of tests/workflow with accounts and a dashboard on top of it."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from run_desk import SYSTEM, Desk, Place
from served import PASSWORD, AccountRole, Served, csrf, serving
from wave_desk import OPENS, OTHER, make_wave_desk

from govcloud.workflow.account_changes import add_account, set_password

PEOPLE: dict[str, tuple[str, tuple[AccountRole, ...]]] = {
    "admin": ("钱示例", ("administrator",)),
    "worker": ("worker", ("builder",)),
    "zhang": ("张示例", ("builder",)),
    "wang": ("王示例", ("builder",)),
    "li": ("李示例", ("owner",)),
    "zhao": ("赵示例", ("authority",)),
    "zhou": ("周示例", ("supervisor",)),
    "sun": ("孙示例", ("auditor",)),
}
"""zhang starts the runs, worker carries them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    desk: Desk
    served: Served

    @contextmanager
    def by(self, login: str, lang: str = "zh") -> Iterator[Browser]:
        with self.served.signed_in(login, lang) as client:
            yield Browser(client)


@dataclass(frozen=True, slots=True)
class Browser:
    client: httpx.Client

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, path: str, status: int = 200, **data: object) -> str:
        sent = {"csrf": csrf(self.client.get("/runs")), **data}
        answer = self.client.post(path, data=sent)
        assert answer.status_code == status, answer.text
        return answer.text


@cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gc-served-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    desk = make_wave_desk(folder / "w")
    with desk.open("seed") as session:
        for login, (name, roles) in PEOPLE.items():
            add_account(session, login, name=name, unit="示例单位", roles=roles, here="nobody")
            set_password(session, login, PASSWORD)
    return folder / "w"


@contextmanager
def serve_runs(path: Path) -> Iterator[Office]:
    shutil.copytree(_template(), path)
    desk = Desk(Place(path), now=OPENS + timedelta(minutes=1))
    with desk.open("seed") as session, serving(session) as served:
        yield Office(desk=desk, served=served)


__all__ = ["OTHER", "PEOPLE", "SYSTEM", "Browser", "Office", "serve_runs"]
