"""What stands before every request: the names we answer to, rates, and the headers of every answer; and sizes of bodies."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from govcloud.web.place import Place
from govcloud.web.problems import TITLES, problem

MAX_UPLOAD = 32 * 2**20
"""Bytes: a workbook of a department; larger ones come in by `govcloud import`."""
MAX_FORM = 2**20
"""Bytes: what somebody who is signed in sends to a page that takes no files."""
MAX_STRANGER = 2**16
"""Bytes: a sign-in."""

HEADERS: Mapping[str, str] = {
    # No inline script or style and nothing from elsewhere: what data smuggles into a page stays text.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers would then send the Origin of our own forms as null.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_HSTS = "max-age=31536000"


class Gatekeeper:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, place: Place) -> None:
        self._app, self._place = app, place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, self._dressed(scope, send))
            return
        await self._app(scope, receive, self._dressed(scope, send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if _host_name(headers.get("host", "")) not in self._place.hosts:
            return _refusal(scope, 421)
        client = scope.get("client")
        requests = self._place.requests
        if not requests.allows(client[0] if client else ""):
            return _refusal(scope, 429, {"Retry-After": str(requests.pause_s)})
        return None

    def _dressed(self, scope: Scope, send: Send) -> Send:
        caching = "no-store"
        if scope["path"].startswith("/static/"):
            # What carries its digest in its address never changes there.
            caching = (
                "public, max-age=31536000, immutable" if b"v=" in scope["query_string"] else "private, max-age=3600"
            )

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", caching)
                if self._place.secure:
                    headers.setdefault("Strict-Transport-Security", _HSTS)
            await send(message)

        return send_with_headers


def _refusal(scope: Scope, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Without a page: nobody's account was asked for yet."""
    if scope["path"].startswith("/api"):
        return problem(Request(scope), status, headers=headers)
    what = TITLES[status]
    return PlainTextResponse(f"{what.zh} · {what.en}\n", status, headers)


def bounded(request: Request, most: int) -> Receive:
    """The body's messages, as long as they are not more than `most` bytes. Raises HTTPException 413, for a length that is
    stated at once."""
    stated = request.headers.get("content-length", "0")
    if not (stated.isascii() and stated.isdigit() and len(stated) < 16 and int(stated) <= most):
        raise HTTPException(413)
    left, receive = most, request.receive

    async def receive_bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        return message

    return receive_bounded


def _host_name(host: str) -> str:
    """Without the port; IPv6 keeps its brackets."""
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower()


def same_origin(headers: Headers, *, secure: bool) -> bool:
    """Whether a changing request comes from one of our own pages: by Sec-Fetch-Site where the browser says it, by Origin else."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or origin == f"{'https' if secure else 'http'}://{headers.get('host', '')}"
