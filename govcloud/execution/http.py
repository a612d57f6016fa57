"""HTTP checks of a migrated system, through the department's entrance."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from govcloud.model.text import Text

_MAX_BODY = 1 << 20
_TIMEOUT_S = 10
_SHOWN_CHARS = 200


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer to be judged: following it could lead to another host and a false green."""

    def redirect_request(self, *_: Any) -> None:
        return None


def await_checks(
    url: str, checks: Sequence[Mapping[str, Any]], header: str | None, served_by: str, wait_s: float
) -> tuple[list[Text], list[dict[str, Any]]]:
    """Repeat the checks until all hold or `wait_s` is over. The last problems, and what was seen last."""
    deadline = time.monotonic() + wait_s
    while True:
        problems, seen = run_checks(url, checks, header, served_by)
        if not problems or time.monotonic() > deadline:
            return problems, seen
        time.sleep(0.5)


def run_checks(
    url: str, checks: Sequence[Mapping[str, Any]], header: str | None, served_by: str
) -> tuple[list[Text], list[dict[str, Any]]]:
    """One round. `served_by` is what the response header `header` must say; header None: not checked."""
    # Proxies of the environment are for the internet; the entrance is asked directly.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    problems, seen = [], []
    for check in checks:
        address = url.rstrip("/") + check["path"]
        wanted = check.get("status", 200)
        try:
            status, body, server = _get(opener, address, header)
        except (OSError, http.client.HTTPException) as error:
            problems.append(
                Text("{url} 没有应答：{why}", "{url} does not answer: {why}").format(url=address, why=error)
            )
            continue
        seen.append({"url": address, "status": status, "served_by": server, "bytes": len(body)})
        if status != wanted:
            problems.append(
                Text("{url} 返回 {a}，应为 {b}：{body}", "{url} answered {a}, expected {b}: {body}").format(
                    url=address, a=status, b=wanted, body=body[:_SHOWN_CHARS]
                )
            )
        elif check.get("contains") and check["contains"] not in body:
            problems.append(
                Text("{url} 的内容缺少 {text}：{body}", "{url} lacks {text}: {body}").format(
                    url=address, text=check["contains"], body=body[:_SHOWN_CHARS]
                )
            )
        if header is not None and server != served_by:
            problems.append(
                Text("{url} 由 {a} 应答，应为 {b}", "{url} was served by {a}, expected {b}").format(
                    url=address, a=server or "—", b=served_by
                )
            )
    return problems, seen


def _get(opener: urllib.request.OpenerDirector, address: str, header: str | None) -> tuple[int, str, str | None]:
    try:
        answer = opener.open(address, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        body = answer.read(_MAX_BODY).decode("utf-8", "replace")
        return int(answer.status), body, answer.headers.get(header) if header else None
