"""What established connections say about who needs whom. Pure.

Each end of a connection tells its half of it in its own sample; a flow is both halves over all samples.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from govcloud.discovery.identity import identifies
from govcloud.discovery.traffic import BINDING, port_kind, serves, traffic_of, used_from_desks
from govcloud.model.ids import build_id
from govcloud.model.inventory import Dependency, Flow, System
from govcloud.model.observation import Statement
from govcloud.model.server import Server
from govcloud.model.zombie import ServerUse


class Addresses:
    """Address -> server. One that two servers have belongs to the asker's zone, then to its department."""

    def __init__(self, servers: Iterable[Server]) -> None:
        self._found: dict[str, list[Server]] = {}
        for server in servers:
            for address in server.addresses:
                self._found.setdefault(address, []).append(server)

    def server(self, address: str, seen_by: Server) -> Server | None:
        found = self._found.get(address, [])
        if len(found) > 1 and seen_by.zone:
            found = [s for s in found if s.zone == seen_by.zone] or found
        if len(found) > 1:
            found = [s for s in found if s.department == seen_by.department]
        return found[0] if len(found) == 1 else None

    def known(self, address: str) -> bool:
        return address in self._found


class Talk:
    """All connection lines of one server: (index of the statement, statement) of every sample."""

    def __init__(self, server: Server, samples: Sequence[tuple[int, Statement]]) -> None:
        self.server, self.samples = server, samples

    def lines(self) -> Iterator[tuple[int, datetime, bool, str, int, str | None]]:
        """(statement, when, inbound, remote address, port of the serving end, own process).

        Without those of container bridges and of a network stack that several hosts share.
        """
        own = {*self.server.addresses, "-"}
        for index, statement in self.samples:
            lines = statement.values["connections"]
            for line in lines if isinstance(lines, (tuple, list)) else ():
                direction, local, local_port, remote, remote_port, process = str(line).split(" ", 5)
                if local in own:
                    inbound = direction == "in"
                    port = int(local_port if inbound else remote_port)
                    yield index, statement.observed_at, inbound, remote, port, None if process == "-" else process


def build_peer_servers(talks: Sequence[Talk], addresses: Addresses) -> list[tuple[Server, int]]:
    """Machines that only show as the other end of a connection, each with the statement that saw it.

    An internal address counts that serves one of our servers, or that uses one of its ports which people do not use
    from their desks (a database, not a web page).
    """
    found: dict[str, int] = {}
    judged: dict[str, bool] = {}
    for talk in talks:
        for index, _, inbound, remote, port, _ in talk.lines():
            if remote in found or (inbound and used_from_desks(port)):
                continue
            if remote not in judged:
                judged[remote] = not addresses.known(remote) and identifies(remote) and _is_private(remote)
            if judged[remote]:
                found[remote] = index
    return [
        (Server(server_id=build_id("V", a), name=a, addresses=(a,), declared=False, seen=False), found[a])
        for a in sorted(found)
    ]  # fmt: skip


def _is_private(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False


class _Half:
    """What one end said of a flow."""

    __slots__ = ("first", "last", "process", "samples", "statement", "statements")

    def __init__(self, at: datetime) -> None:
        self.first = self.last = at
        self.process: str | None = None
        self.samples = 0
        self.statement = -1
        """The statement that saw it last."""
        self.statements = -1
        """The statement counted last: several lines of one sample are one sighting."""

    def add(self, index: int, at: datetime, process: str | None) -> None:
        if index != self.statements:
            self.samples, self.statements = self.samples + 1, index
        self.first = min(self.first, at)
        if at >= self.last:
            self.last, self.statement = at, index
        self.process = self.process or process


def build_flows(talks: Sequence[Talk], addresses: Addresses) -> tuple[Flow, ...]:
    """Sorted by client, server and port."""
    halves: dict[tuple[str, str, int], list[_Half | None]] = {}
    listening = {
        t.server.server_id: {s.port: s.process for s in t.server.sockets if s.protocol == "tcp"} for t in talks
    }
    for talk in talks:
        me = talk.server.server_id
        others: dict[str, str | None] = {}
        for index, at, inbound, remote, port, process in talk.lines():
            if remote not in others:
                found = addresses.server(remote, talk.server)
                others[remote] = found.server_id if found and found.server_id != me else None
            other = others[remote]
            if other is None:
                continue
            key = (other, me, port) if inbound else (me, other, port)
            pair = halves.setdefault(key, [None, None])
            half = pair[inbound]
            if half is None:
                half = pair[inbound] = _Half(at)
            half.add(index, at, process)
    return tuple(_flow(key, halves[key], listening) for key in sorted(halves))


def _flow(
    key: tuple[str, str, int], pair: Sequence[_Half | None], listening: Mapping[str, Mapping[int, str | None]]
) -> Flow:
    client, server, port = key
    known = [half for half in pair if half is not None]
    last = max(known, key=lambda h: (h.last, h.statement))
    out, into = pair
    client_process, server_process = out.process if out else None, into.process if into else None
    served = server in listening and port in listening[server]
    return Flow(
        client_id=client, server_id=server, port=port,
        traffic=traffic_of(
            port, into is not None or served, client_process,
            server_process or (listening[server][port] if served else None),
        ),
        client_process=client_process, server_process=server_process,
        first_seen_at=min(h.first for h in known), last_seen_at=last.last,
        # Both ends see the same connection: the better witness counts, not the sum.
        samples=max(h.samples for h in known), statement=last.statement,
    )  # fmt: skip


def build_measured(flows: Sequence[Flow], systems: Sequence[System]) -> list[tuple[Dependency, int]]:
    """Dependencies seen as connections, each with the statement that saw it last. Ends are systems where one fits."""
    owners: dict[str, list[str]] = {}
    for system in systems if flows else ():
        for server_id in system.servers:
            owners.setdefault(server_id, []).append(system.system_id)

    def end(server_id: str) -> str:
        # A machine that several systems share does not say which of them is talking.
        systems_on_it = owners.get(server_id, ())
        return systems_on_it[0] if len(systems_on_it) == 1 else server_id

    found: dict[tuple[str, str], list[Flow]] = {}
    for flow in flows:
        source, target = end(flow.client_id), end(flow.server_id)
        if source != target:
            found.setdefault((source, target), []).append(flow)
    return [_measured(source, target, same) for (source, target), same in sorted(found.items())]


def _measured(source: str, target: str, flows: Sequence[Flow]) -> tuple[Dependency, int]:
    # One line a pair: of several ports the one that binds most, then the lowest.
    chosen = min(flows, key=_weight)
    dependency = Dependency(
        dependency_id=build_id("L", source, target), source_id=source, target_id=target, kind=_kind(chosen), port=chosen.port,
        strength=None if chosen.traffic in BINDING else "weak", measured=True,
        traffic=chosen.traffic, source_process=chosen.client_process, target_process=chosen.server_process,
        first_seen_at=min(f.first_seen_at for f in flows), last_seen_at=max(f.last_seen_at for f in flows),
        samples=max(f.samples for f in flows),
    )  # fmt: skip
    return dependency, chosen.statement


_KINDS: Mapping[str, str] = {
    "management": "management", "monitoring": "management", "naming": "name", "time": "time", "file_share": "file",
}  # fmt: skip


def _kind(flow: Flow) -> str | None:
    """Kind of the dependency that the traffic shows; None where only that there is one is known."""
    if flow.traffic != "business":
        return _KINDS.get(flow.traffic)
    kind = port_kind(flow.port, flow.server_process)
    return kind if kind in ("database", "interface", "message", "login") else None


def _weight(flow: Flow) -> tuple[bool, bool, int, int]:
    order = ("database", "file", "message", "interface", None, "login", "name", "time", "management")
    return (flow.traffic not in BINDING, flow.traffic == "ephemeral", order.index(_kind(flow)), flow.port)


def build_dependencies(declared: Sequence[Dependency], measured: Sequence[Dependency]) -> tuple[Dependency, ...]:
    """One a pair of ends: declared strength and kind, measured port and times; strong wins over weak.

    A declared one between whose ends only SSH, monitoring and the like were seen stays declared only: that traffic
    does not show it. What was seen is told all the same.
    """
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
        found[dependency.dependency_id] = _joined(known, dependency) if known else dependency
    return tuple(found[key] for key in sorted(found))


def _joined(declared: Dependency, measured: Dependency) -> Dependency:
    if measured.traffic in BINDING:
        return replace(measured, strength=declared.strength, kind=declared.kind or measured.kind)
    return replace(measured, strength=declared.strength, kind=declared.kind, port=declared.port, measured=False)


def build_use(talk: Talk) -> ServerUse:
    """Who asked the server for its services in the samples that were taken of its connections."""
    own = set(talk.server.addresses)
    callers: dict[str, datetime] = {}
    for _, at, inbound, remote, port, process in talk.lines():
        if inbound and remote not in own and serves(port, process):
            callers[remote] = max(at, callers.get(remote, at))
    times = sorted(statement.observed_at for _, statement in talk.samples)
    listening = talk.server.sockets
    return ServerUse(
        server_id=talk.server.server_id, samples=len(times),
        first_at=times[0] if times else None, last_at=times[-1] if times else None,
        callers=len(callers), last_called_at=max(callers.values(), default=None),
        services=sum(s.protocol == "tcp" and serves(s.port, s.process) for s in listening) if listening else None,
        place=talk.samples[-1][1].place if talk.samples else None,
    )  # fmt: skip
