"""Established TCP connections: `ss`, or /proc/net/tcp, which does not say which program talks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from govcloud.discovery.facts import render_connection
from govcloud.discovery.probes.sockets import clean_address, proc_address, word
from govcloud.model.inventory import Connection, Value

NAME = "connections"
COMMAND = (
    "if command -v ss >/dev/null 2>&1 && ss -tnp >/dev/null 2>&1; then ss -tnp state established 2>/dev/null; "
    "echo; ss -ltn 2>/dev/null; "
    'else for t in tcp tcp6; do sed "s/^/$t /" /proc/net/$t 2>/dev/null; done; fi'
)

# `ss state established` leaves the State column out; netstat-like builds keep it.
_SS = re.compile(r"(?:ESTAB\s+)?\d+\s+\d+\s+(\S+):(\d{1,5})\s+(\S+):(\d{1,5})(?:\s+users:\(\(\"([^\"]+)\")?")
_LISTEN = re.compile(r"LISTEN\s+\d+\s+\d+\s+\S+:(\d+)\s")
_PROC = re.compile(
    r"tcp6?\s+\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{2}) "
)
_PROC_STATES = {"01": "established", "0A": "listening"}
"""include/net/tcp_states.h"""


def parse(text: str) -> Mapping[str, Value]:
    """One line a pair of ends and a service port: the port that a client happened to get says nothing."""
    lines = text.splitlines()
    listening = set(_listening(lines))
    found = {render_connection(c) for c in _connections(lines, listening)}
    return {"connections": tuple(sorted(found))} if found or listening else {}


def _listening(lines: list[str]) -> Iterator[int]:
    for line in lines:
        if found := _LISTEN.match(line):
            yield int(found[1])
        elif (found := _PROC.match(line)) and _PROC_STATES.get(found[5]) == "listening":
            yield int(found[2], 16)


def _connections(lines: list[str], listening: set[int]) -> Iterator[Connection]:
    for line in lines:
        if found := _SS.match(line):
            local, remote = clean_address(found[1]), clean_address(found[3])
            ports, process = (int(found[2]), int(found[4])), word(found[5])
        elif (found := _PROC.match(line)) and _PROC_STATES.get(found[5]) == "established":
            local, remote = proc_address(found[1]), proc_address(found[3])
            ports, process = (int(found[2], 16), int(found[4], 16)), None
        else:
            continue
        inbound = ports[0] in listening
        yield Connection(
            local_address=local, local_port=ports[0] if inbound else 0,
            remote_address=remote, remote_port=0 if inbound else ports[1],
            process=process, inbound=inbound,
        )  # fmt: skip
