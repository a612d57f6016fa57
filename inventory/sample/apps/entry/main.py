"""The department's entrance: a reverse proxy. /<name>/path goes to the address that upstreams.json gives for <name>.

The file is read for every request, so that a switch takes effect with the next one; it must be replaced by rename.
"""

from __future__ import annotations

import http.client
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

BASE = Path(__file__).resolve().parent.parent
UPSTREAMS = BASE / "upstreams.json"
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
}  # RFC 9110 section 7.6.1
MAX_BODY = 16 * 2**20


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def forward(self) -> None:
        name, _, rest = self.path.lstrip("/").partition("/")
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            return self.reply(413, {}, b"too large\n")
        body = self.rfile.read(length) if length else None
        try:
            upstream = urlsplit(json.loads(UPSTREAMS.read_text("utf-8"))[name])
        except KeyError:
            return self.reply(404, {}, b"no such service\n")
        except (OSError, ValueError) as error:
            return self.reply(500, {}, f"upstreams.json: {error}\n".encode())
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
        headers["X-Forwarded-For"] = self.client_address[0]
        connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port or 80, timeout=30)
        try:
            connection.request(self.command, upstream.path.rstrip("/") + "/" + rest, body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            return self.reply(502, {}, f"{name}: {type(error).__name__}\n".encode())
        finally:
            connection.close()
        kept = {k: v for k, v in answer.getheaders() if k.lower() not in HOP_BY_HOP | {"server", "date"}}
        return self.reply(answer.status, kept, data)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = forward

    def reply(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        return


def main() -> None:
    address = (os.environ.get("LISTEN", "0.0.0.0"), int(os.environ.get("PORT", "8000")))  # noqa: S104 - a server
    server = ThreadingHTTPServer(address, Handler)
    (BASE / "run" / "ready").touch()
    server.serve_forever()


if __name__ == "__main__":
    main()
