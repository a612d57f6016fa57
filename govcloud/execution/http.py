"""HTTP checks of a system: through the department's entrance, or of one end itself past the entrance."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from govcloud.model.text import Text

_MAX_BODY = 1 << 20
_TIMEOUT_S = 10
_SHOWN_CHARS = 200
_TTL_S = 300
_MAX_STALE_S = 500
"""Below the steps' idle_s: nothing is heard of the playbook meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request and what must come back."""

    url: str
    status: int
    contains: str | None
    header: str | None
    """Response header that names the serving host; None: not looked at."""
    served_by: str
    direct: bool


def build_questions(
    spec: Mapping[str, Any], side: Literal["source", "target"], *, direct_only: bool
) -> tuple[Question, ...]:
    """What to ask when `side` should be serving. `spec`: a MigrationSpec as builtins.

    Everything goes through the entrance but checks marked `direct`, which ask the end itself where its URL is known.
    direct_only (the entrance still points elsewhere): only the end itself; where no check is marked, all of them. Nothing to
    ask then means that the end has no URL of its own.
    """
    verify = spec["verify"]
    own = verify.get(f"{side}_url")
    checks = verify["checks"]
    if direct_only:
        checks = [c for c in checks if c["via"] == "direct"] or checks if own else []
    served_by = _machine(spec)[side]
    made = []
    for check in checks:
        direct = own is not None and (direct_only or check["via"] == "direct")
        base = own if direct else verify["url"]
        made.append(
            Question(
                url=base.rstrip("/") + check["path"],
                status=check["status"],
                contains=check["contains"],
                header=verify["served_by_header"],
                served_by=served_by,
                direct=direct,
            )
        )
    return tuple(made)


def stale_s(spec: Mapping[str, Any]) -> float:
    """How long another host may still be asked through the entrance: resolvers keep a DNS record for its TTL, which
    gov_entrance.py lets be 300 s, or what the migration file says."""
    ttl = max((max(e["ttl"], _TTL_S) for e in spec["entrances"] if e["kind"] == "dns"), default=0)
    return min(ttl, _MAX_STALE_S)


def _machine(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The machine that answers: the first service's."""
    machines = spec["machines"]
    name = spec["services"][0]["machine"] if spec["services"] else machines[0]["name"]
    return next(m for m in machines if m["name"] == name)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer to be judged: following it could lead to another host and a false green."""

    def redirect_request(self, *_: Any) -> None:
        return None


def await_answers(
    questions: Sequence[Question], wait_s: float, stale_s: float = 0
) -> tuple[list[Text], list[dict[str, Any]]]:
    """Ask all again until all answers are right or `wait_s` is over; `stale_s` longer while a wrong answer may come from
    another host than the one that should serve: no patience mends an answer of the right one. The last problems, and what
    was seen last."""
    deadline = time.monotonic() + wait_s
    while True:
        problems, seen = ask(questions)
        late_s = time.monotonic() - deadline
        if not problems or late_s > stale_s or (late_s > 0 and _all_served(questions, seen)):
            return problems, seen
        time.sleep(0.5)


def _all_served(questions: Sequence[Question], seen: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every answer is known to come from the host that should serve."""
    return [(q.url, q.served_by) for q in questions if q.header] == [(a["url"], a["served_by"]) for a in seen] and bool(
        seen
    )


def ask(questions: Sequence[Question]) -> tuple[list[Text], list[dict[str, Any]]]:
    """One round: what was wrong, and `{"url", "status", "served_by", "bytes"}` of each answer."""
    # Proxies of the environment are for the internet; government networks are asked directly.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    problems: list[Text] = []
    seen: list[dict[str, Any]] = []
    for question in questions:
        try:
            status, body, server = _get(opener, question)
        except (OSError, http.client.HTTPException) as error:
            problems.append(
                Text("{url} 没有应答：{why}", "{url} does not answer: {why}").format(url=question.url, why=error)
            )
            continue
        seen.append({"url": question.url, "status": status, "served_by": server, "bytes": len(body)})
        problems += _judge(question, status, body, server)
    return problems, seen


def _judge(question: Question, status: int, body: str, server: str | None) -> list[Text]:
    problems = []
    if status != question.status:
        problems.append(
            Text("{url} 返回 {a}，应为 {b}：{body}", "{url} answered {a}, expected {b}: {body}").format(
                url=question.url, a=status, b=question.status, body=body[:_SHOWN_CHARS]
            )
        )
    elif question.contains and question.contains not in body:
        problems.append(
            Text("{url} 的内容缺少 {text}：{body}", "{url} lacks {text}: {body}").format(
                url=question.url, text=question.contains, body=body[:_SHOWN_CHARS]
            )
        )
    if question.header is not None and server != question.served_by:
        problems.append(
            Text("{url} 由 {a} 应答，应为 {b}", "{url} was served by {a}, expected {b}").format(
                url=question.url, a=server or "—", b=question.served_by
            )
        )
    return problems


def _get(opener: urllib.request.OpenerDirector, question: Question) -> tuple[int, str, str | None]:
    try:
        answer = opener.open(question.url, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        body = answer.read(_MAX_BODY).decode("utf-8", "replace")
        return int(answer.status), body, answer.headers.get(question.header) if question.header else None
