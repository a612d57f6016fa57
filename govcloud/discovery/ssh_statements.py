"""What a host answered, as statements: one for its facts, one for each sample of its connections. Pure."""

from __future__ import annotations

import ipaddress
from datetime import datetime

from govcloud.discovery.identity import identifies
from govcloud.discovery.ssh_script import Answers
from govcloud.model.access import HostAccess
from govcloud.model.ids import build_id
from govcloud.model.observation import Statement, Value

SOURCE = "ssh"
CONNECTIONS = "connections"
"""Kept out of the facts: every sample of them counts."""


def build_statements(host: HostAccess, answers: Answers, at: datetime, own_address: str) -> tuple[Statement, ...]:
    """The facts, then the first sample of connections. Our own connection is left out of them."""
    values: dict[str, Value] = {"name": host.name}
    cells = {"name": "access"}
    if host.zone:
        values["zone"], cells["zone"] = host.zone, "access"
    sample: Value = None
    for probe, fields in answers.values.items():
        for field, value in fields.items():
            if field == CONNECTIONS:
                sample = value
            else:
                values[field], cells[field] = value, f"probe/{probe}"
    if identifies(host.address):
        said = values.get("addresses", ())
        addresses = {str(a) for a in said} if isinstance(said, tuple) else set()
        reached = str(ipaddress.ip_address(host.address))
        values["addresses"] = tuple(sorted({*addresses, reached}))
        cells.setdefault("addresses", "access")
    found = [
        Statement(
            subject_kind="server", subject_id=subject_id(host), source=SOURCE, place=place(host), observed_at=at,
            values=values, cells=cells, unknown={f: why for f, why in answers.unknown.items() if f not in values},
        )
    ]  # fmt: skip
    if isinstance(sample, tuple):
        found.append(build_sample(host, sample, at, own_address))
    return tuple(found)


def build_sample(host: HostAccess, lines: tuple[object, ...], at: datetime, own_address: str) -> Statement:
    """One look at the host's established connections. An empty one counts, too: nobody was talking."""
    return Statement(
        subject_kind="server", subject_id=subject_id(host), source=SOURCE, place=place(host), observed_at=at,
        values={CONNECTIONS: _without_us(lines, host.port, own_address)}, cells={CONNECTIONS: "probe/sockets"},
    )  # fmt: skip


def place(host: HostAccess) -> str:
    return f"ssh://{host.name}/"


def subject_id(host: HostAccess) -> str:
    return build_id("V", host.name, host.address if identifies(host.address) else str(host.port))


def _without_us(lines: tuple[object, ...], port: int, own_address: str) -> tuple[str, ...]:
    # Where the server did not tell who is asking (SSH_CONNECTION), our address and its port do.
    ours = f" {port} {own_address} "
    return tuple(line for line in map(str, lines) if not (own_address and line.startswith("in ") and ours in line))
