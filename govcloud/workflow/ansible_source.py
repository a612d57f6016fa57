"""Our inventory as Ansible's: groups, hosts and plain facts. Facts are marked unsafe, so Ansible never evaluates them."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from govcloud.access import FILE, load_hosts
from govcloud.discovery.compare import os_family
from govcloud.execution.scene import mark_unsafe
from govcloud.model.access import HostAccess
from govcloud.model.ids import build_id, is_host_name
from govcloud.model.inventory import Inventory, System
from govcloud.model.plan import MigrationPlan, Wave
from govcloud.model.server import Server
from govcloud.store import plan as plan_store
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import Session

_RESERVED = {"all", "ungrouped", "localhost"}
"""Names that mean something of their own to Ansible."""
_FACTS = (
    "department", "zone", "environment", "os_name", "os_version", "arch", "cpu_count", "memory_gib", "disk_gib", "cloud",
    "tenant", "power",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsibleListing:
    groups: Mapping[str, tuple[str, ...]]
    """Group -> host names, both sorted."""
    meanings: Mapping[str, tuple[str, str]]
    """Group -> (department, system, wave, zone or os; its name as people write it)."""
    hosts: Mapping[str, Mapping[str, object]]
    """Host name -> variables: ansible_host, ansible_port, ansible_user, and facts named govcloud_*."""
    left_out: tuple[str, ...]
    """Servers without an address and not in hosts.yaml: Ansible would go and ask the DNS who that may be."""


def build_ansible_inventory(session: Session) -> dict[str, object]:
    """What `ansible-inventory -i SCRIPT --list` expects: groups, and all variables in `_meta`. Raises InputError.

    https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html#inventory-script-conventions
    """
    listing = list_for_ansible(session)
    return {
        "_meta": {"hostvars": {name: _marked(variables) for name, variables in listing.hosts.items()}},
        "all": {"hosts": list(listing.hosts), "children": list(listing.groups)},
        **{group: {"hosts": list(hosts)} for group, hosts in listing.groups.items()},
    }


def list_for_ansible(session: Session) -> AnsibleListing:
    """Every server that can be addressed, by department, system, wave of the newest plan, zone and operating system."""
    found = read_inventory(session)
    with session.store.read() as tx:
        plan = plan_store.latest_plan(tx)
    path = session.workspace.path / FILE
    access = _access(found.servers, load_hosts(path) if path.is_file() else ())
    reachable = [s for s in found.servers if s.server_id in access or s.addresses]
    names = _host_names(reachable, access)
    systems: dict[str, list[System]] = {}
    for system in found.systems:
        for server_id in system.servers:
            systems.setdefault(server_id, []).append(system)
    hosts, members, meanings = {}, dict[tuple[str, str], set[str]](), dict[tuple[str, str], str]()
    for server in reachable:
        name, runs = names[server.server_id], systems.get(server.server_id, [])
        waves = _waves(plan, runs)
        hosts[name] = _variables(server, access.get(server.server_id), runs, waves)
        for kind, key, meaning in _keys(server, runs, waves, found):
            members.setdefault((kind, key), set()).add(name)
            meanings[kind, key] = meaning
    groups = _group_names(members)
    return AnsibleListing(
        groups={groups[key]: tuple(sorted(members[key])) for key in sorted(members, key=lambda k: groups[k])},
        meanings={groups[key]: (key[0], meaning) for key, meaning in meanings.items()},
        hosts=dict(sorted(hosts.items())),
        left_out=tuple(sorted(s.name for s in found.servers if s.server_id not in names)),
    )


def _access(servers: Iterable[Server], hosts: Iterable[HostAccess]) -> dict[str, HostAccess]:
    """Server id -> its line of hosts.yaml: by name, or by an address that no other line and no other server has."""
    hosts, servers = list(hosts), list(servers)
    lines = Counter(h.address for h in hosts)
    owners = Counter(a for s in servers for a in s.addresses)
    by_name = {h.name: h for h in hosts}
    by_address = {h.address: h for h in hosts if lines[h.address] == 1 and owners[h.address] == 1}
    names = Counter(s.name.lower() for s in servers)
    found = {}
    for server in servers:
        name = server.name.lower()
        host = by_name.get(name) if names[name] == 1 else None
        host = host or next((by_address[a] for a in server.addresses if a in by_address), None)
        if host is not None:
            found[server.server_id] = host
    return found


def _host_names(servers: Iterable[Server], access: Mapping[str, HostAccess]) -> dict[str, str]:
    """hosts.yaml's name, the server's own where Ansible may have it and nobody shares it, or its id."""
    own = {}
    for server in servers:
        line, name = access.get(server.server_id), server.name.lower()
        usable = is_host_name(name) and name not in _RESERVED
        own[server.server_id] = line.name if line else name if usable else server.server_id.lower()
    shared = Counter(own.values())
    return {i: name if shared[name] == 1 else f"{name}-{i.lower()}" for i, name in own.items()}


def _waves(plan: MigrationPlan | None, systems: Iterable[System]) -> list[Wave]:
    found = {w.number: w for s in systems if plan and (w := plan.wave_of(s.system_id))}
    return [found[number] for number in sorted(found)]


def _variables(
    server: Server, access: HostAccess | None, systems: Iterable[System], waves: Iterable[Wave]
) -> dict[str, object]:  # fmt: skip
    if access is not None:
        reach: dict[str, object] = {
            "ansible_host": access.address, "ansible_port": access.port, "ansible_user": access.user,
        }  # fmt: skip
    else:
        reach = {"ansible_host": min(server.addresses, key=_preference)}
    facts = {name: getattr(server, name) for name in _FACTS}
    facts |= {
        "id": server.server_id, "name": server.name, "addresses": list(server.addresses),
        "systems": [s.name for s in systems], "system_ids": [s.system_id for s in systems],
        "waves": [w.number for w in waves],
        "wave_starts_at": next((w.window.starts_at.isoformat() for w in waves), None),
    }  # fmt: skip
    return {**reach, **{f"govcloud_{name}": value for name, value in sorted(facts.items()) if value not in (None, [])}}


def _preference(address: str) -> tuple[int, bool, str]:
    """IPv4 before IPv6, the office's own networks before public addresses."""
    parsed = ipaddress.ip_address(address)
    return parsed.version, not parsed.is_private, address


def _keys(
    server: Server, systems: Iterable[System], waves: Iterable[Wave], found: Inventory
) -> Iterable[tuple[str, str, str]]:  # fmt: skip
    """(kind of group, what it is for, in people's words)."""
    departments = {d.name: d.department_id for d in found.departments}
    for name in sorted({server.department, *(s.department for s in systems)} - {None}, key=str):
        yield "department", departments.get(str(name)) or build_id("D", str(name)), str(name)
    for system in systems:
        yield "system", system.system_id, system.name
    for wave in waves:
        yield "wave", str(wave.number), wave.window.opens_on.isoformat()
    if server.zone:
        yield "zone", server.zone, server.zone
    if server.os_name:
        version = re.search(r"\d+", server.os_version or "")
        product = f"{os_family(server.os_name)} {version[0] if version else ''}".strip()
        yield "os", product, product


def _group_names(keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """`system_sl_oa_01`; what can't be spelt so, or would be another's name, is told apart by a digest."""
    plain = {key: _plain(key) for key in keys}
    shared = Counter(plain.values())
    return {
        key: name if name and shared[name] == 1 else f"{key[0]}_{build_id('G', key[1])[2:]}"
        for key, name in plain.items()
    }


def _plain(key: tuple[str, str]) -> str:
    """The name in letters that Ansible allows; empty where something other than separators would be lost."""
    text = unicodedata.normalize("NFKC", key[1]).lower()
    if not text.isascii():
        return ""
    slug = re.sub(r"[^a-z0-9]+", "_", text).strip("_")
    return f"{key[0]}_{slug}" if slug else ""


def _marked(variables: Mapping[str, object]) -> dict[str, object]:
    return {name: mark_unsafe(value) for name, value in variables.items()}
