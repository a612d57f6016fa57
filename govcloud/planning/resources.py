"""What is scarce: windows, links, quotas of the target cloud, hands. Resources and how much of them a job takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from govcloud.model.plan_problem import JobKind, MoveTask, PlanResource
from govcloud.model.text import Text, same
from govcloud.planning.rules import FLAT_POOL, CapacityRule, PlanningRules, PoolRule

Quota = Literal["vcpus", "memory_gib", "disk_gib"]
_QUOTAS: Mapping[Quota, tuple[Text, Text]] = {
    "vcpus": (Text("虚拟处理器", "vCPUs"), Text("个", "vCPUs")),
    "memory_gib": (Text("内存", "memory"), same("GiB")),
    "disk_gib": (Text("存储", "storage"), same("GiB")),
}
_SYSTEMS = Text("个", "systems")
_WORK: Mapping[JobKind, Text] = {
    "adapt": Text("适配改造", "Adaptation"), "provision": Text("资源开通", "Provisioning"),
    "replicate": Text("数据复制", "Replication"), "rehearse": Text("演练", "Rehearsals"), "cutover": Text("割接", "Cutovers"),
    "trial": Text("试运行", "Trial runs"), "refile": Text("等保备案变更", "Updates of MLPS filings"),
    "accept": Text("验收", "Acceptances"), "takeover": Text("运维接管", "Takeovers"),
    "retention": Text("原环境保留", "Retentions"), "switch_off": Text("原环境下线", "Switch-offs"),
    "notice": Text("下线公告", "Notices"), "archive": Text("数据归档", "Archiving"), "close": Text("专网关停", "Closing of networks"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scarce:
    """The resources of a problem, and the demands on them."""

    resources: Mapping[str, PlanResource]
    rules: PlanningRules

    def parallel(self, kind: JobKind) -> tuple[tuple[str, int], ...]:
        key = f"parallel:{kind}"
        return ((key, 1),) if key in self.resources else ()

    def rate_mbps(self, link: str) -> int:
        """Speed of one group's copy."""
        stream = self.rules.activities.stream_mbps
        return min(stream, self.resources[link].amount) if link in self.resources else stream

    def links(self, links: Iterable[str]) -> list[tuple[str, int]]:
        return [(link, self.rate_mbps(link)) for link in sorted(links) if link in self.resources]

    def in_window(self, tasks: Sequence[MoveTask]) -> list[tuple[str, int]]:
        departments = Counter(f"department:{t.department}" for t in tasks)
        counts = {"systems": len(tasks), **{d: departments[d] for d in sorted(departments)}}
        return [(key, n) for key, n in counts.items() if key in self.resources]

    def quotas(self, tasks: Iterable[MoveTask]) -> list[tuple[str, int]]:
        """What the group takes of its pools, in whole GiB a system, as clouds sell it."""
        amounts: Counter[str] = Counter()
        for task in tasks:
            for quota, amount in _takes(task).items():
                amounts[f"pool:{task.pool}:{quota}"] += amount
        found = []
        for key in sorted(amounts):
            found += [(k, amounts[key]) for k in (key, f"{key}:month") if k in self.resources and amounts[key]]
        return found


def _takes(task: MoveTask) -> Mapping[Quota, int]:
    return {"vcpus": task.vcpus, "memory_gib": -(-task.memory_mib // 1024), "disk_gib": -(-task.disk_mib // 1024)}


def link_of(task: MoveTask, rule: CapacityRule) -> str:
    return f"link:{task.zone}" if task.zone in rule.links else f"link:{FLAT_POOL}"


def build_scarce(rules: PlanningRules, tasks: Iterable[MoveTask]) -> Scarce:
    """Only limits that people have stated, and of departments only those that could ever meet theirs."""
    capacity = rules.capacity
    found = [
        _resource(f"parallel:{kind}", Text("同时进行的{w}", "{w} at a time").format(w=_WORK[kind]), Text("项", "jobs"), "at_once", n)
        for kind, n in sorted(capacity.parallel.items())
    ]  # fmt: skip
    if capacity.systems_per_window is not None:
        title = Text("每个窗口的系统数", "Systems in a window")
        found.append(_resource("systems", title, _SYSTEMS, "per_window", capacity.systems_per_window))
    if (most := capacity.systems_per_department) is not None:
        title = Text("{d}每个窗口的系统数", "Systems of {d} in a window")
        of = Counter(t.department for t in tasks if t.department and t.path != "retire")
        found += [
            _resource(f"department:{d}", title.format(d=d), _SYSTEMS, "per_window", most)
            for d in sorted(of) if of[d] > most
        ]  # fmt: skip
    for link, mbps in _links(capacity):
        title = Text("链路 {l} 可用带宽", "Usable bandwidth of link {l}").format(l=link.removeprefix("link:"))
        found.append(_resource(link, title, same("Mbit/s"), "at_once", max(1, mbps * capacity.link_use_pct // 100)))
    for name, pool in rules.pools().items():
        found += _pool_resources(name, pool)
    return Scarce(resources={r.resource_id: r for r in found}, rules=rules)


def _links(capacity: CapacityRule) -> list[tuple[str, int]]:
    links = {f"link:{zone}": mbps for zone, mbps in capacity.links.items()}
    if capacity.link_mbps is not None:
        links.setdefault(f"link:{FLAT_POOL}", capacity.link_mbps)
    return sorted(links.items())


def _pool_resources(name: str, pool: PoolRule) -> list[PlanResource]:
    found = []
    for quota, (words, unit) in _QUOTAS.items():
        if (amount := getattr(pool, quota)) is not None:
            changes = tuple((c.starts_on, n) for c in pool.changes if (n := getattr(c, quota)) is not None)
            title = Text("资源池 {p} 的{q}配额", "Quota of pool {p}: {q}").format(p=name, q=words)
            found.append(_resource(f"pool:{name}:{quota}", title, unit, "total", amount, changes))
        if (amount := getattr(pool.monthly, quota)) is not None:
            title = Text("资源池 {p} 每月可开通的{q}", "Pool {p}, {q} that can be opened in a month").format(
                p=name, q=words
            )
            found.append(_resource(f"pool:{name}:{quota}:month", title, unit, "per_month", amount))
    return found


def _resource(
    resource_id: str,
    title: Text,
    unit: Text,
    scope: Literal["at_once", "per_window", "per_month", "total"],
    amount: int,
    changes: tuple[tuple[date, int], ...] = (),
) -> PlanResource:
    return PlanResource(resource_id=resource_id, title=title, unit=unit, scope=scope, amount=amount, changes=changes)
