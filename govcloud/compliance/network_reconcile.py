"""What does not add up between the networks that were declared, the systems on them and what hosts show. Pure.

*Seen* means: a host that was logged in to has an address in a block of the network, or an interface, tunnel, gateway or
route that leads into it. A network counts as *unseen* only if hosts that could have shown it were logged in to: those of
its department and those of the systems on it. Where there were none, nobody looked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import get_args

from govcloud.compliance.network_blocks import Address, Block, BlockTable, build_overlaps
from govcloud.compliance.networks import remains, systems_by_network
from govcloud.model.inventory import Inventory, Network, System
from govcloud.model.network_evidence import NetworkEvidence
from govcloud.model.network_ledger import DifferenceKind, DifferenceWeight, NetworkDifference
from govcloud.model.server import Server
from govcloud.model.text import Text

EXTRANET_HINT = Block.of("59.192.0.0/10")
"""Addresses of the e-government extranet often lie here; no official list of allocations is public."""
_COMMON = re.compile(r"(电子)?政务[内外]网|[内外]网|互联网|因特网")
"""Networks that everybody uses and nobody's form has to declare."""
_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?![\d.])")
_NAMED = 4
_WEIGHTS: Mapping[DifferenceKind, DifferenceWeight] = {
    "closed_but_seen": "contradiction", "closed_but_used": "contradiction", "closed_before_built": "contradiction",
    "consent_ends_before_it_starts": "contradiction", "classified_to_extranet": "contradiction", "overlap": "contradiction",
    "unlisted_network": "gap", "unlisted_address": "gap", "unlisted_block": "gap", "unknown_system": "gap", "unseen": "gap",
    "same_block": "gap", "nested": "information", "not_looked": "information", "no_prefix": "information",
    "extranet_hint": "hint",
}  # fmt: skip


def build_differences(
    inventory: Inventory, evidence: Sequence[NetworkEvidence], as_of: date
) -> tuple[NetworkDifference, ...]:
    """Contradictions first, then gaps, information and hints. `evidence`: what hosts show, declared or not."""
    facts = _Facts(inventory, evidence, as_of)
    found = [
        *_contradictions(facts), *_overlaps(facts), *_unlisted(facts), *_unlisted_addresses(facts), *_unlisted_blocks(facts),
        *_unseen(facts), *_hints(facts),
    ]  # fmt: skip
    kinds = get_args(DifferenceKind)
    weights = get_args(DifferenceWeight)
    return tuple(
        sorted(
            found, key=lambda d: (weights.index(d.weight), kinds.index(d.kind), d.networks, d.prefix or "", d.text.zh)
        )
    )


def _difference(
    kind: DifferenceKind,
    text: Text,
    *,
    networks: tuple[str, ...] = (),
    others: tuple[str, ...] = (),
    systems: tuple[str, ...] = (),
    servers: tuple[str, ...] = (),
    prefix: str | None = None,
) -> NetworkDifference:
    return NetworkDifference(
        kind=kind, weight=_WEIGHTS[kind], text=text, networks=networks, others=others, systems=systems, servers=servers,
        prefix=prefix,
    )  # fmt: skip


class _Facts:
    """Everything looked up once."""

    def __init__(self, inventory: Inventory, evidence: Sequence[NetworkEvidence], as_of: date) -> None:
        self.inventory, self.as_of = inventory, as_of
        self.networks = {n.network_id: n for n in inventory.networks}
        self.servers = {s.server_id: s for s in inventory.servers}
        self.systems_on = systems_by_network(inventory)
        self.declared = [n for n in inventory.networks if n.kind not in ("cloud", "internet")]
        self.open = [n for n in self.declared if n.closed_on is None or n.closed_on > as_of]
        self.remaining = [n for n in self.open if remains(n, as_of)]
        self.closed = [n for n in self.declared if n.kind == "dedicated" and not remains(n, as_of)]
        self.clouds = _cloud_blocks(inventory.networks)
        self._outside: dict[str, tuple[Address, ...]] = {}
        self.seen = self._seen(evidence)

    def _seen(self, evidence: Sequence[NetworkEvidence]) -> dict[str, set[str]]:
        """Dedicated network -> ids of the servers that show it."""
        dedicated = [n for n in self.declared if n.kind == "dedicated"]
        table = BlockTable(dedicated)
        found: dict[str, set[str]] = {n.network_id: set() for n in dedicated}
        for trace in evidence:
            if trace.network_id in found:
                found[trace.network_id].add(trace.server_id)
        for server in self.inventory.servers:
            if server.seen and table:
                for address in self.outside_clouds(server):
                    for network_id in table.holders(address):
                        found[network_id].add(server.server_id)
        return found

    def outside_clouds(self, server: Server) -> tuple[Address, ...]:
        """Its addresses, without those inside a cloud that names it as a member: tenants use everybody's blocks."""
        found = self._outside.get(server.server_id)
        if found is None:
            found = tuple(map(Address.of, server.addresses))
            if blocks := self.clouds.get(server.server_id):
                found = tuple(
                    a for a in found if not any(b.holds(a.block(32 if a.version == 4 else 128)) for b in blocks)
                )
            self._outside[server.server_id] = found
        return found

    def name(self, network_id: str) -> str:
        network = self.networks[network_id]
        return f"{network_id} {network.name}"


def _cloud_blocks(networks: Sequence[Network]) -> dict[str, list[Block]]:
    found: dict[str, list[Block]] = {}
    for network in networks:
        if network.kind == "cloud":
            blocks = [Block.of(p) for p in network.prefixes]
            for server_id in network.servers:
                found.setdefault(server_id, []).extend(blocks)
    return found


def _system(system: System) -> str:
    return f"{system.system_id} {system.name}"


def _some(names: Sequence[str]) -> Text:
    """The first few, and how many there are."""
    first = Text("、".join(names[:_NAMED]), ", ".join(names[:_NAMED]))
    if len(names) <= _NAMED:
        return first
    rest = Text(str(len(names)), str(len(names) - _NAMED))
    return Text("{f} 等 {n} 个", "{f} and {n} more").format(f=first, n=rest)


def _contradictions(facts: _Facts) -> Iterator[NetworkDifference]:
    for network in facts.closed:
        yield from _closed(facts, network)
    for network in facts.declared:
        if network.kind != "dedicated":
            continue
        built, closed = network.built_on, network.closed_on
        if built is not None and closed is not None and closed < built:
            text = Text("{n} 撤销日期 {c} 早于建成日期 {b}", "{n} was closed on {c}, before it was built on {b}")
            yield _difference("closed_before_built", text.format(n=facts.name(network.network_id), c=closed, b=built),
                              networks=(network.network_id,))  # fmt: skip
        given, ends = network.consent_on, network.consent_valid_until
        if given is not None and ends is not None and ends < given:
            text = Text(
                "{n} 的同意在 {e} 到期，早于同意日期 {g}", "The consent to {n} ends on {e}, before it was given on {g}"
            )
            yield _difference("consent_ends_before_it_starts", text.format(n=facts.name(network.network_id), e=ends, g=given),
                              networks=(network.network_id,))  # fmt: skip
        if network.classified and network.target in ("extranet_public", "extranet_vpn"):
            text = Text(
                "涉密网络 {n} 的整合去向填为政务外网", "The classified network {n} has the extranet as its target"
            )
            yield _difference("classified_to_extranet", text.format(n=facts.name(network.network_id)),
                              networks=(network.network_id,))  # fmt: skip


def _closed(facts: _Facts, network: Network) -> Iterator[NetworkDifference]:
    """A closed network that hosts show after its day, or that systems in use still name."""
    if network.closed_on is None:
        return
    name = facts.name(network.network_id)
    since = tuple(sorted(s for s in facts.seen[network.network_id] if _looked_at(facts, s) > network.closed_on))
    if since:
        text = Text(
            "{n} 登记为 {c} 撤销，之后仍在主机 {s} 上见到",
            "{n} is recorded as closed on {c}; hosts showed it after that: {s}",
        )
        yield _difference("closed_but_seen", text.format(n=name, c=network.closed_on, s=_some([facts.servers[s].name for s in since])),
                          networks=(network.network_id,), servers=since)  # fmt: skip
    using = [s for s in facts.systems_on.get(network.network_id, ()) if s.lifecycle != "stopped"]
    if using:
        text = Text(
            "{n} 登记为 {c} 撤销，在用系统仍登记在其上：{s}",
            "{n} is recorded as closed on {c}; systems in use are still recorded on it: {s}",
        )
        yield _difference("closed_but_used", text.format(n=name, c=network.closed_on, s=_some([_system(s) for s in using])),
                          networks=(network.network_id,), systems=tuple(s.system_id for s in using))  # fmt: skip


def _looked_at(facts: _Facts, server_id: str) -> date:
    """Day on which the host last told of its network; the first of days where nobody noted it."""
    said = facts.inventory.evidence.get(server_id, {})
    days = [
        o.observed_at.date() for f in ("interfaces", "routes", "addresses") if (o := said.get(f)) and o.source == "ssh"
    ]
    return max(days, default=date.min)


def _overlaps(facts: _Facts) -> Iterator[NetworkDifference]:
    for found in build_overlaps(facts.open):
        owners = {facts.networks[i].department for i in (*found.networks, *found.within)}
        own = len(owners) == 1 and None not in owners
        prefix = found.block.prefix
        here = _some([facts.name(i) for i in found.networks])
        if len(found.networks) > 1:
            text = Text("同一网段 {p} 登记在 {n} 名下", "The same block {p} is declared for {n}").format(
                p=prefix, n=here
            )
            one_owner = len({facts.networks[i].department for i in found.networks} - {None}) <= 1
            yield _difference("same_block" if one_owner else "overlap", text, networks=found.networks, prefix=prefix)
        if found.within:
            text = Text("{n} 的网段 {p} 在 {o} 的网段之内", "The block {p} of {n} lies within a block of {o}").format(
                n=here, p=prefix, o=_some([facts.name(i) for i in found.within]))  # fmt: skip
            yield _difference(
                "nested" if own else "overlap", text, networks=found.networks, others=found.within, prefix=prefix
            )


def _unlisted(facts: _Facts) -> Iterator[NetworkDifference]:
    """Names of networks that no form declares, and names of systems that no census has."""
    known = {key for n in facts.inventory.networks for key in (n.network_id, n.name)}
    named: dict[str, list[System]] = {}
    for system in facts.inventory.systems:
        for key in system.networks:
            if key not in known and not _COMMON.fullmatch(key):
                named.setdefault(key, []).append(system)
    for key, systems in named.items():
        text = Text(
            "系统 {s} 填报在“{n}”上，网络台账中没有这个网络",
            "Systems {s} are declared on “{n}”, which the ledger does not have",
        )
        yield _difference("unlisted_network", text.format(s=_some([_system(s) for s in systems]), n=key),
                          systems=tuple(s.system_id for s in systems))  # fmt: skip
    systems_known = {key for s in facts.inventory.systems for key in (s.system_id, s.name)}
    for network in facts.remaining:
        strange = [s for s in network.systems if s not in systems_known]
        if strange:
            text = Text(
                "{n} 填报承载 {s}，系统清单中没有", "{n} is declared to carry {s}, which the census does not have"
            )
            yield _difference("unknown_system", text.format(n=facts.name(network.network_id), s=_some(strange)),
                              networks=(network.network_id,))  # fmt: skip


def _unlisted_addresses(facts: _Facts) -> Iterator[NetworkDifference]:
    """Addresses that systems state on a dedicated network, outside of the blocks of all dedicated networks."""
    table = BlockTable(n for n in facts.open if n.kind in ("dedicated", None))
    for system in facts.inventory.systems:
        for written in _ADDRESS.findall(system.dedicated_address or ""):
            try:
                block = Block.of(written)
            except ValueError:
                continue
            if not any(table.around(block)):
                text = Text("系统 {s} 填报的业务专网地址 {a} 不在任何已登记专网的网段内",
                            "System {s} states the address {a} on a dedicated network; no declared one has a block around it")  # fmt: skip
                yield _difference("unlisted_address", text.format(s=_system(system), a=written),
                                  systems=(system.system_id,), prefix=block.prefix)  # fmt: skip


def _unlisted_blocks(facts: _Facts) -> Iterator[NetworkDifference]:
    """Private addresses of systems' servers that no declared network covers, by /24 (IPv6: /64).

    Nothing where no network has told its blocks: then every address would be listed.
    """
    table = BlockTable(facts.declared)
    if not table:
        return
    found: dict[Block, tuple[dict[str, System], dict[str, None]]] = {}
    for system in facts.inventory.systems:
        for server in (facts.servers[s] for s in system.servers if s in facts.servers):
            for address in facts.outside_clouds(server):
                if table.covers(address):
                    continue
                block = address.block(24 if address.version == 4 else 64)
                if block not in found and not address.local:
                    continue
                systems, servers = found.setdefault(block, ({}, {}))
                systems[system.system_id], servers[server.server_id] = system, None
    for block, (systems, servers) in found.items():
        text = Text("{p} 中有系统 {s} 的服务器，没有任何登记的网络包含这些地址",
                    "Servers of {s} have addresses in {p}; no declared network covers them")  # fmt: skip
        yield _difference(
            "unlisted_block", text.format(p=block.prefix, s=_some([_system(s) for s in systems.values()])),
            systems=tuple(systems), servers=tuple(servers), prefix=block.prefix,
        )  # fmt: skip


def _unseen(facts: _Facts) -> Iterator[NetworkDifference]:
    looked = {s.server_id for s in facts.inventory.servers if s.seen}
    by_owner: dict[str | None, set[str]] = {}
    for server in facts.inventory.servers:
        if server.seen:
            by_owner.setdefault(server.department, set()).add(server.server_id)
    for system in facts.inventory.systems:
        by_owner.setdefault(system.department, set()).update(looked.intersection(system.servers))
    not_looked, no_prefix = [], []
    for network in facts.remaining:
        if facts.seen[network.network_id]:
            continue
        if not network.prefixes:
            no_prefix.append(network.network_id)
            continue
        could = {
            s for system in facts.systems_on.get(network.network_id, ()) for s in looked.intersection(system.servers)
        }
        count = len(could | (by_owner.get(network.department, set()) if network.department else set()))
        if count:
            text = Text("{n} 已填报，但本部门及其承载系统已登录核实的 {k} 台主机都没有显示它",
                        "{n} is declared, but none of the {k} hosts of its department and systems that were logged in to shows it")  # fmt: skip
            yield _difference(
                "unseen", text.format(n=facts.name(network.network_id), k=count), networks=(network.network_id,)
            )
        else:
            not_looked.append(network.network_id)
    if not_looked:
        text = Text(
            "{n}：相关主机都没有登录核实，不能说见到或没见到",
            "{n}: none of the hosts concerned was logged in to; nobody looked",
        )
        yield _difference(
            "not_looked", text.format(n=_some([facts.name(i) for i in not_looked])), networks=tuple(not_looked)
        )
    if no_prefix:
        text = Text(
            "{n}：没有填报网段，无法与主机核对", "{n}: no address blocks are declared, so hosts can't be compared"
        )
        yield _difference(
            "no_prefix", text.format(n=_some([facts.name(i) for i in no_prefix])), networks=tuple(no_prefix)
        )


def _hints(facts: _Facts) -> Iterator[NetworkDifference]:
    for network in facts.remaining:
        for prefix in network.prefixes:
            if EXTRANET_HINT.holds(Block.of(prefix)):
                text = Text("{n} 的网段 {p} 在 {h} 之内：政务外网常用此段，可能已在外网上；须核实，不能据此认定",
                            "The block {p} of {n} lies in {h}, which the extranet often uses: it may be on the extranet already. Find out; this proves nothing")  # fmt: skip
                yield _difference(
                    "extranet_hint", text.format(n=facts.name(network.network_id), p=prefix, h=EXTRANET_HINT.prefix),
                    networks=(network.network_id,), prefix=prefix,
                )  # fmt: skip
