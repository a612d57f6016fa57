"""A served workspace for the tests of this folder."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx

from govcloud import resources
from govcloud.model.account import AccountRole
from govcloud.settings import open_workspace
from govcloud.web.limits import Limiter
from govcloud.web.place import Place
from govcloud.web.server import Address, build_place, build_server
from govcloud.workflow.collect import import_files
from govcloud.workflow.init import init_workspace
from govcloud.workflow.session import Session, open_session

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PASSWORD = "一句足够长的示例口令 2026"


@contextmanager
def workspace(folder: Path) -> Iterator[Session]:
    init_workspace(folder, "shanxi", actor="张示例")
    with open_session(open_workspace(folder), actor="张示例", now=lambda: AT) as opened:
        import_files(opened, sorted((resources.folder("inventory") / "sample" / "workbooks").glob("*.xlsx")))
        yield opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    place: Place
    address: str
    """http://127.0.0.1:PORT"""

    @property
    def session(self) -> Session:
        return self.place.session

    def browser(self, lang: str = "zh") -> httpx.Client:
        """A client that keeps cookies and follows redirects, as a browser does."""
        return httpx.Client(base_url=self.address, follow_redirects=True, headers={"Accept-Language": lang}, timeout=60)

    @contextmanager
    def local(self, lang: str = "zh") -> Iterator[httpx.Client]:
        """Signed in as the operating-system user who serves; once a server, like the address on its terminal."""
        assert self.place.local_key is not None
        with self.browser(lang) as found:
            assert found.get("/local", params={"key": self.place.local_key.text}).status_code == 200
            yield found

    @contextmanager
    def signed_in(self, login: str, lang: str = "zh") -> Iterator[httpx.Client]:
        with self.browser(lang) as found:
            answer = found.post("/sign-in", data={"login": login, "password": PASSWORD}, follow_redirects=False)
            assert answer.status_code == 303
            yield found


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


@contextmanager
def serving(session: Session, **limits: Limiter) -> Iterator[Served]:
    """`limits`: `attempts` and `requests`; without, a test may ask as often as it likes, but for signing in."""
    where = Address(host="127.0.0.1", port=0)
    many = {"requests": Limiter(burst=100_000, per_minute=100_000)}
    place = replace(build_place(session, where), **{**many, **limits})
    server = build_server(place, where)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(place=place, address=f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


__all__ = ["AT", "PASSWORD", "AccountRole", "Served", "csrf", "serving", "workspace"]
