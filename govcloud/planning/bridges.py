"""Where a group that no window can take is cut, so that its parts fit and the temporary connections cost least.

Finding the cheapest cut into parts of bounded size is NP-hard (graph partitioning), so this is a greedy one: keep the
dearest ties, as long as the part still fits, then move single systems over the border while that saves a bridge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from govcloud.model.plan_problem import Bridge, MoveTask
from govcloud.model.text import Text
from govcloud.planning.groups import Pair, Tie, components
from govcloud.planning.rules import BridgeRule

ROUNDS = 4
CAREFUL = 24
"""Up to so many systems a group is cut from several beginnings, and the cheapest cut is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one window takes of one group; None: no limit."""

    minutes: int
    systems: int | None = None
    of_department: int | None = None


@dataclass(slots=True)
class Load:
    """What a part of a group takes of a window."""

    minutes: int
    systems: int
    departments: Counter[str]

    def fits(self, other: Load, limits: Limits) -> bool:
        """Whether both together still go into one window."""
        if self.minutes + other.minutes > limits.minutes:
            return False
        if limits.systems is not None and self.systems + other.systems > limits.systems:
            return False
        most = limits.of_department
        few, many = sorted((self.departments, other.departments), key=len)
        return most is None or all(n + many[d] <= most for d, n in few.items() if d in many)

    def within(self, limits: Limits) -> bool:
        return Load(0, 0, Counter()).fits(self, limits) and (
            limits.of_department is None or max(self.departments.values(), default=0) <= limits.of_department
        )

    def add(self, other: Load, sign: int = 1) -> None:
        self.minutes += sign * other.minutes
        self.systems += sign * other.systems
        for department, n in other.departments.items():
            self.departments[department] += sign * n


def build_loads(tasks: Iterable[MoveTask]) -> Mapping[str, Load]:
    return {
        t.system_id: Load(t.cutover_min + t.reserve_min, 1, Counter([t.department] if t.department else ()))
        for t in tasks
    }


def cost_days(tie: Tie, rule: BridgeRule) -> int:
    return rule.base_days + rule.measured_days * tie.measured + rule.database_days * tie.database


def part_group(
    members: Sequence[str], ties: Iterable[Tie], loads: Mapping[str, Load], limits: Limits, rule: BridgeRule
) -> list[list[str]]:
    """The members in parts that fit into a window, each sorted, in order of their smallest system.

    A part that does not fit is one system, or systems that people want together. `loads`: of each member.
    """
    ties = list(ties)
    units = {m: unit[0] for unit in components(members, (t.pair for t in ties if t.agreed)) for m in unit}
    sizes = {u: Load(0, 0, Counter()) for u in units.values()}
    for member in members:
        sizes[units[member]].add(loads[member])
    weights: dict[Pair, int] = {}
    for tie in ties:
        a, b = sorted(units[m] for m in tie.pair)
        if a != b:
            weights[a, b] = weights.get((a, b), 0) + _weight(tie, rule)
    starts: list[dict[str, str]] = [{u: u for u in sizes}]
    if len(sizes) <= CAREFUL:
        # A greedy cut is as good as its beginning: begin at each tie in turn where that costs little time.
        starts += [
            {u: a if u == b else u for u in sizes} for a, b in sorted(weights) if sizes[a].fits(sizes[b], limits)
        ]
    found = [_settled(parts, sizes, weights, limits) for parts in starts]
    parts = min(found, key=lambda p: sum(w for (a, b), w in weights.items() if p[a] != p[b]))
    kept = [t.pair for t in ties if parts[units[t.pair[0]]] == parts[units[t.pair[1]]]]
    return components(members, [*kept, *((m, u) for m, u in units.items())])


def _settled(
    parts: Mapping[str, str], sizes: Mapping[str, Load], weights: Mapping[Pair, int], limits: Limits
) -> dict[str, str]:
    found = dict(parts)
    for _ in range(ROUNDS):
        before = found
        found = _shift(_merge(found, sizes, weights, limits), sizes, weights, limits)
        if found == before:
            break
    return found


def build_bridges(
    ties: Iterable[Tie], group_of: Mapping[str, str], rule: BridgeRule, limits: Limits
) -> tuple[Bridge, ...]:
    """One for each tie between two groups, sorted by its ends."""
    # Nearly all of them have one of two reasons; fifty thousand systems have that many bridges.
    usual = {seen: _reason(seen, (), limits) for seen in (False, True)}
    bridges = []
    for tie in ties:
        if group_of[tie.pair[0]] == group_of[tie.pair[1]]:
            continue
        links = sorted(tie.dependencies, key=lambda d: (d.dependency_id, d.source_id))
        source, target = (links[0].source_id, links[0].target_id) if links else tie.pair
        bridges.append(
            Bridge(
                dependency_ids=tuple(sorted({d.dependency_id for d in links})), source_id=source, target_id=target,
                measured=tie.measured, cost_days=cost_days(tie, rule), reason=_reason(tie.measured, tie.servers, limits) if tie.servers else usual[tie.measured],
            )
        )  # fmt: skip
    return tuple(sorted(bridges, key=lambda b: (b.source_id, b.target_id)))


def _reason(measured: bool, servers: Sequence[str], limits: Limits) -> Text:
    seen = Text("已观测到连接", "seen as a connection") if measured else Text("仅申报", "declared only")
    if servers:
        seen = Text("同用数据库服务器 {s}", "the same database server {s}").format(s=", ".join(servers))
    return Text(
        "所在强依赖组超出一个窗口的容量（{m} 分钟{s}），在此断开（{seen}）；两侧都迁完之前须临时打通",
        "Their group is more than one window takes ({m} minutes{s}); it is cut here ({seen}). Until both have moved they "
        "need a temporary connection",
    ).format(
        m=limits.minutes, seen=seen,
        s="" if limits.systems is None else Text("、{n} 个系统", ", {n} systems").format(n=limits.systems),
    )  # fmt: skip


def _weight(tie: Tie, rule: BridgeRule) -> int:
    """Days of work; among ties of the same work the one with less traffic is cut."""
    return cost_days(tie, rule) * 10**6 + min(tie.samples, 10**6 - 2) + 1


def _merge(
    parts: Mapping[str, str], sizes: Mapping[str, Load], weights: Mapping[Pair, int], limits: Limits
) -> dict[str, str]:
    """Join parts along what would be dearest to cut."""
    loads = _loads(parts, sizes)
    between: dict[Pair, int] = {}
    for (a, b), weight in weights.items():
        one, other = parts[a], parts[b]
        if one != other:
            pair = (one, other) if one < other else (other, one)
            between[pair] = between.get(pair, 0) + weight
    into = {p: p for p in loads}
    for one, other in sorted(between, key=lambda pair: (-between[pair], pair)):
        while into[one] != one:
            into[one] = one = into[into[one]]
        while into[other] != other:
            into[other] = other = into[into[other]]
        if one != other and loads[one].fits(loads[other], limits) and loads[one].within(limits):
            first, second = sorted((one, other))
            loads[first].add(loads[second])
            into[second] = first
    joined = {}
    for unit, part in parts.items():
        while into[part] != part:
            part = into[part]
        joined[unit] = part
    return joined


def _shift(
    parts: Mapping[str, str], sizes: Mapping[str, Load], weights: Mapping[Pair, int], limits: Limits
) -> dict[str, str]:
    """Move single systems to the part that they have more to do with, while it has room."""
    found = dict(parts)
    loads = _loads(parts, sizes)
    around: dict[str, list[tuple[str, int]]] = {}
    for (a, b), weight in weights.items():
        around.setdefault(a, []).append((b, weight))
        around.setdefault(b, []).append((a, weight))
    for _ in range(ROUNDS):
        moved = False
        for unit in sorted(around):
            pull: dict[str, int] = {}
            for other, weight in around[unit]:
                pull[found[other]] = pull.get(found[other], 0) + weight
            home = found[unit]
            for part in sorted(pull, key=lambda p: (-pull[p], p)):
                if pull[part] <= pull.get(home, 0):
                    break
                if part != home and loads[part].fits(sizes[unit], limits) and loads[part].within(limits):
                    loads[home].add(sizes[unit], -1)
                    loads[part].add(sizes[unit])
                    found[unit] = part
                    moved = True
                    break
        if not moved:
            break
    return found


def _loads(parts: Mapping[str, str], sizes: Mapping[str, Load]) -> dict[str, Load]:
    loads: dict[str, Load] = {}
    for unit, part in parts.items():
        loads.setdefault(part, Load(0, 0, Counter())).add(sizes[unit])
    return loads
