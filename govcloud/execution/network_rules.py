"""A dedicated network's way into the extranet: firewall rules from declared flows, and what must be reachable. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from govcloud.model.text import Text

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Answer = Literal["open", "refused", "prohibited", "silent", "unreachable", "unknown"]
"""What came back, as module_utils/gov_knock.py says it; unknown: the probing host could not be asked."""


@dataclass(frozen=True, slots=True)
class Flow:
    """`tcp|udp source destination port` or `icmp source destination`."""

    protocol: str
    source: Network
    destination: Network
    port: int | None

    def __str__(self) -> str:
        ends = f"{self.protocol} {_short(self.source)} {_short(self.destination)}"
        return ends if self.port is None else f"{ends} {self.port}"

    def covers(self, cell: Cell) -> bool:
        source, destination = ipaddress.ip_address(cell.source), ipaddress.ip_address(cell.destination)
        same = self.protocol == cell.protocol and self.port == cell.port
        return same and source in self.source and destination in self.destination


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of the matrix: can this host's address reach that address and port."""

    host: str
    source: str
    protocol: str
    destination: str
    port: int | None

    def __str__(self) -> str:
        port = "" if self.port is None else f" {self.port}"
        return f"{self.protocol} {self.source} → {self.destination}{port}"


def parse_flow(text: str) -> Flow:
    """Raises ValueError for anything that is no flow."""
    protocol, source, destination, *rest = text.split()
    if protocol not in ("tcp", "udp", "icmp") or len(rest) != (protocol != "icmp"):
        raise ValueError(f"not a flow: {text}")
    port = int(rest[0]) if rest else None
    flow = Flow(protocol, ipaddress.ip_network(source), ipaddress.ip_network(destination), port)
    if flow.source.version != flow.destination.version or not 0 < (port or 1) < 65536:
        raise ValueError(f"not a flow: {text}")
    return flow


def table_name(network_id: str) -> str:
    """A name that nft takes, different for different ids."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", network_id)[:40]
    return f"govcloud_{plain}_{hashlib.sha256(network_id.encode()).hexdigest()[:6]}"


def render_rules(network: Mapping[str, Any], flows: Iterable[Flow]) -> str:
    """An nft script that replaces our table in one transaction (nft(8): add, delete, define again).

    What neither comes from the prefix nor goes to it is none of ours. Replies pass by their connection; every packet in a
    connection's own direction must belong to a declared flow, so connections from before the move end with it unless they
    are declared. Refusals are answered (RFC 1812 section 5.2.7.1, code 13): a program learns at once that it is not allowed.
    """
    prefix = ipaddress.ip_network(network["prefix"])
    name, family = table_name(network["network_id"]), _family(prefix)
    lines = [f"add table inet {name}", f"delete table inet {name}", f"table inet {name} {{", "  chain moved {"]
    lines += ["    ct state related accept", "    ct state established ct direction reply accept"]
    lines += [f"    {_match(flow)} accept" for flow in dict.fromkeys(flows)]
    lines += ["    counter reject with icmpx type admin-prohibited", "  }", "  chain forward {"]
    lines += ["    type filter hook forward priority -10; policy accept;"]
    lines += [f"    {family} {end} {prefix} jump moved" for end in ("saddr", "daddr")]
    return "\n".join([*lines, "  }", "}", ""])


def _match(flow: Flow) -> str:
    family = _family(flow.source)
    ends = f"{family} saddr {flow.source} {family} daddr {flow.destination}"
    if flow.protocol == "icmp":
        return f"{ends} {'icmpv6' if family == 'ip6' else 'icmp'} type echo-request"
    return f"{ends} {flow.protocol} dport {flow.port}"


def build_matrix(network: Mapping[str, Any], flows: Sequence[Flow], hosts: Mapping[str, str]) -> tuple[Cell, ...]:
    """What to try, from every host (name -> address) that has an address in some flow's source: all destinations and ports
    that any flow names, declared for this host or not, and a port that none names."""
    prefix = ipaddress.ip_network(network["prefix"])
    known = {name: ipaddress.ip_address(address) for name, address in sorted(hosts.items())}
    cells: dict[Cell, None] = {}
    for name, source in known.items():
        if not any(source in flow.source for flow in flows):
            continue
        for flow in flows:
            for destination in _destinations(flow, known.values()):
                if destination.version != source.version or destination == source:
                    continue
                if source in prefix or destination in prefix:
                    cells[Cell(name, str(source), flow.protocol, str(destination), flow.port)] = None
                    cells[Cell(name, str(source), "tcp", str(destination), _canary(flows))] = None
    return tuple(cells)


def unmeasured(flows: Iterable[Flow], cells: Sequence[Cell]) -> list[Flow]:
    """Flows that no host at hand can try."""
    return [flow for flow in flows if not any(flow.covers(cell) for cell in cells)]


def ways(flows: Iterable[Flow]) -> list[str]:
    """One address of each end: the router must know a way to all of them."""
    ends = (end for flow in flows for end in (flow.source, flow.destination))
    return sorted({str(end[0] if end.num_addresses == 1 else end[1]) for end in ends})


def judge_matrix(
    side: Literal["source", "target"], flows: Sequence[Flow], now: Mapping[Cell, Answer], before: Mapping[Cell, Answer]
) -> list[Text]:
    """target: declared is reachable, and as well as before; the rest is not. source: everything is as it was."""
    judged = (_moved(cell, answer, before.get(cell), flows) for cell, answer in now.items())
    if side == "source":
        judged = (_restored(cell, answer, before[cell]) for cell, answer in now.items() if cell in before)
    return [text for text in judged if text is not None]


def _moved(cell: Cell, now: Answer, before: Answer | None, flows: Sequence[Flow]) -> Text | None:
    declared = any(flow.covers(cell) for flow in flows)
    if now == "unknown":
        return Text("无法测量：{c}", "Can't be measured: {c}").format(c=cell)
    if not declared and passes(now):
        return Text("未申报却可达：{c}", "Reachable though not declared: {c}").format(c=cell)
    if declared and (before == "open" != now or not (passes(now) or _is_mute(cell, now))):
        return Text("已申报却不可达：{c}（{n}）", "Declared and not reachable: {c} ({n})").format(c=cell, n=now)
    return None


def _restored(cell: Cell, now: Answer, before: Answer) -> Text | None:
    if now == before or (passes(now) and passes(before) and before != "open"):
        return None
    if not passes(now) and not passes(before) and now != "unknown":
        return None
    return Text("恢复后与原来不同：{c}（原为 {b}，现为 {n}）", "Not as before: {c} (was {b}, is {n})").format(
        c=cell, b=before, n=now
    )


def passes(answer: Answer) -> bool:
    """The way is free: the address itself answered."""
    return answer in ("open", "refused")


def _is_mute(cell: Cell, answer: Answer) -> bool:
    """A UDP service need not answer what it does not understand."""
    return cell.protocol == "udp" and answer == "silent"


def _destinations(flow: Flow, known: Iterable[Address]) -> Iterator[Address]:
    if flow.destination.num_addresses == 1:
        yield flow.destination[0]
    else:
        yield from (address for address in known if address in flow.destination)


def _canary(flows: Sequence[Flow]) -> int:
    """A port that nobody declares (9 is "discard"): the block must be seen also where all declared ports are the same."""
    declared = {flow.port for flow in flows if flow.port is not None}
    return min(set(range(9, 65536)) - declared)


def _family(network: Network) -> str:
    return "ip6" if network.version == 6 else "ip"


def _short(network: Network) -> str:
    return str(network[0]) if network.num_addresses == 1 else str(network)
