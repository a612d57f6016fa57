"""Nobody comes in who may not, and no page of another site can act in anybody's name (F37–F39)."""

from __future__ import annotations

import socket

import httpx
import pytest
from served import Served, csrf

from govcloud.web.app import OPEN, actions_of, routes
from govcloud.web.security import HEADERS


def test_every_route_has_a_door() -> None:
    assert len(routes()) > 20
    assert {r.path for r in routes() if not actions_of(r)} == OPEN


def test_a_stranger_sees_the_sign_in_and_nothing_else(served: Served) -> None:
    with served.browser() as stranger:
        for route in routes():
            if route.path not in OPEN:
                (method,) = route.methods - {"HEAD"}
                path = route.path.replace("{", "x").replace("}", "x")
                answer = stranger.request(method, path, follow_redirects=False)
                assert answer.status_code == (401 if path.startswith("/api") else 303), path
                assert "示例" not in answer.text


def test_the_address_of_the_terminal_is_good_once(served: Served) -> None:
    with served.local() as mine, served.browser() as second:
        assert mine.get("/systems").status_code == 200
        assert served.place.local_key is not None
        assert second.get("/local", params={"key": served.place.local_key.text}).status_code == 403
        assert second.get("/systems", follow_redirects=False).status_code == 303


@pytest.mark.parametrize(
    ("headers", "data"),
    [
        ({}, {}),
        ({}, {"csrf": "wrong"}),
        ({"Origin": "https://elsewhere.example"}, None),
        ({"Sec-Fetch-Site": "cross-site"}, None),
        ({"Origin": "null"}, None),
    ],
    ids=["no token", "wrong token", "other origin", "cross-site", "opaque origin"],
)
def test_a_form_of_another_site_does_nothing(
    served: Served, headers: dict[str, str], data: dict[str, str] | None
) -> None:
    with served.local() as mine:
        sent = {"csrf": csrf(mine.get("/systems"))} if data is None else data
        assert mine.post("/sign-out", data=sent, headers=headers).status_code == 403
        assert mine.get("/systems").status_code == 200


def test_signing_out_ends_the_session_for_a_stolen_cookie_too(served: Served) -> None:
    with served.local() as mine, served.browser() as thief:
        thief.cookies.update(mine.cookies)
        assert mine.post("/sign-out", data={"csrf": csrf(mine.get("/systems"))}).status_code == 200
        assert thief.get("/systems", follow_redirects=False).status_code == 303


def test_the_cookie_is_kept_from_scripts_and_other_sites(served: Served) -> None:
    with served.browser() as mine:
        assert served.place.local_key is not None
        answer = mine.get("/local", params={"key": served.place.local_key.text}, follow_redirects=False)
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie


def test_every_answer_carries_the_headers(served: Served) -> None:
    with served.browser() as stranger:
        for path in ("/sign-in", "/static/pages.css", "/nothing", "/systems", "/api/openapi.json"):
            answer = stranger.get(path, follow_redirects=False)
            assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS), path


def test_a_name_that_is_not_ours_is_refused(served: Served) -> None:
    with served.browser() as stranger:
        for host in ("elsewhere.example", "127.0.0.1.elsewhere.example", "", "[::2]:80"):
            assert stranger.get("/sign-in", headers={"Host": host}).status_code in (400, 421), host


def test_what_a_stranger_sends_is_not_read(served: Served) -> None:
    """He could otherwise fill memory and disk with what nobody takes: the answer comes before a byte of the body does."""
    for method, path, found in (
        ("POST", "/requests", 303), ("POST", "/api/imports", 401), ("POST", "/api/plans", 401), ("PATCH", "/api/accounts/x", 401),
        ("POST", "/sign-in", 413), ("POST", "/language", 413), ("POST", "/nothing", 404),
    ):  # fmt: skip
        assert _answer(served, method, path, 2**24) == found, path


def test_nobody_sends_more_than_a_page_has_use_for(served: Served) -> None:
    with served.local() as mine:
        cookie = f"govcloud={mine.cookies['govcloud']}"
        assert _answer(served, "POST", "/sign-out", 2**21, cookie) == 413
        assert _answer(served, "POST", "/api/checks", 2**21, cookie) == 413
        assert _answer(served, "POST", "/requests", 2**26, cookie) == 413
        assert _answer(served, "POST", "/requests", 10**30, cookie) in (400, 413)
        assert mine.get("/systems").status_code == 200


def _answer(served: Served, method: str, path: str, size: int, cookie: str = "") -> int:
    """The status that comes while a body of `size` bytes is announced and none of it was sent."""
    host, port = served.address.removeprefix("http://").split(":")
    head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\nContent-Type: application/json\r\nCookie: {cookie}\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(head.encode())
        return int(line.recv(100).split()[1])


def test_the_choice_of_language_leads_to_no_other_host(served: Served) -> None:
    with served.browser() as stranger:
        for path in (
            "//elsewhere.example/",
            "https://elsewhere.example/",
            "/\\elsewhere.example",
            "javascript:alert(1)",
        ):
            answer = stranger.post("/language", data={"lang": "en", "path": path}, follow_redirects=False)
            assert answer.headers["location"] == "/", path
        assert stranger.get("/sign-in").text.count('lang="en"') >= 1


def test_guessing_is_slowed_down(served: Served) -> None:
    with served.browser() as stranger:
        answers = [_try(stranger) for _ in range(12)]
    assert answers[-1] == 429


def _try(client: httpx.Client) -> int:
    return client.post("/sign-in", data={"login": "nobody", "password": "x" * 20}).status_code
