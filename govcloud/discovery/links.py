"""What sockets, connections, addresses and routes say about who needs whom and who sits where. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from govcloud.discovery.identity import identifies
from govcloud.model.ids import build_id
from govcloud.model.inventory import Connection, Dependency, Network, Server, StrayRoute, System

_Net = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORT_KINDS: Mapping[str, frozenset[int]] = {
    "management": frozenset({22, 23, 161, 162, 514, 623, 3389, 5900, 5985, 9090, 9093, 9100, 10050, 10051}),
    "database": frozenset({1433, 1521, 3050, 3306, 5236, 5432, 5433, 6379, 8123, 9042, 9200, 27017, 50000, 54321}),
    "interface": frozenset({80, 443, 7001, 8000, 8001, 8008, 8080, 8081, 8088, 8090, 8443, 8888, 9080, 9443}),
    "file": frozenset({20, 21, 111, 139, 445, 873, 2049, 9000}),
    "message": frozenset({1883, 5672, 9092, 61616}),
    "login": frozenset({88, 389, 636}),
    "name": frozenset({53}),
    "time": frozenset({123}),
}
_USERS = frozenset({"interface", "management"})
"""Ports that people at their desks connect to: who connects there need not be a server."""


def port_kind(port: int) -> str | None:
    return next((kind for kind, ports in _PORT_KINDS.items() if port in ports), None)


def _ends(connection: Connection) -> tuple[str, str, int]:
    """(client address, server address, server port)."""
    c = connection
    if c.inbound:
        return c.remote_address, c.local_address, c.local_port
    return c.local_address, c.remote_address, c.remote_port


def _own_connections(server: Server) -> list[Connection]:
    """Without those of container bridges and of a network stack that several hosts share."""
    return [c for c in server.connections if c.local_address in server.addresses]


class _Addresses:
    """Address -> server. One that two servers have (departments reuse private blocks) belongs to the asker's side."""

    def __init__(self, servers: Iterable[Server]) -> None:
        self._found: dict[str, list[Server]] = {}
        for server in servers:
            for address in server.addresses:
                self._found.setdefault(address, []).append(server)

    def server(self, address: str, seen_by: Server) -> Server | None:
        found = self._found.get(address, [])
        if len(found) > 1:
            found = [s for s in found if s.department == seen_by.department]
        return found[0] if len(found) == 1 else None

    def known(self, address: str) -> bool:
        return address in self._found


def build_peer_servers(servers: Sequence[Server]) -> list[tuple[Server, str]]:
    """Machines that only show as the other end of a connection, each with the id of the server that saw it.

    An internal address counts that serves one of our servers, or that uses one of its ports which people do not use
    from their desks (a database, not a web page).
    """
    addresses = _Addresses(servers)
    found: dict[str, str] = {}
    for server in servers:
        for connection in _own_connections(server):
            remote = connection.remote_address
            if not identifies(remote) or addresses.known(remote) or not ipaddress.ip_address(remote).is_private:
                continue
            port = _ends(connection)[2]
            if connection.inbound and port_kind(port) in _USERS:
                continue
            found[remote] = min(found.get(remote, server.server_id), server.server_id)
    return [
        (
            Server(
                server_id=build_id("V", address), name=address, addresses=(address,), declared=False, seen=False
            ),
            found[address],
        )
        for address in sorted(found)
    ]  # fmt: skip


def build_measured(servers: Sequence[Server], systems: Sequence[System]) -> list[tuple[Dependency, str]]:
    """Dependencies seen as connections, each with the server that saw them. Ends are systems where one fits."""
    owners: dict[str, list[str]] = {}
    for system in systems:
        for server_id in system.servers:
            owners.setdefault(server_id, []).append(system.system_id)

    def end(server: Server) -> str:
        # A machine that several systems share does not say which of them is talking.
        systems_on_it = owners.get(server.server_id, [])
        return systems_on_it[0] if len(systems_on_it) == 1 else server.server_id

    addresses = _Addresses(servers)
    found: dict[str, tuple[Dependency, str]] = {}
    for seen_by in servers:
        for connection in _own_connections(seen_by):
            remote = addresses.server(connection.remote_address, seen_by)
            if remote is None or remote.server_id == seen_by.server_id:
                continue
            client, server = (remote, seen_by) if connection.inbound else (seen_by, remote)
            source, target, port = end(client), end(server), _ends(connection)[2]
            if source == target:
                continue
            kind = port_kind(port)
            dependency = Dependency(
                dependency_id=build_id("L", source, target), source_id=source, target_id=target, kind=kind, port=port,
                strength="weak" if kind == "management" else None, measured=True,
            )  # fmt: skip
            known = found.get(dependency.dependency_id)
            # One line a pair: of several ports the one that binds most, then the lowest.
            if known is None or _weight(dependency) < _weight(known[0]):
                found[dependency.dependency_id] = (dependency, seen_by.server_id)
    return [found[key] for key in sorted(found)]


def _weight(dependency: Dependency) -> tuple[int, int]:
    order = ("database", "file", "message", "interface", None, "login", "name", "time", "management")
    return (order.index(dependency.kind), dependency.port or 0)


def build_dependencies(declared: Sequence[Dependency], measured: Sequence[Dependency]) -> tuple[Dependency, ...]:
    """One a pair of ends: declared strength and kind, measured port; strong wins over weak."""
    found: dict[str, Dependency] = {}
    for dependency in sorted(declared, key=lambda d: (d.dependency_id, d.kind or "", d.port or 0, d.strength or "")):
        known = found.get(dependency.dependency_id)
        if known is None:
            found[dependency.dependency_id] = dependency
            continue
        kinds = dict.fromkeys(k for d in (known, dependency) for k in (d.kind or "").split("、") if k)
        found[dependency.dependency_id] = replace(
            known,
            strength="strong" if "strong" in (known.strength, dependency.strength) else known.strength or dependency.strength,
            kind="、".join(kinds) or None,
            port=known.port or dependency.port,
        )  # fmt: skip
    for dependency in measured:
        known = found.get(dependency.dependency_id)
        found[dependency.dependency_id] = (
            dependency if known is None
            else replace(known, measured=True, kind=known.kind or dependency.kind, port=dependency.port)
        )  # fmt: skip
    return tuple(found[key] for key in sorted(found))


def _prefixes(networks: Sequence[Network]) -> list[tuple[_Net, str]]:
    """(prefix, network id), the most specific first."""
    pairs = [(ipaddress.ip_network(p), n.network_id) for n in networks for p in n.prefixes]
    return sorted(pairs, key=lambda pair: (-pair[0].prefixlen, str(pair[0]), pair[1]))


def build_membership(networks: Sequence[Network], servers: Sequence[Server]) -> list[Network]:
    """Networks with the servers that have an address in them; an address counts for its most specific network."""
    prefixes = _prefixes(networks)
    members: dict[str, set[str]] = {n.network_id: set(n.servers) for n in networks}
    for server in servers:
        for address in server.addresses:
            parsed = ipaddress.ip_address(address)
            home = next((network_id for prefix, network_id in prefixes if parsed in prefix), None)
            if home is not None:
                members[home].add(server.server_id)
    return [replace(n, servers=tuple(sorted(members[n.network_id]))) for n in networks]


def build_reach(systems: Sequence[System], networks: Sequence[Network]) -> list[System]:
    """Systems with the networks that their servers sit on, next to the declared ones."""
    on = {server_id: set[str]() for n in networks for server_id in n.servers}
    for network in networks:
        for server_id in network.servers:
            on[server_id].add(network.network_id)
    return [
        replace(s, networks=tuple(sorted({*s.networks, *(n for v in s.servers for n in on.get(v, ()))})))
        for s in systems
    ]


def build_stray_routes(networks: Sequence[Network], servers: Sequence[Server]) -> tuple[StrayRoute, ...]:
    """Private prefixes that some server has a route to and that no declared network covers, sorted."""
    prefixes = _prefixes(networks)
    found = set()
    for server in servers:
        for destination, gateway in _own_routes(server):
            if not destination.is_private or destination.is_loopback or destination.is_link_local:
                continue
            if destination.prefixlen == 0 or any(_covers(prefix, destination) for prefix, _ in prefixes):
                continue
            via = next((network_id for prefix, network_id in prefixes if gateway and gateway in prefix), None)
            found.add((str(destination), server.server_id, str(gateway) if gateway else None, via))
    return tuple(
        StrayRoute(prefix=prefix, server_id=server_id, gateway=gateway, network_id=via)
        for prefix, server_id, gateway, via in sorted(found, key=lambda f: (f[0], f[1], f[2] or "", f[3] or ""))
    )


def _own_routes(server: Server) -> list[tuple[_Net, _Address | None]]:
    """(destination, gateway) of routes over the server's own addresses; bridges and shared stacks have none."""
    routes: list[tuple[_Net, _Address | None]] = []
    for route in server.routes:
        try:
            gateway = ipaddress.ip_address(route.gateway) if route.gateway else None
            routes.append((ipaddress.ip_network(route.destination, strict=False), gateway))
        except ValueError:
            continue
    own = [ipaddress.ip_address(a) for a in server.addresses]
    attached = [prefix for prefix, gateway in routes if gateway is None and any(a in prefix for a in own)]
    return [
        (prefix, gateway)
        for prefix, gateway in routes
        if (prefix in attached if gateway is None else any(gateway in near for near in attached))
    ]


def _covers(wide: _Net, narrow: _Net) -> bool:
    if isinstance(wide, ipaddress.IPv4Network) and isinstance(narrow, ipaddress.IPv4Network):
        return narrow.subnet_of(wide)
    return (
        isinstance(wide, ipaddress.IPv6Network) and isinstance(narrow, ipaddress.IPv6Network) and narrow.subnet_of(wide)
    )
