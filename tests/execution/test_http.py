"""A system is called serving only when the right host gives the right answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from govcloud.execution.http import await_checks, run_checks


class Handler(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        status = 503 if self.path == "/late" and type(self).asked < 3 else 302 if self.path == "/moved" else 200
        self.send_response(status)
        self.send_header("X-Served-By", "cloud-01")
        if status == 302:
            self.send_header("Location", "/health")
        self.end_headers()
        self.wfile.write('{"ok": true, "单位": "示例"}'.encode())

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def url() -> Iterator[str]:
    Handler.asked = 0
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_right_answer_of_the_right_host(url: str) -> None:
    problems, seen = run_checks(url, [{"path": "/health", "contains": '"单位"'}], "X-Served-By", "cloud-01")
    assert not problems
    assert seen[0]["served_by"] == "cloud-01"


@pytest.mark.parametrize(
    ("check", "host", "said"),
    [
        ({"path": "/health"}, "oa-01", "was served by cloud-01"),
        ({"path": "/health", "contains": "nothing"}, "cloud-01", "lacks nothing"),
        ({"path": "/health", "status": 404}, "cloud-01", "answered 200"),
        ({"path": "/moved"}, "cloud-01", "answered 302"),
    ],
)
def test_a_wrong_answer_says_what_was_wrong(url: str, check: dict[str, object], host: str, said: str) -> None:
    problems, _ = run_checks(url, [check], "X-Served-By", host)
    assert said in problems[0].en


def test_a_system_that_sends_no_header_is_judged_by_its_answers(url: str) -> None:
    assert run_checks(url, [{"path": "/health"}], None, "anything")[0] == []


def test_nobody_there_is_a_problem_not_a_crash() -> None:
    problems, _ = run_checks("http://127.0.0.1:9", [{"path": "/"}], None, "x")
    assert "does not answer" in problems[0].en


def test_a_service_that_needs_a_moment_gets_it(url: str) -> None:
    assert await_checks(url, [{"path": "/late"}], None, "x", 10)[0] == []
    assert Handler.asked == 3
