"""What a person should know before trusting a plan: settings that miss, connections that must outlive a move, guesses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta

from govcloud.model.inventory import Dependency, Inventory
from govcloud.model.plan_problem import Path, Pin, PlanProblem
from govcloud.model.text import Text
from govcloud.planning.candidates import ON_CLOUD
from govcloud.planning.rules import PlanningRules

MOST = 20
"""Notes of one kind that are written out before the rest is counted."""
_GOES: Mapping[Path, Text] = {
    "consolidate": Text("整合", "is merged into another system"), "replace": Text("由其他服务替代", "is replaced"),
    "retire": Text("下线", "retires"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a problem was made from, as far as notes speak of it."""

    inventory: Inventory
    rules: PlanningRules
    links: Sequence[Dependency]
    zombies: Set[str]
    pins: Sequence[Pin]
    published_years: Set[int]


def build_notes(problem: PlanProblem, given: Given) -> tuple[Text, ...]:
    group_of = {s: g.group_id for g in problem.groups for s in g.system_ids}
    kinds = (
        _unknown_ids(given), _unknown_departments(given), _staying(problem, given), _going(problem, given),
        _agreements(problem, given, group_of), _pins(problem, given, group_of), _zombies(problem, given),
        _platform(problem, given), _networks(given), _merging(problem, given), _years(problem, given), _unseen(problem, given),
    )  # fmt: skip
    return tuple(note for notes in kinds for note in _first(list(notes)))


def _first(notes: Sequence[Text]) -> list[Text]:
    if len(notes) <= MOST + 1:
        return list(notes)
    rest = Text("（同类提示另有 {n} 条）", "({n} more notes of this kind)").format(n=len(notes) - MOST)
    return [*notes[:MOST], rest]


def _unknown_ids(given: Given) -> Iterator[Text]:
    rules, known = given.rules, {s.system_id for s in given.inventory.systems}
    named: dict[str, Iterable[str]] = {
        "durations": rules.durations, "lengths": rules.lengths, "targets": rules.targets, "priorities": rules.priorities,
        "skills": rules.skills, "pilots": rules.pilots, "adapt": rules.adapt, "system_pools": rules.system_pools,
        "hubs": rules.hubs.systems, "together": (s for t in rules.together for s in t),
        "apart": (s for a in rules.apart for s in a.systems),
        "freezes": (s for f in rules.freezes for s in (*f.systems, *f.exceptions)),
    }  # fmt: skip
    for name, ids in named.items():
        for system_id in sorted(set(ids) - known):
            yield Text(
                "配置 planning.{name} 提到的 {id} 不在清单中",
                "planning.{name} names {id}, which is not in the inventory",
            ).format(name=name, id=system_id)


def _unknown_departments(given: Given) -> Iterator[Text]:
    known = {s.department for s in given.inventory.systems} | {d.name for d in given.inventory.departments}
    for freeze in given.rules.freezes:
        for department in sorted(set(freeze.departments) - known):
            yield Text(
                "封网期“{f}”所限的部门 {d} 不在清单中",
                "The freeze “{f}” is for {d}, a department that is not in the inventory",
            ).format(f=freeze.title or freeze.name, d=department)


def _staying(problem: PlanProblem, given: Given) -> Iterator[Text]:
    staying = {e.system_id: e for e in problem.excluded if e.code not in ON_CLOUD}
    moving = {t.system_id for t in problem.tasks if t.path == "move"}
    for source, target in _pairs(given.links):
        if source in moving and target in staying:
            yield Text(
                "{a} 依赖的 {b} 不迁移（{why}），迁移后须打通网络",
                "{a} needs {b}, which does not move ({why}): the connection must work after the move",
            ).format(a=source, b=target, why=staying[target].reason)


def _going(problem: PlanProblem, given: Given) -> Iterator[Text]:
    path = {t.system_id: t.path for t in problem.tasks}
    for source, target in _pairs(given.links):
        if path.get(source) == "move" and path.get(target, "move") != "move":
            yield Text(
                "{a} 依赖的 {b} 将{goes}，须在其停用前改接",
                "{a} needs {b}, which {goes}: give it another source before that",
            ).format(a=source, b=target, goes=_GOES[path[target]])


def _pairs(links: Iterable[Dependency]) -> list[tuple[str, str]]:
    return sorted({(d.source_id, d.target_id) for d in links})


def _agreements(problem: PlanProblem, given: Given, group_of: Mapping[str, str]) -> Iterator[Text]:
    known = {s.system_id for s in given.inventory.systems}
    for systems in given.rules.together:
        if len({group_of[s] for s in systems if s in group_of}) > 1:
            yield Text(
                "约定同批的 {s} 处置方式不同，不能编为一组", "{s} were to move together, but don't go the same way"
            ).format(s=", ".join(systems))
        for system_id in sorted(set(systems) & known - group_of.keys()):
            yield Text("约定同批的 {s} 不在排期内", "{s} was to move together with others and is not planned").format(
                s=system_id
            )
    for apart in problem.apart:
        if apart.group_ids[0] == apart.group_ids[1]:
            yield Text(
                "约定不同批的系统同在一组（{g}），两者不能都满足：{why}",
                "Systems that were to be apart are in one group ({g}); both can't be had: {why}",
            ).format(g=apart.group_ids[0], why=apart.reason)


def _pins(problem: PlanProblem, given: Given, group_of: Mapping[str, str]) -> Iterator[Text]:
    for system_id in sorted({p.group_id for p in given.pins} - group_of.keys()):
        yield Text("人工固定的 {s} 不在排期内", "{s} was pinned and is not planned").format(s=system_id)
    count = Counter(p.group_id for p in problem.pins)
    for group_id in sorted(g for g, n in count.items() if n > 1):
        days = sorted({f"{p.opens_on} {p.crew or ''}".strip() for p in problem.pins if p.group_id == group_id})
        yield Text("组 {g} 有相互矛盾的固定：{d}", "Group {g} is pinned in contradictory ways: {d}").format(
            g=group_id, d="; ".join(days)
        )


def _zombies(problem: PlanProblem, given: Given) -> Iterator[Text]:
    planned = {t.system_id for t in problem.tasks}
    for system in given.inventory.systems:
        if system.system_id in planned & given.zombies and system.disposition not in (None, "retire"):
            yield Text(
                "{s} 已认定为僵尸系统，按下线排期；登记的处置方式与此不同，请核对",
                "{s} is a confirmed zombie and is planned to retire; another disposition is on record: check it",
            ).format(s=system.system_id)


def _platform(problem: PlanProblem, given: Given) -> Iterator[Text]:
    if given.rules.platform.mlps_level is None and any((t.mlps_level or 0) >= 2 for t in problem.tasks):
        yield Text(
            "云平台的等保级别未填（planning.platform.mlps_level），无法核对是否不低于各系统的级别",
            "The MLPS level of the platform is not stated (planning.platform.mlps_level): nobody knows whether it is high enough",
        )


def _networks(given: Given) -> Iterator[Text]:
    servers = {v for s in given.inventory.systems for v in s.servers}
    named = {n for s in given.inventory.systems for n in s.networks}
    for network in given.inventory.networks:
        open_ = network.kind == "dedicated" and network.closed_on is None and network.target != "keep"
        if open_ and not network.systems and servers.isdisjoint(network.servers) and named.isdisjoint(
            (network.network_id, network.name)
        ):  # fmt: skip
            yield Text(
                "业务专网 {n} 上没有登记任何系统，何时可以关停无从判断",
                "No system is known on the dedicated network {n}: when it can close can't be told",
            ).format(n=network.name)


def _merging(problem: PlanProblem, given: Given) -> Iterator[Text]:
    targets = {s.system_id: s.replaced_by for s in given.inventory.systems}
    for task in problem.tasks:
        if task.path == "consolidate" and not targets[task.system_id]:
            yield Text(
                "{s} 定为整合，但没有登记并入哪个系统（替代系统）",
                "{s} is to be merged, but into which system is not on record",
            ).format(s=task.system_id)


def _years(problem: PlanProblem, given: Given) -> Iterator[Text]:
    last = problem.starts_on + timedelta(weeks=problem.weeks)
    missing = [y for y in range(problem.starts_on.year, last.year + 1) if y not in given.published_years]
    if missing:
        years = ", ".join(map(str, missing))
        yield Text(
            "{y} 年放假安排没有公布或没有录入，先按周末计工作日，窗口标为暂定；公布后请重新排期",
            "The holidays of {y} are not published or not entered: working days go by weekends, windows are provisional; "
            "plan again once they are",
        ).format(y=years)


def _unseen(problem: PlanProblem, given: Given) -> Iterator[Text]:
    planned = {t.system_id for t in problem.tasks}
    servers = {s.server_id: s for s in given.inventory.servers}
    unseen = [
        f"{servers[server_id].name} ({system.system_id})"
        for system in given.inventory.systems if system.system_id in planned
        for server_id in sorted(set(system.servers)) if server_id in servers and not servers[server_id].seen
    ]  # fmt: skip
    if unseen:
        more = Text("{s} 等", "{s} and more") if len(unseen) > MOST else Text("{s}", "{s}")
        yield Text(
            "以下 {n} 台服务器只有填报，没有登录核实，迁移前须核实：{s}",
            "{n} servers are declared only; nobody has logged in to them. Do that before the move: {s}",
        ).format(n=len(unseen), s=more.format(s=", ".join(unseen[:MOST])))
