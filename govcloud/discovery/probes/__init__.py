"""One thing a file: what to read on a host with a shell and no rights of its own, and a pure parse of what it said.

A module has NAME, FIELDS (fields of Server that it answers), FILES (globs; all probes' files are read by one grep, as
`path:line`), COMMAND (POSIX sh, mostly without a fork, because forks are what a discovery costs a host) and
`parse(text) -> {field: value}` over the lines of its files, then of its command. A field that is not in the answer is
unknown; the command may say why with a line `? right|command|absent FIELD…`. An empty tuple means: there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from govcloud.discovery.probes import (
    accounts,
    containers,
    cpu,
    disks,
    interfaces,
    load,
    machine,
    mounts,
    os_release,
    processes,
    resolvers,
    routes,
    scheduled,
    sockets,
    software,
    units,
    utilisation,
)
from govcloud.model.observation import Value


@dataclass(frozen=True, slots=True)
class Probe:
    name: str
    fields: tuple[str, ...]
    files: tuple[str, ...]
    command: str
    parse: Callable[[str], Mapping[str, Value]]


PROBES: tuple[Probe, ...] = tuple(
    Probe(m.NAME, m.FIELDS, m.FILES, m.COMMAND, m.parse)
    for m in (
        os_release, cpu, machine, disks, mounts, interfaces, routes, resolvers, sockets, processes, software, units,
        scheduled, containers, accounts, load, utilisation,
    )
)  # fmt: skip

CONNECTIONS = Probe("connections", ("connections",), (), sockets.COMMAND, sockets.parse_connections)
"""Asked again and again in one session, so that short-lived dependencies are seen."""
