"""What addresses and routes say about who sits on which network. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from govcloud.model.inventory import Network, System
from govcloud.model.network_evidence import TRACES, NetworkEvidence, Trace
from govcloud.model.server import Server

_Net = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class _Prefixes:
    """Address -> the network with the most specific prefix that holds it: one look-up a prefix length."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._tables: dict[tuple[int, int], dict[int, str]] = {}
        for network in sorted(networks, key=lambda n: n.network_id, reverse=True):
            for text in network.prefixes:
                prefix = ipaddress.ip_network(text)
                table = self._tables.setdefault((prefix.version, prefix.prefixlen), {})
                table[int(prefix.network_address) >> (prefix.max_prefixlen - prefix.prefixlen)] = network.network_id
        self._order = sorted(self._tables, reverse=True)

    def home(self, address: str) -> str | None:
        if not self._order:
            return None
        parsed = ipaddress.ip_address(address)
        number = int(parsed)
        for version, length in self._order:
            if version == parsed.version:
                found = self._tables[(version, length)].get(number >> (parsed.max_prefixlen - length))
                if found is not None:
                    return found
        return None


def _prefixes(networks: Sequence[Network]) -> list[tuple[_Net, str]]:
    """(prefix, network id), the most specific first."""
    pairs = [(ipaddress.ip_network(p), n.network_id) for n in networks for p in n.prefixes]
    return sorted(pairs, key=lambda pair: (-pair[0].prefixlen, str(pair[0]), pair[1]))


def _own_clouds(networks: Sequence[Network]) -> dict[str, list[_Net]]:
    """Server -> prefixes of the cloud networks that name it as a member: tenants use the same prefixes as everybody else."""
    found: dict[str, list[_Net]] = {}
    for network in networks:
        if network.kind == "cloud":
            for server_id in network.servers:
                found.setdefault(server_id, []).extend(ipaddress.ip_network(p) for p in network.prefixes)
    return found


def build_membership(networks: Sequence[Network], servers: Sequence[Server]) -> list[Network]:
    """Networks with the servers that have an address in them; an address counts for its most specific network.

    Networks inside a cloud have the members that the cloud names, and no others.
    """
    prefixes = _Prefixes([n for n in networks if n.kind != "cloud"])
    members: dict[str, set[str]] = {n.network_id: set(n.servers) for n in networks}
    clouds = _own_clouds(networks)
    for server in servers:
        inside = clouds.get(server.server_id, ())
        for address in server.addresses:
            if inside and any(ipaddress.ip_address(address) in prefix for prefix in inside):
                continue
            home = prefixes.home(address)
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
        replace(s, networks=tuple(sorted({*s.networks, *reached})))
        if (reached := {n for v in s.servers for n in on.get(v, ())} - set(s.networks)) else s
        for s in systems
    ]  # fmt: skip


def build_network_evidence(networks: Sequence[Network], servers: Sequence[Server]) -> tuple[NetworkEvidence, ...]:
    """Tunnels, second legs, routes to inner prefixes and default gateways of every server, sorted by server.

    Bridges of containers and network stacks that hosts share are nobody's; what the whole internet holds is no network
    of a department.
    """
    declared = _Declared(networks)
    found = {e for server in servers for e in _Traces(server, declared).all()}
    return tuple(
        sorted(
            found,
            key=lambda e: (e.server_id, TRACES.index(e.what), e.prefix or "", e.gateway or "", e.interface or ""),
        )
    )


class _Declared:
    """The networks that were declared, and those that a cloud names for its own servers."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self.prefixes = _prefixes([n for n in networks if n.kind != "cloud"])
        self.clouds = _own_clouds(networks)
        self._covering: dict[_Net | _Address, str | None] = {}

    def network(self, what: _Net | _Address) -> str | None:
        """The most specific declared network that holds the prefix or address."""
        if what not in self._covering:
            self._covering[what] = next((n for prefix, n in self.prefixes if _covers(prefix, what)), None)
        return self._covering[what]


_LEGS = frozenset({"ethernet", "bond", "vlan", "bridge", None})
_IDLE_TUNNEL = re.compile(r"(tunl|gre|gretap|erspan|sit|ip_vti|ip6_vti|ip6tnl|ip6gre)0")
"""Devices that the kernel makes by itself as soon as the module is loaded."""
_IPSEC = frozenset({"charon", "charon-systemd", "pluto", "racoon", "iked", "starter"})


class _Traces:
    """What one server shows."""

    def __init__(self, server: Server, declared: _Declared) -> None:
        self.server, self.declared = server, declared
        self.own = {ipaddress.ip_address(a) for a in server.addresses}
        self.clouds = declared.clouds.get(server.server_id, [])
        self.kinds = {i.name: i.kind for i in server.interfaces}
        self.routes = list(_routes(server))
        self.legs = self._legs()

    def _legs(self) -> dict[_Net, str | None]:
        """Prefixes of its own addresses -> interface, by the interfaces and by the routes without a gateway."""
        legs = {
            prefix: interface
            for prefix, gateway, interface in self.routes
            if gateway is None and prefix.prefixlen and self._is_leg(interface) and any(a in prefix for a in self.own)
        }
        for interface_ in self.server.interfaces:
            for leg in map(ipaddress.ip_interface, interface_.addresses):
                if interface_.kind in _LEGS and leg.ip in self.own and leg.network.prefixlen < leg.max_prefixlen:
                    legs[leg.network] = interface_.name
        return {p: i for p, i in legs.items() if not (p.is_loopback or p.is_link_local)}

    def _is_leg(self, interface: str | None) -> bool:
        return self.kinds.get(interface or "") in _LEGS

    def all(self) -> Iterator[NetworkEvidence]:
        home = set()
        for destination, gateway, interface in self.routes:
            if destination.prefixlen == 0 and gateway is not None:
                prefix = next((p for p in self.legs if gateway in p), None)
                home.add(prefix)
                yield self._trace(
                    "default_gateway", prefix, gateway, self.legs.get(prefix, interface) if prefix else interface
                )
        for prefix, interface in self.legs.items():
            if prefix not in home:
                yield self._trace("interface", prefix, None, interface)
        yield from self._tunnels()
        for destination, gateway, interface in self.routes:
            if self._leads_elsewhere(destination, gateway, interface):
                yield self._trace("route", destination, gateway, interface)

    def _tunnels(self) -> Iterator[NetworkEvidence]:
        for interface in self.server.interfaces:
            if interface.kind != "tunnel" or (_IDLE_TUNNEL.fullmatch(interface.name) and not interface.addresses):
                continue
            legs = [leg for leg in map(ipaddress.ip_interface, interface.addresses) if not leg.is_link_local]
            for leg in legs:
                yield self._trace("tunnel", leg.network, None, interface.name)
            if not legs:
                yield self._trace("tunnel", None, None, interface.name)
        keepers = {s.process for s in self.server.sockets if s.protocol == "udp" and s.port in (500, 4500)}
        for program in sorted(p for p in keepers if p in _IPSEC):
            yield self._trace("tunnel", None, None, program)

    def _leads_elsewhere(self, destination: _Net, gateway: _Address | None, interface: str | None) -> bool:
        if destination.prefixlen <= 1 or destination.is_global or destination.is_loopback or destination.is_link_local:
            return False
        if destination in self.legs or destination.is_multicast:
            return False
        if self.kinds.get(interface or "") == "tunnel":
            return not any(a in destination for a in self.own) and destination.num_addresses > 1
        return gateway is not None and any(gateway in leg for leg in self.legs)

    def _trace(
        self, what: Trace, prefix: _Net | None, gateway: _Address | None, interface: str | None
    ) -> NetworkEvidence:
        where = prefix if prefix is not None else gateway
        in_cloud = where is not None and any(_covers(cloud, where) for cloud in self.clouds)
        return NetworkEvidence(
            server_id=self.server.server_id, what=what, prefix=str(prefix) if prefix is not None else None,
            gateway=str(gateway) if gateway is not None else None, interface=interface, in_cloud=in_cloud,
            network_id=None if in_cloud or where is None else self.declared.network(where),
            via_network_id=self.declared.network(gateway) if gateway is not None and what == "route" else None,
        )  # fmt: skip


def _routes(server: Server) -> Iterator[tuple[_Net, _Address | None, str | None]]:
    for route in server.routes:
        try:
            gateway = ipaddress.ip_address(route.gateway) if route.gateway else None
            yield ipaddress.ip_network(route.destination, strict=False), gateway, route.interface
        except ValueError:
            continue


def _covers(wide: _Net, narrow: _Net | _Address) -> bool:
    if isinstance(narrow, ipaddress.IPv4Address | ipaddress.IPv6Address):
        return narrow in wide
    if isinstance(wide, ipaddress.IPv4Network) and isinstance(narrow, ipaddress.IPv4Network):
        return narrow.subnet_of(wide)
    return (
        isinstance(wide, ipaddress.IPv6Network) and isinstance(narrow, ipaddress.IPv6Network) and narrow.subnet_of(wide)
    )
