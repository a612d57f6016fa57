"""A real HTTP proxy in front of a cloud's interface that refuses, delays or loses the calls that a test names."""

from __future__ import annotations

import http.client
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "discovery"))
from cloud_places import moto_server as moto_server

Fate = Literal["pass", "refuse", "busy", "cut", "hold"]
"""refuse: the quota's error; busy: 503; cut: carried out, the answer lost; hold: carried out, never answered."""
CHANGES = ("ImportKeyPair", "RunInstances")


@dataclass
class Proxy:
    url: str
    fate: Callable[[str, int], Fate] = lambda action, number: "pass"
    """(action, how many changes came before it, from 1) -> what happens to it."""
    changes: list[str] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)


_ERROR = "<Response><Errors><Error><Code>{code}</Code><Message>sample</Message></Error></Errors><RequestID>r</RequestID></Response>"


Named = Callable[[str, str, bytes], str]
"""(method, path, body) -> what is changed, empty where nothing is."""


def ec2_change(method: str, path: str, body: bytes) -> str:
    action = parse_qs(body.decode()).get("Action", [""])[0]
    return action if action in CHANGES else ""


@contextmanager
def proxy_before(upstream: str, named: Named = ec2_change) -> Iterator[Proxy]:
    netloc = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            change = named(self.command, self.path, body)
            fate: Fate = "pass"
            if change:
                proxy.changes.append(change)
                fate = proxy.fate(change, len(proxy.changes))
            if fate in ("refuse", "busy"):
                code = ("RequestLimitExceeded", 503) if fate == "busy" else ("InstanceLimitExceeded", 400)
                self.answer(code[1], _ERROR.format(code=code[0]).encode(), "text/xml")
                return
            door = http.client.HTTPConnection(netloc, timeout=60)
            door.request(self.command, self.path, body, dict(self.headers))
            reply = door.getresponse()
            data = reply.read()
            if fate == "hold":
                proxy.held.set()
                time.sleep(30)
            if fate in ("cut", "hold"):
                self.close_connection = True
                return
            self.answer(reply.status, data, reply.headers.get("Content-Type", ""))

        do_GET = do_POST = do_PUT = do_DELETE = forward

        def answer(self, status: int, data: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy = Proxy(url=f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
