"""What stands before every request: the names we answer to, sizes, rates, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from govcloud.web.place import Place

MAX_BODY = 32 * 2**20
"""Bytes: a workbook of a department; larger ones come in by `govcloud import`."""

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
        await self._app(scope, _bounded(receive), self._dressed(scope, send))

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if _host_name(headers.get("host", "")) not in self._place.hosts:
            return PlainTextResponse("不认识的主机名 · unknown host name\n", 421)
        if int(_number(headers.get("content-length", "0"))) > MAX_BODY:
            return PlainTextResponse("内容过大 · too large\n", 413)
        client = scope.get("client")
        if not self._place.requests.allows(client[0] if client else ""):
            return PlainTextResponse("请求过于频繁，请稍后再试 · too many requests\n", 429, {"Retry-After": "5"})
        return None

    def _dressed(self, scope: Scope, send: Send) -> Send:
        static = scope["path"].startswith("/static/")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "private, max-age=3600" if static else "no-store")
                if self._place.secure:
                    headers.setdefault("Strict-Transport-Security", _HSTS)
            await send(message)

        return send_with_headers


def _bounded(receive: Receive) -> Receive:
    """A body without a stated length is cut off at the same size."""
    left = MAX_BODY

    async def receive_bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return receive_bounded


def _host_name(host: str) -> str:
    """Without the port; IPv6 keeps its brackets."""
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).lower()


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else MAX_BODY + 1


def same_origin(headers: Headers, *, secure: bool) -> bool:
    """Whether a changing request comes from one of our own pages: by Sec-Fetch-Site where the browser says it, by Origin else."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    return origin is None or origin == f"{'https' if secure else 'http'}://{headers.get('host', '')}"
