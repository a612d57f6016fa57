"""Serves the folder www beside the program: stands for a small system of which only the listening port matters."""

from __future__ import annotations

import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BASE = Path(__file__).resolve().parent.parent


def main() -> None:
    (BASE / "www").mkdir(exist_ok=True)
    address = (os.environ.get("LISTEN", "0.0.0.0"), int(os.environ.get("PORT", "8080")))  # noqa: S104 - a server
    server = ThreadingHTTPServer(address, partial(SimpleHTTPRequestHandler, directory=str(BASE / "www")))
    (BASE / "run" / "ready").touch()
    server.serve_forever()


if __name__ == "__main__":
    main()
