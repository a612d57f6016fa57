"""Which hosts a discovery goes to: from hosts.yaml or from the inventory, narrowed down, directly or through a bastion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from govcloud.access import FILE, check_private, load_hosts, parse_bastion
from govcloud.discovery.identity import identifies
from govcloud.errors import UsageError
from govcloud.model.access import HostAccess, Targets
from govcloud.model.ids import is_host_name, normalize
from govcloud.model.inventory import Inventory
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.store import inventory as inventory_store
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import Session

RESUME_HOURS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a user asked for; everything that is given holds for all hosts."""

    hosts_file: Path | None = None
    """hosts.yaml of the workspace when None."""
    from_inventory: bool = False
    user: str | None = None
    key: Path | None = None
    via: str | None = None
    """Name of a host in hosts.yaml, or `user@address:port`."""
    zone: str | None = None
    """Of hosts that name none themselves."""
    limit: str | None = None
    """Host names or globs, `zone:Z`, `department:D`, `system:S`, comma separated; `!` before one leaves it out."""
    resume: bool = False


def select_hosts(session: Session, selection: Selection) -> Targets:
    """Raises UsageError for a pattern without a host, InputError for a bad list of hosts."""
    if selection.from_inventory and selection.hosts_file is not None:
        raise UsageError(Text("只能选其一", "Choose one of them"), where="--hosts, --from-inventory")
    path = selection.hosts_file or session.workspace.path / FILE
    listed = load_hosts(path) if not selection.from_inventory or path.is_file() else ()
    needed = selection.from_inventory or any(":" in p for p in _patterns(selection.limit))
    inventory = read_inventory(session) if needed else Inventory()
    chosen = (
        dict(_from_inventory(inventory)) if selection.from_inventory else {h: _server(h, inventory) for h in listed}
    )
    if not chosen:
        raise UsageError(
            Text("清单里没有带地址的服务器", "The inventory has no server with an address")
            if selection.from_inventory else Text("主机清单是空的", "The list of hosts is empty")
        )  # fmt: skip
    key_file = _key_file(selection)
    bastion = _bastion(selection, listed, key_file)
    kept = _limit(chosen, inventory, selection.limit)
    hosts = tuple(_adapted(host, selection, key_file, bastion) for host in kept)
    answered = _answered(session) if selection.resume else set()
    left_out = tuple(h.name for h in hosts if (h.name, h.address, h.port) in answered)
    bastions = {h.name: h for h in listed if h.via is None}
    if bastion is not None:
        bastions[bastion.name] = bastion
    return Targets(
        hosts=tuple(h for h in hosts if h.name not in left_out),
        bastions={name: bastions[name] for name in {h.via for h in hosts if h.via}}, left_out=left_out,
    )  # fmt: skip


def _key_file(selection: Selection) -> str | None:
    if selection.key is None:
        return None
    key = selection.key.resolve()
    check_private(key)
    return str(key)


def _bastion(selection: Selection, listed: Sequence[HostAccess], key_file: str | None) -> HostAccess | None:
    if selection.via is None:
        return None
    named = next((h for h in listed if h.name == selection.via), None)
    if named is None:
        return parse_bastion(selection.via, user=selection.user or "root", key_file=key_file)
    if named.via is not None:
        raise UsageError(
            Text("{b} 本身也要经过跳板机", "{b} is itself behind a bastion").format(b=named.name), where="--via"
        )
    return named


def _adapted(host: HostAccess, selection: Selection, key_file: str | None, bastion: HostAccess | None) -> HostAccess:
    via = (
        bastion.name
        if bastion is not None and (bastion.address, bastion.port) != (host.address, host.port)
        else host.via
    )
    return replace(
        host,
        user=selection.user or host.user,
        key_file=key_file or host.key_file,
        zone=host.zone or selection.zone,
        via=via,
    )


def _from_inventory(inventory: Inventory) -> list[tuple[HostAccess, Server]]:
    """Servers with an address to go to. A name that is none for a host gives way to the address."""
    found = []
    seen: set[str] = set()
    for server in inventory.servers:
        usable = [a for a in server.addresses if identifies(a)]
        if not usable or server.power == "off":
            continue
        # IPv4 first: it is what departments write down, and what their firewalls let through.
        address = min(usable, key=lambda a: ":" in a)
        names = (server.name.lower(), address, server.server_id.lower())
        name = next((n for n in names if n not in seen and (is_host_name(n) or n == address)), None)
        if name is not None:
            seen.add(name)
            found.append((HostAccess(name=name, address=address, zone=server.zone), server))
    return found


def _server(host: HostAccess, inventory: Inventory) -> Server | None:
    named = [s for s in inventory.servers if normalize(s.name) == host.name]
    at = [s for s in inventory.servers if host.address in s.addresses]
    return next(iter([s for s in at if s in named] or at or named), None)


def _patterns(limit: str | None) -> list[str]:
    return [p.strip() for p in (limit or "").split(",") if p.strip()]


def _limit(
    chosen: Mapping[HostAccess, Server | None], inventory: Inventory, limit: str | None
) -> tuple[HostAccess, ...]:
    patterns = _patterns(limit)
    if limit is not None and not patterns:
        raise UsageError(Text("没有写主机", "No host is named"), where="--limit")
    matched = {}
    for pattern in patterns:
        fits = _fits(pattern.removeprefix("!"), inventory)
        matched[pattern] = {host for host, server in chosen.items() if fits(host, server)}
        if not matched[pattern]:
            raise UsageError(
                Text("没有主机符合：{p}", "No host matches: {p}").format(p=pattern),
                where="--limit",
                next_step=Text(
                    "写主机名（可用 * ?）、zone:区域、department:部门 或 system:系统，多项以逗号分隔",
                    "Write host names (* and ? allowed), zone:Z, department:D or system:S, separated by commas",
                ),
            )
    wanted = [hosts for p, hosts in matched.items() if not p.startswith("!")]
    unwanted = set[HostAccess]().union(*(hosts for p, hosts in matched.items() if p.startswith("!")))
    included = set[HostAccess]().union(*wanted) if wanted else set(chosen)
    return tuple(host for host in chosen if host in included and host not in unwanted)


def _fits(pattern: str, inventory: Inventory) -> Callable[[HostAccess, Server | None], bool]:
    kind, colon, value = pattern.partition(":")
    wanted = normalize(value)
    if colon and kind == "zone":
        return lambda host, server: normalize(host.zone or (server and server.zone) or "") == wanted
    if colon and kind == "department":
        return lambda host, server: server is not None and normalize(server.department or "") == wanted
    if colon and kind == "system":
        ids = {
            server_id
            for s in inventory.systems if wanted in (normalize(s.system_id), normalize(s.name))
            for server_id in s.servers
        }  # fmt: skip
        return lambda host, server: server is not None and server.server_id in ids
    return lambda host, server: fnmatchcase(host.name, pattern) or fnmatchcase(host.address, pattern)


def _answered(session: Session) -> set[tuple[object, object, object]]:
    """(name, address, port) of hosts that answered in the last hours."""
    since = session.now() - timedelta(hours=RESUME_HOURS)
    with session.store.read() as tx:
        recent = [b.body for b in inventory_store.batches(tx, "discover") if b.source == "ssh" and b.at >= since]
    return {
        (h["host"], h.get("address"), h.get("port"))
        for body in recent for h in body.get("hosts", ()) if h.get("status") == "ok"
    }  # fmt: skip
