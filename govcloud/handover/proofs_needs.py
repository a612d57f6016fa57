"""What a site wants of its hosts, and what there is on the hosts of one system to prove: two files of the workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from govcloud.errors import InputError
from govcloud.model.migration import DatabaseEnd
from govcloud.model.text import Text
from govcloud.safe_yaml import load_yaml

FOLDER = "takeover"
_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteNeeds:
    """`takeover` in govcloud.yaml."""

    ntp: tuple[str, ...] = ()
    """Names or addresses of the time servers that the site wants; empty: any."""
    dns: tuple[str, ...] = ()
    """Addresses of the name servers that the site wants; empty: any."""
    resolve: str = ""
    """A name that every name server must resolve."""
    lists_max_days: int = 7
    """Package lists that are older tell nothing about missing patches."""
    receiver: str | None = None
    """Who receives alarms, where the system's own file does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    agent: Literal["node_exporter", "zabbix", "tcp"] | None = None
    """None: by the port on which one listens."""
    port: int | None = None
    receiver: str | None = None
    """Who receives the alarms of this host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """An account whose password should have changed."""

    kind: Literal["postgresql", "mysql"] = "postgresql"
    end: DatabaseEnd
    old_password_file: str | None = None
    """On the host: the password of before, to be tried once; it must be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    kind: Literal["postgresql", "sqlite", "files"] = "postgresql"
    path: str
    """On the host, with wildcards: the newest file is restored."""
    end: DatabaseEnd | None = None
    """The database that it was made from."""
    source: str | None = None
    """`files`: the folder that it was made from."""
    frozen: bool = False
    """Nobody writes to the source any more: every table must be equal."""
    max_age_h: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostNeeds:
    monitoring: Monitoring = Monitoring()
    databases: tuple[Database, ...] = ()
    backups: tuple[Backup, ...] = ()
    accepted_tools: tuple[str, ...] = ()
    """Remote-control programs and tunnel interfaces of the builder's own."""
    support_until: date | None = None
    """Until when the operating system gets updates, where the system does not say so itself."""
    scratch: str = "/var/tmp"  # noqa: S108 - a folder on the host, below which a private one is made
    """Folder on the host in which a restore works."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemNeeds:
    """`takeover/<system>.yaml`."""

    vendor_accounts: tuple[str, ...] = ()
    """Accounts of the old vendor on the hosts."""
    accepted_keys: tuple[str, ...] = ()
    """Fingerprints (`SHA256:…`) of other keys of the builder's that may stay."""
    hosts: Mapping[str, HostNeeds] = field(default_factory=dict)

    def of(self, host: str) -> HostNeeds:
        return self.hosts.get(host, HostNeeds())


def parse_site(given: Mapping[str, object], where: str) -> SiteNeeds:
    """Raises InputError."""
    return _convert(dict(given), SiteNeeds, where)


def load_needs(path: Path) -> SystemNeeds:
    """Empty where there is no file. Raises InputError."""
    if not path.is_file():
        return SystemNeeds()
    found = _convert(load_yaml(path), SystemNeeds, str(path))
    for name, host in found.hosts.items():
        for backup in host.backups:
            if (backup.source if backup.kind == "files" else backup.end) is None:
                raise _bad(f"{name}: {backup.path}: `source` or `end` is missing", str(path))
    return found


def _convert(data: Any, kind: type[_Kind], where: str) -> _Kind:
    try:
        found = msgspec.convert(data, kind)
        _refuse_unknown(data, msgspec.to_builtins(found))
    except msgspec.ValidationError as error:
        raise _bad(str(error), where) from None
    return found


def _refuse_unknown(given: Any, known: Any) -> None:
    """msgspec passes over a key that it does not know; a mistyped one must not mean "nothing to prove"."""
    if isinstance(given, dict) and isinstance(known, dict):
        if unknown := sorted(map(str, given.keys() - known.keys())):
            raise msgspec.ValidationError(f"unknown key {unknown[0]!r}")
        for key, inner in given.items():
            _refuse_unknown(inner, known[key])
    elif isinstance(given, list):
        for inner, other in zip(given, known, strict=True):
            _refuse_unknown(inner, other)


def _bad(why: str, where: str) -> InputError:
    return InputError(
        Text("接管验证的说明不合要求：{why}", "Not a valid description of what to prove: {why}").format(why=why),
        where=where,
        next_step=Text("对照 docs/formats.md 改正", "Correct it after docs/formats.md"),
    )
