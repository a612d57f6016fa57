"""Workbooks name systems, servers and networks by code, by name or by address: which one is meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from govcloud.discovery.cells import fold
from govcloud.model.inventory import Network, NetworkKind, Server, System

_KIND_WORDS: Mapping[str, NetworkKind] = {
    "政务外网": "extranet", "电子政务外网": "extranet", "外网": "extranet",
    "政务内网": "intranet", "电子政务内网": "intranet", "互联网": "internet", "因特网": "internet",
}  # fmt: skip


class Names:
    """Looks texts up; a text that means nothing, or more than one thing, stays as it was written."""

    def __init__(self, *, systems: Sequence[System], servers: Sequence[Server], networks: Sequence[Network]) -> None:
        self._systems = _index((s.system_id, s.name, s.department) for s in systems)
        self._networks = _index((n.network_id, n.name, n.department) for n in networks)
        self._servers = _index((s.server_id, alias, s.department) for s in servers for alias in (s.name, *s.addresses))
        self._by_kind: dict[str, list[str]] = {}
        for network in networks:
            if network.kind:
                self._by_kind.setdefault(network.kind, []).append(network.network_id)

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
