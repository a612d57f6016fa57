"""One thing a file: a POSIX-sh command that needs no rights of its own, and a pure parse of what it prints.

A module has NAME, COMMAND and `parse(text) -> {field of Server: value}`. An empty dict means that the host did not say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from govcloud.discovery.probes import addresses, connections, hardware, kernel, os_release, processes, routes, sockets
from govcloud.model.inventory import Value


@dataclass(frozen=True, slots=True)
class Probe:
    name: str
    command: str
    parse: Callable[[str], Mapping[str, Value]]


PROBES: tuple[Probe, ...] = tuple(
    Probe(m.NAME, m.COMMAND, m.parse)
    for m in (os_release, kernel, hardware, addresses, routes, sockets, connections, processes)
)
