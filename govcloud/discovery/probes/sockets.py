"""Listening sockets and established connections with their programs: one `ss`, or /proc/net and the open files of /proc."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from govcloud.discovery.facts import render_connection, render_socket
from govcloud.model.observation import Value
from govcloud.model.server import Connection, Socket

NAME = "sockets"
FIELDS = ("sockets", "connections")
FILES = ()
COMMAND = (
    'echo "self $SSH_CONNECTION"; [ -r /proc/1/environ ] || echo "? right processes"; '
    "if command -v ss >/dev/null && ss -tuanp exclude time-wait 2>/dev/null; then :; else "
    "grep -s '' /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6; grep -s '' /proc/[0-9]*/comm; "
    "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -E '^/proc/|socket:'; fi"
)

Protocol = Literal["tcp", "udp"]
State = Literal["listening", "established"]

_SS = re.compile(
    r"(tcp|udp)\s+(LISTEN|UNCONN|ESTAB)\s+\d+\s+\d+\s+(\S+):(\d{1,5}|\*)\s+(\S+):(\d{1,5}|\*)(?:\s+users:\(\(\"([^\"]+)\")?"
)
_SS_STATES: Mapping[str, State] = {"LISTEN": "listening", "UNCONN": "listening", "ESTAB": "established"}
_PROC = re.compile(
    r"/proc/net/(tcp|udp)6?:\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) "
    r"([0-9A-F]{2}) \S+ \S+ \S+\s+\d+\s+\d+ (\d+)"
)
_PROC_STATES: Mapping[tuple[str, str], State] = {
    ("tcp", "01"): "established", ("tcp", "0A"): "listening", ("udp", "01"): "established", ("udp", "07"): "listening",
}  # fmt: skip
"""include/net/tcp_states.h"""
_COMM = re.compile(r"/proc/(\d+)/comm:(.+)")
_OPEN = re.compile(r"/proc/(\d+)/fd:")
_INODE = re.compile(r".*-> socket:\[(\d+)\]")
_SELF = re.compile(r"self (\S+) (\d{1,5}) (\S+) (\d{1,5})")


@dataclass(frozen=True, slots=True)
class _End:
    protocol: Protocol
    state: State
    local: str
    local_port: int
    remote: str
    remote_port: int
    process: str | None


def parse(text: str) -> Mapping[str, Value]:
    ends = list(_ends(text))
    if not ends:
        return {}
    listening = {
        Socket(address=e.local, port=e.local_port, process=e.process, protocol=e.protocol)
        for e in ends if e.state == "listening" and e.local_port
    }  # fmt: skip
    return {"sockets": tuple(sorted(map(render_socket, listening))), **_established(ends, text)}


def parse_connections(text: str) -> Mapping[str, Value]:
    ends = list(_ends(text))
    return _established(ends, text) if ends else {}


def _established(ends: Sequence[_End], text: str) -> Mapping[str, Value]:
    """One line a pair of ends and a service port: the port that a client happened to get says nothing."""
    ports = {e.local_port for e in ends if e.state == "listening" and e.protocol == "tcp"}
    ours = _SELF.search(text)
    us = (clean_address(ours[1]), int(ours[4])) if ours else None
    found = set()
    for e in ends:
        if e.state != "established" or e.protocol != "tcp":
            continue
        inbound = e.local_port in ports
        if inbound and (e.remote, e.local_port) == us:
            continue
        found.add(
            Connection(
                local_address=e.local, local_port=e.local_port if inbound else 0, remote_address=e.remote,
                remote_port=0 if inbound else e.remote_port, process=e.process, inbound=inbound,
            )
        )  # fmt: skip
    return {"connections": tuple(sorted(map(render_connection, found)))}


def _ends(text: str) -> Iterator[_End]:
    lines = text.splitlines()
    programs = _programs(lines) if "socket:[" in text else {}
    for line in lines:
        if found := _SS.match(line):
            protocol: Protocol = "udp" if found[1] == "udp" else "tcp"
            yield _End(
                protocol, _SS_STATES[found[2]], clean_address(found[3]), _port(found[4]), clean_address(found[5]),
                _port(found[6]), word(found[7]),
            )  # fmt: skip
        elif (
            line.startswith("/proc/net/")
            and (found := _PROC.match(line))
            and (state := _PROC_STATES.get((found[1], found[6])))
        ):
            yield _End(
                "udp" if found[1] == "udp" else "tcp", state, proc_address(found[2]), int(found[3], 16),
                proc_address(found[4]), int(found[5], 16), programs.get(found[7]),
            )  # fmt: skip


def _programs(lines: list[str]) -> dict[str, str]:
    """Socket inode -> program, from the lists of open files that the account may read."""
    names = {found[1]: word(found[2]) for line in lines if (found := _COMM.match(line))}
    programs: dict[str, str] = {}
    process = ""
    for line in lines:
        if found := _OPEN.match(line):
            process = found[1]
        elif (found := _INODE.match(line)) and (name := names.get(process)):
            programs[found[1]] = name
    return programs


def _port(text: str) -> int:
    return 0 if text == "*" or int(text) > 65535 else int(text)


@lru_cache(maxsize=1 << 14)
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
