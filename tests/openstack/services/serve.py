"""Serves one WSGI service on loopback: `serve.py MODULE:ATTRIBUTE PORT [the service's own arguments]`."""

from __future__ import annotations

import importlib
import sys

import waitress

target, port = sys.argv[1], int(sys.argv[2])
module, attribute = target.split(":")
# The services parse sys.argv when they are imported, and end at arguments that they don't know.
sys.argv = [module.split(".")[0], *sys.argv[3:]]
application = getattr(importlib.import_module(module), attribute)
waitress.serve(application, host="127.0.0.1", port=port, threads=6, channel_timeout=120)
