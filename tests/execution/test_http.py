"""A system is called serving only when the right host gives the right answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import msgspec
import pytest
from module_run import SYSTEM, run_module, said

from govcloud.execution.http import Question, ask, await_answers, build_questions, stale_s
from govcloud.model.migration import (
    EntranceSpec,
    HttpCheck,
    MachineSpec,
    MigrationSpec,
    ServiceEnd,
    ServiceSpec,
    VerifySpec,
)


class Handler(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        status = 503 if self.path == "/late" and type(self).asked < 3 else 302 if self.path == "/moved" else 200
        self.send_response(status)
        old = self.path == "/cached" and type(self).asked < 3
        self.send_header("X-Served-By", "oa-01" if old else "cloud-01")
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
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def question(url: str, path: str = "/health", **other: Any) -> Question:
    plain = Question(
        url=url + path, status=200, contains=None, header="X-Served-By", served_by="cloud-01", direct=False
    )
    return replace(plain, **other)


def test_the_right_answer_of_the_right_host(url: str) -> None:
    problems, seen = ask([question(url, contains='"单位"')])
    assert not problems
    assert seen[0]["served_by"] == "cloud-01"


@pytest.mark.parametrize(
    ("path", "other", "told"),
    [
        ("/health", {"served_by": "oa-01"}, "was served by cloud-01"),
        ("/health", {"contains": "nothing"}, "lacks nothing"),
        ("/health", {"status": 404}, "answered 200"),
        ("/moved", {}, "answered 302"),
    ],
)
def test_a_wrong_answer_says_what_was_wrong(url: str, path: str, other: dict[str, Any], told: str) -> None:
    assert told in ask([question(url, path, **other)])[0][0].en


def test_a_system_that_sends_no_header_is_judged_by_its_answers(url: str) -> None:
    assert ask([question(url, header=None, served_by="anything")])[0] == []


def test_nobody_there_is_a_problem_not_a_crash() -> None:
    assert "does not answer" in ask([question("http://127.0.0.1:9")])[0][0].en


def test_a_service_that_needs_a_moment_gets_it(url: str) -> None:
    assert await_answers([question(url, "/late")], 10)[0] == []


def spec(
    url: str, *checks: HttpCheck, target_url: str | None = None, dns: bool = False, **verify: Any
) -> dict[str, Any]:
    machines = (
        MachineSpec(name="db", source="old-db", target="new-db"),
        MachineSpec(name="web", source="oa-01", target="cloud-01"),
    )
    service = ServiceSpec(
        machine="web", source=ServiceEnd(systemd="oa.service"), target=ServiceEnd(systemd="oa.service")
    )
    entrance = EntranceSpec(
        kind="dns" if dns else "json", host="entry-01", name="oa", source="10.66.1.10", target="10.100.8.10", ttl=600
    )
    made = VerifySpec(url=url, target_url=target_url, checks=checks or (HttpCheck(path="/health"),), **verify)
    return msgspec.to_builtins(
        MigrationSpec(system_id="SL-OA-01", machines=machines, services=(service,), entrances=(entrance,), verify=made)
    )


DIRECT, THROUGH = HttpCheck(path="/selftest", via="direct"), HttpCheck(path="/health")


@pytest.mark.parametrize(
    ("side", "direct_only", "target_url", "checks", "asked"),
    [
        ("source", False, None, [DIRECT, THROUGH], ["http://entry/oa/selftest", "http://entry/oa/health"]),
        ("target", False, "http://new", [DIRECT, THROUGH], ["http://new/selftest", "http://entry/oa/health"]),
        ("target", True, "http://new", [DIRECT, THROUGH], ["http://new/selftest"]),
        ("target", True, "http://new", [THROUGH], ["http://new/health"]),
        ("target", True, None, [DIRECT, THROUGH], []),
    ],
)
def test_who_is_asked_what(
    side: Any, direct_only: bool, target_url: str | None, checks: list[HttpCheck], asked: list[str]
) -> None:
    """Before the switch the entrance still leads to the source: asking it then would prove nothing of the target."""
    questions = build_questions(spec("http://entry/oa/", *checks, target_url=target_url), side, direct_only=direct_only)
    assert [q.url for q in questions] == asked
    assert {q.served_by for q in questions} <= {"oa-01" if side == "source" else "cloud-01"}, (
        "the first service's machine"
    )


def test_an_old_dns_answer_is_given_the_time_that_resolvers_keep_it() -> None:
    assert stale_s(spec("http://entry", dns=True)) == 500
    assert stale_s(spec("http://entry")) == 0


def test_the_old_host_may_answer_for_a_while_but_a_wrong_answer_of_the_new_one_is_final(url: str) -> None:
    """Otherwise a target that is certainly broken stays in service until every resolver has forgotten the old one."""
    assert await_answers([question(url, "/cached")], 0, stale_s=60) == (
        [],
        [ask([question(url)])[1][0] | {"url": f"{url}/cached"}],
    )
    Handler.asked = 0
    problems, _ = await_answers([question(url, contains="nothing")], 0, stale_s=3600)
    assert "lacks nothing" in problems[0].en and Handler.asked <= 2


def test_the_module_says_what_was_asked_and_never_that_nothing_is_green_by_itself(url: str) -> None:
    def act(given: dict[str, Any], **more: Any) -> dict[str, Any]:
        return run_module("gov_http", spec=given, system=SYSTEM, wait_s=0, **more)

    assert act(spec(url), side="target")["gov"] == {"http_checks": 1, "direct": 0, "level": "L3"}
    assert "was served by cloud-01, expected oa-01" in said(act(spec(url), side="source"))
    assert act(spec(url), side="target", direct_only=True)["gov"] == {"http_checks": 0, "direct": 0}
    assert act(spec(url, target_url=url), side="target", direct_only=True)["gov"]["direct"] == 1
    (told,) = act(spec(url), side="source", tell_only=True)["told"]
    assert "expected oa-01" in told["en"]
