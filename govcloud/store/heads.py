"""What lists are searched, narrowed and sorted by, of every system, server and finding, without the rest of the bodies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, select

from govcloud.model.observation import SubjectKind
from govcloud.model.regulation import Severity, Standing
from govcloud.model.text import Text
from govcloud.store import schema


class SystemHead(msgspec.Struct, gc=False):
    system_id: str
    name: str
    department: str | None = None
    lifecycle: str | None = None
    hosting: str | None = None
    mlps_level: int | None = None
    users: int | None = None
    servers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    text: str = ""
    """All its values, folded: what a search looks through."""

    @property
    def entity_id(self) -> str:
        return self.system_id


class ServerHead(msgspec.Struct, gc=False):
    server_id: str
    name: str
    department: str | None = None
    addresses: tuple[str, ...] = ()
    os_name: str | None = None
    os_version: str | None = None
    arch: str | None = None
    location: str | None = None
    services: tuple[str, ...] = ()
    declared: bool | None = None
    seen: bool | None = None
    text: str = ""
    """The fields above, folded, and the systems on it: bodies of discovered servers are too large to be held."""

    @property
    def entity_id(self) -> str:
        return self.server_id


class FindingHead(msgspec.Struct, gc=False):
    finding_id: str
    rule_id: str
    topic: str
    subject_id: str
    subject_name: str
    verdict: str
    standing: Standing
    severity: Severity
    title: Text
    department: str | None = None
    clauses: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    due_on: date | None = None


Head = TypeVar("Head", SystemHead, ServerHead)


def system_heads(tx: Connection) -> list[SystemHead]:
    """By id."""
    found = []
    for body, head in _bodies(tx, "system", SystemHead):
        head.text = "\n".join(_values(msgspec.json.decode(body))).casefold()
        found.append(head)
    return found


def _values(body: object) -> Iterator[str]:
    if isinstance(body, dict):
        body = list(body.values())
    if isinstance(body, list):
        for part in body:
            yield from _values(part)
    elif isinstance(body, (str, int, float)) and not isinstance(body, bool):
        yield str(body)


def server_heads(tx: Connection) -> list[ServerHead]:
    """By id."""
    on: dict[str, list[str]] = {}
    for _, system in _bodies(tx, "system", SystemHead):
        for server_id in system.servers:
            on.setdefault(server_id, []).append(f"{system.system_id} {system.name}")
    found = []
    for _, head in _bodies(tx, "server", ServerHead):
        values = (
            head.server_id, head.name, head.department, *head.addresses, head.os_name, head.os_version, head.arch,
            head.location, *head.services, *on.get(head.server_id, ()),
        )  # fmt: skip
        head.text = "\n".join(v for v in values if v).casefold()
        found.append(head)
    return found


def finding_heads(tx: Connection) -> list[FindingHead]:
    """Those that are still there, by id."""
    table, decode = schema.finding.c, msgspec.json.Decoder(FindingHead).decode
    rows = select(table.body).where(table.status == "open").order_by(table.finding_id)
    return [decode(body) for body in tx.execute(rows).scalars()]


def _bodies(tx: Connection, kind: SubjectKind, head: type[Head]) -> Any:
    table, decode = schema.entity.c, msgspec.json.Decoder(head).decode
    rows = select(table.body).where(table.kind == kind).order_by(table.entity_id)
    return ((body, decode(body)) for body in tx.execute(rows).scalars())
