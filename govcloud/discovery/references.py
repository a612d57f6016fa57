"""Workbooks name systems, servers and networks by code, by name or by address: which one is meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from govcloud.discovery.cells import fold
from govcloud.model.inventory import Network, NetworkKind, System
from govcloud.model.server import Server

_KIND_WORDS: Mapping[str, NetworkKind] = {
    "政务外网": "extranet", "电子政务外网": "extranet", "外网": "extranet",
    "政务内网": "intranet", "电子政务内网": "intranet", "互联网": "internet", "因特网": "internet",
}  # fmt: skip


class Names:
    """Looks texts up; a text that means nothing, or more than one thing, stays as it was written."""

    def __init__(self, *, systems: Sequence[System], servers: Sequence[Server], networks: Sequence[Network]) -> None:
        self._all_systems, self._all_servers, self._all_networks = systems, servers, networks

    @cached_property
    def _systems(self) -> _Index:
        return _index((s.system_id, s.name, s.department) for s in self._all_systems)

    @cached_property
    def _servers(self) -> _Index:
        """Only dependencies ask for it, and estates have ten times more servers than systems."""
        servers = self._all_servers
        return _index((s.server_id, alias, s.department) for s in servers for alias in (s.name, *s.addresses))

    @cached_property
    def _networks(self) -> _Index:
        return _index((n.network_id, n.name, n.department) for n in self._all_networks)

    @cached_property
    def _by_kind(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for network in self._all_networks:
            if network.kind:
                found.setdefault(network.kind, []).append(network.network_id)
        return found

    def system(self, text: str, department: str | None = None) -> str:
        return _look_up(self._systems, text, department) or text

    def network(self, text: str, department: str | None = None) -> str:
        if found := _look_up(self._networks, text, department):
            return found
        of_kind = self._by_kind.get(_KIND_WORDS.get(fold(text), ""), [])
        return of_kind[0] if len(of_kind) == 1 else text

    def end(self, text: str) -> str:
        """The end of a dependency: a system, or a server where no system fits."""
        return _look_up(self._systems, text, None) or _look_up(self._servers, text, None) or text


_Index = dict[str, set[tuple[str, str | None]]]


def _index(entries: Iterable[tuple[str, str, str | None]]) -> _Index:
    index: _Index = {}
    for entity_id, name, department in entries:
        for key in {fold(entity_id), fold(name)}:
            index.setdefault(key, set()).add((entity_id, department))
    return index


def _look_up(index: _Index, text: str, department: str | None) -> str | None:
    found = index.get(fold(text), set())
    ids = {entity_id for entity_id, _ in found}
    if len(ids) > 1:
        ids = {entity_id for entity_id, owner in found if owner == department}
    return ids.pop() if len(ids) == 1 else None
