"""What a browser's session is worth, and for how long; what other sites and impatient programs get (F38)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from full_office import make_office
from served import PASSWORD, Served, csrf, serving

from govcloud.web.door import COOKIE
from govcloud.web.limits import Limiter
from govcloud.workflow import account_changes
from govcloud.workflow.sign_in import IDLE, LONGEST

MINUTE = timedelta(minutes=1)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Clock]]:
    with make_office(tmp_path_factory.mktemp("office") / "w") as made:
        clock = Clock(made.session.now())
        with serving(replace(made.session, now=clock), attempts=Limiter(burst=1000, per_minute=1000)) as running:
            yield running, clock


def open_for(client: httpx.Client) -> bool:
    return client.get("/systems", follow_redirects=False).status_code == 200


def test_a_session_ends_when_nobody_uses_it(office: tuple[Served, Clock]) -> None:
    served, clock = office
    with served.signed_in("auditor") as mine:
        clock.now += IDLE - MINUTE
        assert open_for(mine)
        clock.now += IDLE - MINUTE
        assert open_for(mine), "the use before has prolonged it"
        clock.now += IDLE
        assert not open_for(mine)


def test_a_session_that_is_used_all_day_ends_all_the_same(office: tuple[Served, Clock]) -> None:
    served, clock = office
    with served.signed_in("auditor") as mine:
        begun = clock.now
        while clock.now + IDLE - MINUTE < begun + LONGEST:
            assert open_for(mine)
            clock.now += IDLE - MINUTE
        clock.now = begun + LONGEST
        assert not open_for(mine)


def test_an_expired_form_does_nothing(office: tuple[Served, Clock]) -> None:
    served, clock = office
    with served.signed_in("auditor") as mine:
        form = csrf(mine.get("/systems"))
        clock.now += IDLE
        answer = mine.post("/sign-out", data={"csrf": form}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_cookie_that_was_planted_before_the_sign_in_is_worth_nothing_after_it(office: tuple[Served, Clock]) -> None:
    served, _ = office
    with served.browser() as victim, served.browser() as attacker:
        for planted in ("planted", "A" * 43, ""):
            victim.cookies.clear()
            victim.cookies.set(COOKIE, planted, domain="127.0.0.1", path="/")
            answer = victim.post(
                "/sign-in", data={"login": "auditor", "password": PASSWORD}, follow_redirects=False
            )  # fmt: skip
            given = answer.headers["set-cookie"].split(";")[0].partition("=")[2]
            assert given
            assert given != planted
            attacker.cookies.set(COOKIE, planted, domain="127.0.0.1", path="/")
            assert not open_for(attacker)


def test_each_sign_in_is_a_session_of_its_own(office: tuple[Served, Clock]) -> None:
    served, _ = office
    with served.signed_in("auditor") as first, served.signed_in("auditor") as second:
        assert first.cookies[COOKIE] != second.cookies[COOKIE]
        form = csrf(first.get("/systems"))
        assert form != csrf(second.get("/systems"))
        assert second.post("/sign-out", data={"csrf": form}).status_code == 403
        first.post("/sign-out", data={"csrf": form})
        assert open_for(second)


def test_a_disabled_account_is_out_at_once(office: tuple[Served, Clock]) -> None:
    served, _ = office
    with served.signed_in("authority") as mine:
        assert open_for(mine)
        account_changes.disable_account(served.session, "authority", "示例")
        assert not open_for(mine)


def test_no_page_may_be_put_into_a_frame(office: tuple[Served, Clock]) -> None:
    served, _ = office
    with served.signed_in("owner") as mine:
        for path in ("/", "/sign-in", "/nothing", "/runs"):
            headers = mine.get(path).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"


def test_no_answer_repeats_the_host_that_the_request_named(office: tuple[Served, Clock]) -> None:
    served, _ = office
    with served.browser() as stranger:
        for name in ("X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL"):
            answer = stranger.get("/systems", headers={name: "elsewhere.example"}, follow_redirects=False)
            assert answer.headers["location"] == "/sign-in"
        assert "elsewhere" not in stranger.get("/sign-in", headers={"X-Forwarded-Host": "elsewhere.example"}).text


def test_two_hosts_in_one_request_are_refused(office: tuple[Served, Clock]) -> None:
    served, _ = office
    address = urlsplit(served.address)
    asked = f"GET /sign-in HTTP/1.1\r\nHost: {address.netloc}\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n"
    assert _raw(address.port or 0, asked).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "path", ["//elsewhere.example", "//elsewhere.example/..", "/%2f/elsewhere.example", "/\\elsewhere.example"]
)
def test_no_address_leads_to_another_host(office: tuple[Served, Clock], path: str) -> None:
    served, _ = office
    address = urlsplit(served.address)
    for end in ("", "/"):
        said = _raw(
            address.port or 0, f"GET {path}{end} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
        )
        head = said.split(b"\r\n\r\n")[0].lower()
        assert b"location: //" not in head
        assert b"location: http" not in head or f"location: {served.address}/".encode() in head, head


def test_a_body_that_states_no_size_is_cut_off_too(office: tuple[Served, Clock]) -> None:
    served, _ = office

    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 2**20

    with served.signed_in("owner") as mine:
        try:
            status = mine.post(
                "/requests", content=endless(), headers={"Content-Type": "multipart/form-data; boundary=x"}
            ).status_code
        except httpx.WriteError:  # hung up on before it was all sent
            status = 413
        assert status in (400, 413)
        assert open_for(mine)


def test_an_impatient_program_is_told_to_wait(tmp_path: Path, office: tuple[Served, Clock]) -> None:
    served, _ = office
    ticks = [0.0]
    limiter = Limiter(burst=3, per_minute=60, clock=lambda: ticks[0])
    with serving(served.session, requests=limiter) as hurried, hurried.browser() as program:
        asked = [program.get("/sign-in") for _ in range(5)]
        assert [a.status_code for a in asked] == [200, 200, 200, 429, 429]
        assert asked[-1].headers["retry-after"]
        ticks[0] += 1
        assert [program.get("/sign-in").status_code for _ in range(2)] == [200, 429]


def test_nobody_makes_the_limiter_grow_without_end() -> None:
    limiter = Limiter(burst=1, per_minute=1)
    for n in range(20_000):
        limiter.allows(str(n))
    assert limiter.callers <= 10_000


def _raw(port: int, request: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(request.encode())
        return b"".join(iter(lambda: line.recv(65536), b""))
