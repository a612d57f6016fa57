"""What each server needs by its use, and which offerings of the service catalog cover that at the lowest price. Pure.

Every line goes through the same check as a department's request, so nothing is proposed that the catalog does not have.
A core of today's server counts as one vCPU: generations of processors are not compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from govcloud.compliance.catalog_match import cost, find_problems, match_line
from govcloud.compliance.site_section import parse_section
from govcloud.model.catalog import Arch, Catalog, Offering, Zone
from govcloud.model.inventory import Inventory, System
from govcloud.model.regulation import Regulation
from govcloud.model.request import LineVerdict, RequestLine, RequestSpec, ResourceRequest
from govcloud.model.server import Server, is_domestic
from govcloud.model.sizing import ServerSizing, Size, Sizing, SizingBasis, SizingRules, SizingTotal
from govcloud.model.text import Text

_ARCHES: Mapping[str, Arch] = {
    "x86_64": "x86_64", "amd64": "x86_64", "x64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64",
    "loongarch64": "loongarch64", "mips64el": "mips64el", "mips64": "mips64el",
}  # fmt: skip
_LOCAL = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "jfs", "reiserfs", "f2fs", "ntfs", "vfat", "zfs"})


def parse_sizing_rules(section: Mapping[str, object], where: str = "govcloud.yaml") -> SizingRules:
    """The `sizing:` section. Raises InputError for unknown keys, wrong types and values that can't be meant."""
    return parse_section("sizing", section, SizingRules, _impossible, where)


def _impossible(rules: SizingRules) -> Iterator[Text]:
    for name in ("cpu_headroom_pct", "memory_headroom_pct", "disk_headroom_pct", "disk_growth_pct"):
        if not 0 <= getattr(rules, name) <= 1000:
            yield Text("{name} 应在 0 到 1000 之间", "{name} must be between 0 and 1000").format(name=name)
    for name in ("min_days", "min_samples", "growth_years", "disk_included_gib"):
        if getattr(rules, name) < 0:
            yield Text("{name} 不能为负", "{name} can't be negative").format(name=name)
    for name in ("min_vcpu", "min_memory_gib"):
        if getattr(rules, name) < 1:
            yield Text("{name} 至少为 1", "{name} must be at least 1").format(name=name)


def build_sizing(
    inventory: Inventory, catalog: Catalog, own: Regulation, rules: SizingRules, on: date, *,
    department: str | None = None, system_id: str | None = None,
) -> Sizing:  # fmt: skip
    """Servers of systems, each with the cheapest offerings that cover its need. `on`: the day of application."""
    sizer = _Sizer(inventory, catalog, own, rules, on)
    systems = [s for s in inventory.systems if system_id in (None, s.system_id)]
    wanted = {server_id for s in systems for server_id in s.servers}
    chosen = (
        sizer.server(server)
        for server in inventory.servers
        if server.server_id in wanted or (system_id is None and server.server_id not in sizer.on)
    )
    servers = tuple(
        sorted(
            (s for s in chosen if department in (None, s.department)),
            key=lambda s: (s.department or "", s.system_ids, s.name, s.server_id),
        )
    )
    return Sizing(
        catalog_id=catalog.catalog_id, official=catalog.official, rules=rules, servers=servers,
        systems=_totals(servers, lambda s: (s.department, s.system_ids)),
        departments=_totals(servers, lambda s: (s.department, ())),
    )  # fmt: skip


def build_request(sizing: Sizing, *, on: date, system: System | None, department: str) -> ResourceRequest | None:
    """The lines of all servers that fit as one application; None where nothing fits."""
    lines = [
        replace(v.line, line=number)
        for number, v in enumerate((v for s in sizing.servers for v in s.lines), start=1)
    ]  # fmt: skip
    if not lines:
        return None
    return ResourceRequest(
        department=department, system_id=system.system_id if system else None, system_name=system.name if system else None,
        applied_on=on, contact=system.contact if system else None, lines=tuple(lines),
    )  # fmt: skip


class _Sizer:
    def __init__(self, inventory: Inventory, catalog: Catalog, own: Regulation, rules: SizingRules, on: date) -> None:
        self.catalog, self.own, self.rules, self.day = catalog, own, rules, on
        self.kinds = {n.network_id: n.kind for n in inventory.networks}
        self.on: dict[str, list[System]] = {}
        for system in inventory.systems:
            for server_id in system.servers:
                self.on.setdefault(server_id, []).append(system)
        self.growth = _growth(inventory)
        self.machines = self._offered(rules.machine_class)
        self.storage = self._offered(rules.storage_class)
        self._menus: dict[tuple[Arch | None, bool, Zone], list[tuple[RequestSpec, str]]] = {}

    def _offered(self, service_class: str) -> list[Offering]:
        return [o for o in self.catalog.offerings if o.service_class == service_class and o.status == "active"]

    def server(self, server: Server) -> ServerSizing:
        systems = self.on.get(server.server_id, [])
        start = ServerSizing(
            server_id=server.server_id, name=server.name, system_ids=tuple(sorted(s.system_id for s in systems)),
            department=server.department or next((s.department for s in systems if s.department), None),
            nameplate=Size(vcpu=server.cpu_count, memory_gib=server.memory_gib, disk_gib=server.disk_gib),
            needed=Size(vcpu=None, memory_gib=None, disk_gib=None), days=server.utilisation_days,
            samples=server.utilisation_samples, arch=_ARCHES.get((server.arch or "").casefold()), domestic=is_domestic(server),
        )  # fmt: skip
        if reason := _not_sized(systems):
            return replace(start, why_not=(reason,))
        sized, notes = self._needed(start, server)
        if start.arch is None and server.arch is None and self.rules.assume_arch is not None:
            notes.append(
                Text("架构不明，按 {a} 计", "Architecture unknown, taken as {a}").format(a=self.rules.assume_arch)
            )
            sized = replace(sized, arch=self.rules.assume_arch)
        zone, assumed = self._zone(systems)
        if assumed:
            notes.append(Text("所在网络不明，按政务外网区计", "Network unknown, taken as the extranet zone"))
        return self._fitted(replace(sized, notes=tuple(notes)), zone)

    def _needed(self, start: ServerSizing, server: Server) -> tuple[ServerSizing, list[Text]]:
        """The size by use where the measurement covers enough, by the nameplate otherwise."""
        rules, notes = self.rules, list[Text]()
        days, samples = server.utilisation_days, server.utilisation_samples
        covered = (days or 0) >= rules.min_days and (samples is None or samples >= rules.min_samples)

        def need(total: float | None, p95_pct: float | None, headroom_pct: float) -> tuple[float | None, SizingBasis]:
            if total is None or p95_pct is None or not covered:
                return total, "nameplate"
            return total * p95_pct / 100 * (1 + headroom_pct / 100), "measured"

        vcpu, cpu_basis = need(server.cpu_count, server.cpu_p95_pct, rules.cpu_headroom_pct)
        memory, memory_basis = need(server.memory_gib, server.memory_p95_pct, rules.memory_headroom_pct)
        used = disk_used(server)
        disk_basis: SizingBasis = "nameplate" if used is None else "measured"
        disk = server.disk_gib
        if used is not None:
            growth = self.growth.get(server.server_id, used * rules.disk_growth_pct / 100)
            disk = (used + growth * rules.growth_years) * (1 + rules.disk_headroom_pct / 100)
        if cpu_basis == "nameplate" and server.cpu_p95_pct is not None and not covered:
            notes.append(
                Text("利用率只覆盖 {d} 天，不足 {m} 天或采样太少，按标称配置计", "Utilisation covers {d} days only, fewer than {m}, or too few samples: the nameplate is taken")
                .format(d=f"{days or 0:g}", m=f"{rules.min_days:g}")
            )  # fmt: skip
        return replace(
            start, needed=Size(vcpu=vcpu, memory_gib=memory, disk_gib=disk), cpu_basis=cpu_basis if vcpu is not None else None,
            memory_basis=memory_basis if memory is not None else None, disk_basis=disk_basis if disk is not None else None,
        ), notes  # fmt: skip

    def _zone(self, systems: Sequence[System]) -> tuple[Zone, bool]:
        kinds = {self.kinds.get(n) for s in systems for n in s.networks}
        if "internet" in kinds:
            return "internet", False
        if "intranet" in kinds and "extranet" not in kinds:
            return "gov_intranet", False
        return "gov_extranet", "extranet" not in kinds

    def _fitted(self, sized: ServerSizing, zone: Zone) -> ServerSizing:
        lacking = _lacking(sized)
        if lacking:
            return replace(sized, why_not=lacking)
        machine, why = self._machine(sized, sized.needed, zone)
        if machine is None:
            return replace(sized, why_not=why)
        notes = list(sized.notes)
        if sized.domestic and not self._is_domestic(machine):
            notes.append(
                Text("现为信创环境，目录中没有合适的国产规格", "It runs on domestic technology today; no domestic offering fits")
            )  # fmt: skip
        lines = [machine]
        disk, why = self._disk(sized, sized.needed, zone)
        if why:
            return replace(sized, why_not=why)
        if sized.needed.disk_gib is None:
            notes.append(Text("磁盘容量不明，未计磁盘", "Disk size unknown: no disk in the price"))
        lines += [disk] if disk else []
        return replace(
            sized, lines=tuple(lines), monthly_fen=_sum(lines), nameplate_fen=self._nameplate_fen(sized, zone), notes=tuple(notes),
        )  # fmt: skip

    def _nameplate_fen(self, sized: ServerSizing, zone: Zone) -> int | None:
        # The disk of the nameplate where it is known, else the same disk: a saving is never made up from what is unknown.
        plate = replace(sized.nameplate, disk_gib=sized.nameplate.disk_gib or sized.needed.disk_gib)
        machine, _ = self._machine(sized, plate, zone)
        disk, why = self._disk(sized, plate, zone)
        return None if machine is None or why else _sum([machine, *([disk] if disk else [])])

    def _machine(self, sized: ServerSizing, size: Size, zone: Zone) -> tuple[LineVerdict | None, tuple[Text, ...]]:
        vcpu, memory = max(size.vcpu or 0, self.rules.min_vcpu), max(size.memory_gib or 0, self.rules.min_memory_gib)
        for spec, code in self._menu(sized, zone):
            if (spec.vcpu or 0) >= vcpu and (spec.memory_gib or 0) >= memory:
                return self._checked(RequestLine(line=1, what=sized.name, quantity=1, code=code, spec=spec))
        if not self.machines:
            return None, (
                Text("目录中没有这类服务：{k}", "The catalog has no service of this kind: {k}").format(
                    k=self.rules.machine_class
                ),
            )
        need = Text("需要 {v} 核 {m} GiB", "It needs {v} vCPU and {m} GiB").format(v=_number(vcpu), m=_number(memory))
        refused = (self._refusal(o, sized, zone, vcpu, memory) for o in self.machines)
        return None, (need, *dict.fromkeys(refused))

    def _menu(self, sized: ServerSizing, zone: Zone) -> list[tuple[RequestSpec, str]]:
        """Every size that the catalog offers to such a server: domestic first where that is wished, then the cheapest."""
        key = (sized.arch, sized.domestic, zone)
        if key not in self._menus:
            found: list[tuple[tuple[bool, float, int, int, int], RequestSpec, str]] = []
            for number, offering in enumerate(self.machines):
                foreign = self.rules.prefer_domestic and sized.domestic and not offering.domestic
                for v, sizes in offering.memory_per_vcpu.items():
                    for m in sizes:
                        spec = RequestSpec(vcpu=v, memory_gib=m, arch=sized.arch, zone=zone)
                        line = RequestLine(line=1, what="", quantity=1, code=offering.code, spec=spec)
                        if not find_problems(line, offering):
                            price = cost(line, offering)[0]
                            rank = (foreign, math.inf if price is None else price, v, m, number)
                            found.append((rank, spec, offering.code))
            self._menus[key] = [(spec, code) for _, spec, code in sorted(found, key=lambda f: f[0])]
        return self._menus[key]

    def _refusal(self, offering: Offering, sized: ServerSizing, zone: Zone, vcpu: float, memory: float) -> Text:
        sizes = [(v, m) for v, pairs in offering.memory_per_vcpu.items() for m in pairs]
        if not sizes:
            return Text("{c} 没有写明核数和内存", "{c} states no vCPU and memory").format(c=offering.code)
        large = next(((v, m) for v, m in sizes if v >= vcpu and m >= memory), None)
        if large is None:
            return Text("{c} 最大 {v} 核 {m} GiB", "{c} goes up to {v} vCPU, {m} GiB").format(
                c=offering.code, v=max(sizes)[0], m=max(sizes)[1]
            )
        spec = RequestSpec(vcpu=large[0], memory_gib=large[1], arch=sized.arch, zone=zone)
        problems = find_problems(RequestLine(line=1, what="", quantity=1, spec=spec), offering)
        return Text("{c}：{why}", "{c}: {why}").format(c=offering.code, why=problems[0])

    def _disk(self, sized: ServerSizing, size: Size, zone: Zone) -> tuple[LineVerdict | None, tuple[Text, ...]]:
        gib = math.ceil(round((size.disk_gib or 0) - self.rules.disk_included_gib, 6))
        if gib <= 0:
            return None, ()
        fitting = []
        for number, offering in enumerate(self.storage):
            quantity = offering.min + max(0, -(-(gib - offering.min) // offering.step)) * offering.step
            line = RequestLine(
                line=1, what=f"{sized.name} 磁盘", quantity=quantity, code=offering.code, spec=RequestSpec(zone=zone)
            )  # fmt: skip
            if not find_problems(line, offering):
                price = cost(line, offering)[0]
                fitting.append(((math.inf if price is None else price, number), line))
        if not fitting:
            return None, (
                Text("没有能提供 {n} GiB 磁盘的服务项", "No offering provides a disk of {n} GiB").format(n=gib),
            )
        return self._checked(min(fitting, key=lambda pair: pair[0])[1])

    def _checked(self, line: RequestLine) -> tuple[LineVerdict | None, tuple[Text, ...]]:
        """The verdict that `check request` will give."""
        verdict = match_line(line, self.catalog, self.own, self.day)
        return (verdict, ()) if verdict.conforms else (None, verdict.reasons)

    def _is_domestic(self, verdict: LineVerdict) -> bool:
        offering = self.catalog.offering(verdict.code or "")
        return offering is not None and offering.domestic


def disk_used(server: Server) -> float | None:
    """GiB in use on the server's own file systems; shares are sized where they are served."""
    if server.disk_used_gib is not None:
        return server.disk_used_gib
    by_device = {
        f.device: f.used_gib for f in server.filesystems if f.used_gib is not None and (f.kind or "ext4").casefold() in _LOCAL
    }  # fmt: skip
    return sum(by_device.values()) if by_device else None


def _growth(inventory: Inventory) -> dict[str, float]:
    """GiB a year of each server: what its systems state, by the share of the data that lies on it."""
    used = {s.server_id: disk_used(s) or 0.0 for s in inventory.servers}
    growth: dict[str, float] = {}
    for system in inventory.systems:
        if system.data_growth_gib is None:
            continue
        own = [s for s in system.servers if s in used]
        total = sum(used[s] for s in own)
        for server_id in own:
            share = used[server_id] / total if total else 1 / len(own)
            growth[server_id] = growth.get(server_id, 0.0) + system.data_growth_gib * share
    return growth


def _not_sized(systems: Sequence[System]) -> Text | None:
    if any(s.classified for s in systems):
        return Text(
            "承载涉密系统，不进政务云", "It carries a classified system, which never moves to the government cloud"
        )
    if systems and all(s.lifecycle == "stopped" for s in systems):
        return Text("所承载的系统都已停用", "All systems on it have stopped")
    return None


def _lacking(sized: ServerSizing) -> tuple[Text, ...]:
    found = []
    if sized.needed.vcpu is None:
        found.append(Text("核数不明", "Number of cores unknown"))
    if sized.needed.memory_gib is None:
        found.append(Text("内存不明", "Memory unknown"))
    if sized.arch is None:
        found.append(Text("架构不明或目录不认识", "Architecture unknown, or unknown to the catalog"))
    return tuple(found)


def _sum(lines: Iterable[LineVerdict]) -> int | None:
    prices = [v.monthly_fen for v in lines]
    return None if any(p is None for p in prices) else sum(p for p in prices if p is not None)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


Key = tuple[str | None, tuple[str, ...]]


def _totals(servers: Sequence[ServerSizing], key: Callable[[ServerSizing], Key]) -> tuple[SizingTotal, ...]:
    """Each server counts once: one that several systems share stands in a line of its own."""
    groups: dict[Key, list[ServerSizing]] = {}
    for server in servers:
        groups.setdefault(key(server), []).append(server)
    return tuple(_total(k, groups[k]) for k in sorted(groups, key=lambda k: (k[0] or "", k[1])))


def _total(key: Key, group: Sequence[ServerSizing]) -> SizingTotal:
    machines = [s.lines[0].line.spec for s in group if s.lines]
    return SizingTotal(
        department=key[0], system_ids=key[1], servers=len(group), fitted=len(machines),
        vcpu=sum(m.vcpu or 0 for m in machines), memory_gib=sum(m.memory_gib or 0 for m in machines),
        disk_gib=sum(v.line.quantity for s in group for v in s.lines[1:]),
        monthly_fen=sum(s.monthly_fen or 0 for s in group), saving_fen=sum(s.saving_fen or 0 for s in group),
    )  # fmt: skip
