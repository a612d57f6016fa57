"""Routes of all tables: `ip route`, or /proc/net/route where there is no `ip`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from govcloud.discovery.facts import render_route
from govcloud.model.observation import Value
from govcloud.model.server import Route

NAME = "routes"
FIELDS = ("routes",)
FILES = ("/proc/net/ipv6_route",)
# Policy tables, too: a leg on a dedicated network often has a table of its own.
COMMAND = "ip -4 route show table all 2>/dev/null || ip -4 route show 2>/dev/null || cat /proc/net/route"

_ROUTE = re.compile(r"(?:unicast )?(default|\d[\d./]{0,40})(?: via ([\d.]{7,15}))?.*? dev (\S{1,32})")
_HOP = re.compile(r"\s+nexthop via ([\d.]{7,15})\s+dev (\S{1,32})")
_MANY = re.compile(r"(?:unicast )?(default|\d[\d./]{0,40})(?: |$)")
_PROC_LINE = re.compile(r"(\S{1,32})\t([0-9A-F]{8})\t([0-9A-F]{8})\t[0-9A-F]+\t\d+\t\d+\t\d+\t([0-9A-F]{8})")
_V6 = re.compile(
    r"/proc/net/ipv6_route:([0-9a-f]{32}) ([0-9a-f]{2}) [0-9a-f]{32} [0-9a-f]{2} ([0-9a-f]{32}) [0-9a-f]{8} [0-9a-f]{8} [0-9a-f]{8} ([0-9a-f]{8})\s+(\S{1,32})"
)
_LOCAL_OR_REFUSED = 0x80000000 | 0x0200 | 0x01000000
"""RTF_LOCAL, RTF_REJECT, RTF_CACHE of include/uapi/linux/ipv6_route.h: none of them leads anywhere."""


def parse(text: str) -> Mapping[str, Value]:
    routes = set()
    many = ""
    for line in text.splitlines():
        try:
            hop = _HOP.match(line)
            if hop and many:
                routes.add(_written(many, hop[1], hop[2]))
            elif route := _v6(line) if line.startswith("/proc/net/ipv6") else _v4(line):
                routes.add(route)
            # Several gateways stand on the lines below, each of its own.
            elif found := _MANY.match(line):
                many = found[1]
            elif not hop:
                many = ""
        except ValueError:
            continue
    return {"routes": tuple(sorted(render_route(r) for r in routes))} if routes else {}


def _v4(line: str) -> Route | None:
    if found := _PROC_LINE.match(line):
        interface, destination, gateway, mask = found.groups()
        return _written(
            f"{_little_endian(destination)}/{_little_endian(mask)}",
            None if int(gateway, 16) == 0 else _little_endian(gateway),
            interface,
        )
    if found := _ROUTE.match(line):
        return _written(found[1], found[2], found[3])
    return None


def _written(destination: str, gateway: str | None, interface: str) -> Route:
    prefix = ipaddress.ip_network("0.0.0.0/0" if destination == "default" else destination, strict=False)
    return Route(
        destination=str(prefix), gateway=str(ipaddress.ip_address(gateway)) if gateway else None, interface=interface
    )


def _v6(line: str) -> Route | None:
    found = _V6.fullmatch(line.rstrip())
    if not found or int(found[4], 16) & _LOCAL_OR_REFUSED or found[5] == "lo":
        return None
    prefix = ipaddress.IPv6Network((int(found[1], 16), int(found[2], 16)), strict=False)
    if prefix.is_link_local or prefix.is_multicast:
        return None
    via = ipaddress.IPv6Address(int(found[3], 16))
    return Route(destination=str(prefix), gateway=None if via.is_unspecified else str(via), interface=found[5])


def _little_endian(word: str) -> str:
    """The kernel prints the address as a number in the machine's own byte order: little-endian wherever we meet it."""
    return str(ipaddress.ip_address(int.from_bytes(bytes.fromhex(word), "little")))
