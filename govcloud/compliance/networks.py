"""Dedicated networks that are still there, who is on them, and what stands in the way of closing them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from govcloud.model.inventory import Inventory, Network, System
from govcloud.model.network_ledger import Closing, Exemption, NetworkTotals, NetworkTrend, RemainingNetwork
from govcloud.model.plan import MigrationPlan, Wave
from govcloud.model.regulation import Finding
from govcloud.model.text import Text, same


def remains(network: Network, on: date) -> bool:
    """A dedicated network that was not closed by that day."""
    return network.kind == "dedicated" and (network.closed_on is None or network.closed_on > on)


def build_remaining_networks(
    inventory: Inventory, as_of: date, *, findings: Sequence[Finding] = (), plan: MigrationPlan | None = None
) -> tuple[RemainingNetwork, ...]:
    """Every dedicated network that was not closed by that day, by department. `findings`: of any networks."""
    on_it = systems_by_network(inventory)
    claimed = {server_id for system in inventory.systems for server_id in system.servers}
    free = {s.server_id: s.name for s in inventory.servers if s.server_id not in claimed}
    told: dict[str, list[Finding]] = {}
    for finding in findings:
        told.setdefault(finding.subject_id, []).append(finding)
    timetable = _Timetable(plan)
    rows = []
    for network in inventory.networks:
        if remains(network, as_of):
            systems = on_it.get(network.network_id, ())
            orphans = tuple(free[s] for s in network.servers if s in free)
            closing = timetable.closing([s for s in systems if _stays(s)])
            exemption = build_exemption(network, as_of)
            stays = exemption is not None and exemption.state == "founded"
            rows.append(RemainingNetwork(
                network=network, systems=tuple(_name(s) for s in systems), servers=orphans,
                blockers=() if stays else _blockers(network, systems, orphans, closing, as_of), closing=closing,
                exemption=exemption, findings=tuple(told.get(network.network_id, ())),
            ))  # fmt: skip
    return tuple(sorted(rows, key=lambda r: (r.network.department or "", r.network.network_id)))


def build_closed_networks(inventory: Inventory, as_of: date) -> tuple[Network, ...]:
    """Dedicated networks that were closed by that day, the last one first."""
    closed = [n for n in inventory.networks if n.kind == "dedicated" and not remains(n, as_of)]
    return tuple(sorted(closed, key=lambda n: (-(n.closed_on or date.min).toordinal(), n.network_id)))


def systems_by_network(inventory: Inventory) -> dict[str, tuple[System, ...]]:
    """Network id -> the systems that name it (by id or, where only one network has it, by name) or have a server on it."""
    ids: dict[str, list[str]] = {}
    for network in inventory.networks:
        for key in {network.network_id, network.name}:
            ids.setdefault(key, []).append(network.network_id)
    here: dict[str, list[str]] = {}
    for network in inventory.networks:
        for server_id in network.servers:
            here.setdefault(server_id, []).append(network.network_id)
    found: dict[str, list[System]] = {}
    for system in inventory.systems:
        named = {n for key in system.networks if len(of := ids.get(key, ())) == 1 for n in of}
        for network_id in named | {n for server_id in system.servers for n in here.get(server_id, ())}:
            found.setdefault(network_id, []).append(system)
    return {network_id: tuple(systems) for network_id, systems in found.items()}


def _name(system: System) -> str:
    return f"{system.system_id} {system.name}"


def _stays(system: System) -> bool:
    """It has neither stopped nor moved to the government cloud."""
    return system.lifecycle != "stopped" and system.hosting != "gov_cloud"


class _Timetable:
    """The plan, looked up by system."""

    def __init__(self, plan: MigrationPlan | None) -> None:
        self.plan = plan
        self.waves: dict[str, Wave] = {m.system_id: w for w in plan.waves for m in w.moves} if plan else {}
        self.reasons: dict[str, Text] = {}
        if plan is not None:
            self.reasons = {u.system_id: u.reason for u in plan.unplaced}
            self.reasons |= {e.system_id: e.reason for e in plan.problem.excluded}

    def closing(self, systems: Sequence[System]) -> Closing:
        moving = sorted((s for s in systems if s.system_id in self.waves), key=lambda s: self._wave(s).number)
        last = self._wave(moving[-1]) if moving else None
        return Closing(
            planned=self.plan is not None, moving=tuple(s.system_id for s in moving),
            unplanned=tuple(self._unplanned(s) for s in systems if s.system_id not in self.waves),
            wave=last.number if last else None, on=last.window.opens_on if last else None,
        )  # fmt: skip

    def _wave(self, system: System) -> Wave:
        return self.waves[system.system_id]

    def _unplanned(self, system: System) -> Text:
        unknown = Text("计划中没有这个系统", "the plan does not know it")
        reason = self.reasons.get(system.system_id, unknown if self.plan else None)
        if reason is None:
            return same(_name(system))
        return Text("{s}（{why}）", "{s} ({why})").format(s=_name(system), why=reason)


def build_exemption(network: Network, as_of: date) -> Exemption | None:
    """What a stay rests on. None where nobody asks for one: another target, or none and no basis with a consent.

    SX17-2.3 leaves "very few special cases"; SX19-11e and JC22-11e want a basis in law and the authority's consent. A
    consent counts through its last day.
    """
    consented = network.consent_body or network.consent_document
    if network.target != "keep" and not (network.target is None and network.legal_basis and consented):
        return None
    pieces = (
        (network.legal_basis, Text("建设依据", "legal basis")),
        (network.consent_body, Text("同意部门", "consenting body")),
        (network.consent_document, Text("同意文件", "consent document")),
    )
    missing = [
        (Text("{p}未登记", "no {p} on record") if value is None else Text("填报没有{p}", "declared to have no {p}")).format(p=piece)
        for value, piece in pieces if not value
    ]  # fmt: skip
    if network.consent_on is not None and network.consent_on > as_of:
        missing.append(Text("同意日期 {d} 还没有到", "the consent is dated {d}, which is still to come").format(
            d=network.consent_on.isoformat()))  # fmt: skip
    remarks = []
    ended = network.consent_valid_until is not None and network.consent_valid_until < as_of
    if network.consent_valid_until is None:
        remarks.append(Text("同意的有效期未登记", "no last day of the consent on record"))
    if network.target is None:
        remarks.append(
            Text("整合去向未填，按依据和同意文件列入", "no target is stated; listed for its basis and consent")
        )
    if ended:
        lapsed = Text("同意已于 {d} 到期", "the consent ended on {d}").format(d=network.consent_valid_until)
        return Exemption(state="unfounded" if missing else "lapsed", missing=(*missing, lapsed), remarks=tuple(remarks))
    return Exemption(state="unfounded" if missing else "founded", missing=tuple(missing), remarks=tuple(remarks))


def _blockers(
    network: Network, systems: Sequence[System], orphans: Sequence[str], closing: Closing, as_of: date
) -> tuple[Text, ...]:
    found = []
    for system in systems:
        if _stays(system):
            found.append(Text("系统 {s} 尚未迁离", "System {s} has not moved off").format(s=_name(system)))
        elif system.lifecycle != "stopped":
            found.append(
                Text(
                    "系统 {s} 已在政务云，登记仍在此网：核实是否还在用",
                    "System {s} runs on the government cloud and is still recorded here: find out whether it still uses the network",
                ).format(s=_name(system))
            )
    if orphans:
        found.append(
            Text(
                "服务器 {s} 不属于任何已知系统，先查清用途", "No known system owns server {s}: find out what it does"
            ).format(s=", ".join(orphans))
        )
    if not systems and not orphans:
        found.append(
            Text(
                "承载什么系统未知，先查清谁在用", "What runs on it is not known: find out who uses it before it is cut"
            )
        )
    if network.level == "superior":
        found.append(Text("属上级专网，撤并须与上级部门商定", "It belongs to a higher level, which has to agree"))
    if network.target is None:
        found.append(Text("归并去向未确定", "No target is decided"))
    elif network.target != "keep":
        found += _dates(network, closing, as_of)
    if network.contract_ends_on is not None and network.contract_ends_on > as_of:
        found.append(
            Text("线路合同至 {day}", "The line contract runs until {day}").format(
                day=network.contract_ends_on.isoformat()
            )
        )
    return tuple(found)


def _dates(network: Network, closing: Closing, as_of: date) -> list[Text]:
    due = network.target_on
    if due is None:
        return [Text("没有计划日期", "No date is planned")]
    found = []
    if due < as_of:
        found.append(Text("计划日期 {d} 已过", "The planned date {d} has passed").format(d=due.isoformat()))
    if closing.on is not None and closing.on > due:
        late = Text("排期第 {w} 批（{on}）晚于计划日期 {d}", "Wave {w} ({on}) is later than the planned date {d}")
        found.append(late.format(w=closing.wave, on=closing.on.isoformat(), d=due.isoformat()))
    return found


def build_totals(networks: Sequence[Network], key: Callable[[Network], str | None]) -> tuple[NetworkTotals, ...]:
    """A row a group, those that name none last."""
    groups: dict[str | None, list[Network]] = {}
    for network in networks:
        groups.setdefault(key(network), []).append(network)
    return tuple(sum_networks(groups[name], name) for name in sorted(groups, key=lambda n: (n is None, n or "")))


def sum_networks(networks: Sequence[Network], group: str | None = None) -> NetworkTotals:
    bandwidth = [n.bandwidth_mbps for n in networks if n.bandwidth_mbps is not None]
    nodes = [n.nodes for n in networks if n.nodes is not None]
    cost = [n.yearly_cost_yuan for n in networks if n.yearly_cost_yuan is not None]
    count = len(networks)
    return NetworkTotals(
        group=group, networks=count, bandwidth_mbps=sum(bandwidth), bandwidth_unknown=count - len(bandwidth),
        nodes=sum(nodes), nodes_unknown=count - len(nodes), yearly_cost_yuan=sum(cost), cost_unknown=count - len(cost),
    )  # fmt: skip


def build_trend(
    before: Sequence[Network], now: Sequence[Network], *, label: str, then_on: date, as_of: date
) -> NetworkTrend:
    """`before`: all networks of the snapshot, judged by its own day."""
    old: Mapping[str, Network] = {n.network_id: n for n in before if remains(n, then_on)}
    new = {n.network_id: n for n in now if remains(n, as_of)}
    shut = {n.network_id for n in now if n.kind == "dedicated" and not remains(n, as_of)}
    gone = [n for i, n in old.items() if i not in new]
    return NetworkTrend(
        label=label, then_on=then_on, then=sum_networks(list(old.values())), now=sum_networks(list(new.values())),
        closed=_names(n for n in gone if n.network_id in shut),
        vanished=_names(n for n in gone if n.network_id not in shut),
        added=_names(n for i, n in new.items() if i not in old),
    )  # fmt: skip


def _names(networks: Iterable[Network]) -> tuple[str, ...]:
    return tuple(f"{n.network_id} {n.name}" for n in sorted(networks, key=lambda n: n.network_id))
