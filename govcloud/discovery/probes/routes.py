"""IPv4 routes: `ip route`, or /proc/net/route where there is no `ip`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from govcloud.discovery.facts import render_route
from govcloud.model.inventory import Route, Value

NAME = "routes"
COMMAND = "ip -4 route show 2>/dev/null || cat /proc/net/route"

_ROUTE = re.compile(r"(?:unicast )?(default|[\d./]+)(?: via ([\d.]+))?.*? dev (\S+)")
_PROC_LINE = re.compile(r"(\S+)\t([0-9A-F]{8})\t([0-9A-F]{8})\t[0-9A-F]+\t\d+\t\d+\t\d+\t([0-9A-F]{8})")


def parse(text: str) -> Mapping[str, Value]:
    routes = {route for line in text.splitlines() if (route := _route(line)) is not None}
    return {"routes": tuple(sorted(render_route(r) for r in routes))} if routes else {}


def _route(line: str) -> Route | None:
    try:
        if found := _PROC_LINE.match(line):
            interface, destination, gateway, mask = found.groups()
            prefix = ipaddress.ip_network(f"{_address(destination)}/{_address(mask)}", strict=False)
            via = ipaddress.ip_address(_address(gateway))
            return Route(destination=str(prefix), gateway=None if via.is_unspecified else str(via), interface=interface)
        if found := _ROUTE.match(line.strip()):
            destination, gateway, interface = found.groups()
            prefix = ipaddress.ip_network("0.0.0.0/0" if destination == "default" else destination)
            return Route(
                destination=str(prefix),
                gateway=str(ipaddress.ip_address(gateway)) if gateway else None,
                interface=interface,
            )
    except ValueError:
        return None
    return None


def _address(word: str) -> str:
    """The kernel prints the address as a number in the machine's own byte order: little-endian wherever we meet it."""
    return str(ipaddress.ip_address(int.from_bytes(bytes.fromhex(word), "little")))
