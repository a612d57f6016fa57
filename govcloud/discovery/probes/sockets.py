"""Listening sockets: `ss`, `netstat`, or /proc/net, which does not say which program listens."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Literal

from govcloud.discovery.facts import render_socket
from govcloud.model.inventory import Socket, Value

NAME = "sockets"
COMMAND = (
    "if command -v ss >/dev/null 2>&1 && ss -ltnp >/dev/null 2>&1; then ss -ltnp 2>/dev/null; ss -lunp 2>/dev/null | sed 's/^/udp /'; "
    'else for t in tcp tcp6; do sed "s/^/$t /" /proc/net/$t 2>/dev/null; done; fi'
)

_SS = re.compile(r"(udp )?(?:LISTEN|UNCONN)\s+\d+\s+\d+\s+(\S+):(\d{1,5})\s+\S+(?:\s+users:\(\(\"([^\"]+)\")?")
_PROC = re.compile(r"(?:tcp6?)\s+\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) ")
LISTEN = "0A"
"""include/net/tcp_states.h"""


def parse(text: str) -> Mapping[str, Value]:
    found = sorted({render_socket(s) for s in _sockets(text)})
    return {"sockets": tuple(found)} if found else {}


def _sockets(text: str) -> Iterator[Socket]:
    for line in text.splitlines():
        if found := _SS.match(line):
            protocol: Literal["tcp", "udp"] = "udp" if found[1] else "tcp"
            yield Socket(address=clean_address(found[2]), port=int(found[3]), process=word(found[4]), protocol=protocol)
        elif (found := _PROC.match(line)) and found[3] == LISTEN:
            yield Socket(address=proc_address(found[1]), port=int(found[2], 16))


def clean_address(text: str) -> str:
    """`[::ffff:10.1.2.3]%eth0` is 10.1.2.3, `*` is every address."""
    bare = text.strip("[]").split("%")[0].strip("[]")
    if bare == "*":
        return "::"
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return "::"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def proc_address(text: str) -> str:
    """The kernel prints 32-bit words in the machine's own byte order: little-endian wherever we meet it."""
    words = [bytes.fromhex(text[i : i + 8])[::-1] for i in range(0, len(text), 8)]
    return clean_address(str(ipaddress.ip_address(b"".join(words))))


def word(process: str | None) -> str | None:
    """A program's name as one word; names may hold blanks."""
    return "_".join(process.split()) or None if process else None
