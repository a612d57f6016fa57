"""Which systems must move together and why, which ones are shared services that bind nobody, and the order in a group.

An estate's strong ties are few lines in a workbook and one giant component in a graph: a single shared service or a few
back edges join everything (two per cent of back edges make components of hundreds). So hubs bind nobody, and what is
still too large for a window is cut (planning/bridges.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import pairwise

from govcloud.model.inventory import Dependency, Inventory
from govcloud.model.plan_problem import Hub, MoveGroup, Path
from govcloud.model.server import Server
from govcloud.model.text import Text
from govcloud.planning.rules import HubRule

Pair = tuple[str, str]
_DATABASE = re.compile(r"database|数据库", re.I)
_DATABASES = frozenset({
    "postgresql", "mysql", "mariadb", "oracle", "mssql", "db2", "mongodb", "dameng", "kingbase", "gaussdb", "gbase", "oscar",
    "oceanbase", "tidb", "clickhouse",
})  # fmt: skip
"""Names of database services as discovery writes them. Caches (redis, memcached) are rebuilt, not moved."""
SHOWN = 6
"""Pairs that a reason names before it counts the rest."""


@dataclass(slots=True, kw_only=True)
class Tie:
    """What binds two systems; `pair` is sorted."""

    pair: Pair
    dependencies: list[Dependency] = field(default_factory=list)
    servers: list[str] = field(default_factory=list)
    """Database servers that both use."""
    agreed: bool = False
    """People want the two in one window."""

    @property
    def measured(self) -> bool:
        return any(d.measured for d in self.dependencies)

    @property
    def database(self) -> bool:
        return bool(self.servers) or any(is_database(d) for d in self.dependencies)

    @property
    def samples(self) -> int:
        return sum(d.samples or 0 for d in self.dependencies)


def system_links(inventory: Inventory) -> tuple[Dependency, ...]:
    """Dependencies with servers replaced by the systems on them, sorted; a server without a system leads nowhere."""
    on: dict[str, list[str]] = {}
    for system in inventory.systems:
        on.setdefault(system.system_id, []).append(system.system_id)
        for server_id in system.servers:
            on.setdefault(server_id, []).append(system.system_id)
    found: dict[tuple[str, str, str], Dependency] = {}
    for d in inventory.dependencies:
        if not d.binds:
            continue
        for source in on.get(d.source_id, ()):
            for target in on.get(d.target_id, ()):
                if source != target:
                    same_ends = (source, target) == (d.source_id, d.target_id)
                    found[(d.dependency_id, source, target)] = (
                        d if same_ends else replace(d, source_id=source, target_id=target)
                    )
    return tuple(found[key] for key in sorted(found))


def is_database(dependency: Dependency) -> bool:
    return bool(dependency.kind and _DATABASE.search(dependency.kind))


def is_strong(dependency: Dependency) -> bool:
    """Declared strong, or work in the other's database that nobody has called weak: over a wide line that is another
    system."""
    return dependency.strength == "strong" or (dependency.strength is None and is_database(dependency))


def build_hubs(links: Iterable[Dependency], systems: int, rule: HubRule) -> tuple[Hub, ...]:
    """Systems that many others need, sorted by id. `systems`: size of the estate."""
    dependents: dict[str, set[str]] = {}
    for link in links:
        dependents.setdefault(link.target_id, set()).add(link.source_id)
    enough = max(rule.min_dependents, -(-systems * rule.share_pct // 100))
    named = set(rule.systems)
    found = [
        Hub(
            system_id=system_id, dependents=len(dependents.get(system_id, ())),
            reason=(_NAMED if system_id in named else _COUNTED).format(n=len(dependents.get(system_id, ())), m=enough),
        )
        for system_id in sorted(named | {s for s, needed in dependents.items() if len(needed) >= enough})
    ]  # fmt: skip
    return tuple(found)


def build_ties(
    links: Iterable[Dependency],
    inventory: Inventory,
    *,
    hubs: Set[str],
    together: Iterable[Sequence[str]],
    kinds: Mapping[str, object],
    many: int,
) -> Mapping[Pair, Tie]:
    """What binds systems into groups.

    `kinds`: planned system -> what it must have in common with the others of its group; `many`: a database server of so
    many systems is a shared service.
    """
    ties: dict[Pair, Tie] = {}

    def tie(a: str, b: str) -> Tie:
        pair = (a, b) if a < b else (b, a)
        return ties.setdefault(pair, Tie(pair=pair))

    for link in links:
        a, b = link.source_id, link.target_id
        if is_strong(link) and a not in hubs and b not in hubs and a in kinds and kinds[a] == kinds.get(b):
            tie(a, b).dependencies.append(link)
    for server_id, users in shared_databases(inventory).items():
        if len(users) < many:
            for a, b in _neighbours((u for u in users if u not in hubs), kinds):
                tie(a, b).servers.append(server_id)
    for systems in together:
        for a, b in _neighbours(systems, kinds):
            tie(a, b).agreed = True
    return ties


def _neighbours(systems: Iterable[str], kinds: Mapping[str, object]) -> list[Pair]:
    """Pairs that hold all systems of a kind together: each with the next one."""
    of: dict[object, list[str]] = {}
    for system_id in sorted(set(systems) & kinds.keys()):
        of.setdefault(kinds[system_id], []).append(system_id)
    return [pair for members in of.values() for pair in pairwise(members)]


def shared_databases(inventory: Inventory) -> Mapping[str, list[str]]:
    """Database server -> the systems on it, sorted, where there are two or more."""
    users: dict[str, list[str]] = {}
    for system in sorted(inventory.systems, key=lambda s: s.system_id):
        for server_id in system.servers:
            users.setdefault(server_id, []).append(system.system_id)
    return {
        s.server_id: users[s.server_id]
        for s in inventory.servers
        if len(users.get(s.server_id, ())) > 1 and _database(s)
    }


def _database(server: Server) -> bool:
    return not _DATABASES.isdisjoint(server.services) or any(p.name in _DATABASES for p in server.packages)


def components(nodes: Iterable[str], pairs: Iterable[Pair]) -> list[list[str]]:
    """Connected parts, each sorted, in order of their smallest member; near-linear and without recursion."""
    parent = {n: n for n in nodes}

    def root(n: str) -> str:
        while parent[n] != n:
            parent[n] = n = parent[parent[n]]
        return n

    for a, b in pairs:
        one, other = root(a), root(b)
        if one != other:
            parent[max(one, other)] = min(one, other)
    parts: dict[str, list[str]] = {}
    for n in sorted(parent):
        parts.setdefault(root(n), []).append(n)
    return [parts[key] for key in sorted(parts)]


def build_group(members: Sequence[str], path: Path, ties: Iterable[Tie]) -> MoveGroup:
    """`ties`: those between the members. What is needed is cut over first."""
    if len(members) == 1:
        return MoveGroup(group_id=members[0], system_ids=(members[0],), path=path)
    ties = list(ties)
    needs: dict[str, set[str]] = {m: set() for m in members}
    for tie in ties:
        for dependency in tie.dependencies:
            needs[dependency.source_id].add(dependency.target_id)
    circles = _circles(needs)
    return MoveGroup(
        group_id=min(members), system_ids=_needed_first(needs, circles), path=path, reasons=_reasons(ties, circles)
    )


def _reasons(ties: Sequence[Tie], circles: Sequence[Sequence[str]]) -> tuple[Text, ...]:
    """One line for each kind of tie."""
    kinds: tuple[tuple[Text, list[str]], ...] = (
        (_STRONG, _arrows(ties, lambda d: d.strength == "strong")),
        (_DATABASE_USE, _arrows(ties, lambda d: d.strength != "strong")),
        (_SERVER, sorted({f"{s}: {a}, {b}" for t in ties for a, b in [t.pair] for s in t.servers})),
        (_AGREED, sorted(f"{a}, {b}" for t in ties for a, b in [t.pair] if t.agreed)),
        (_CIRCLE, [" ⇄ ".join(c) for c in circles if len(c) > 1]),
    )
    return tuple(words.format(n=len(found), s=_some(found)) for words, found in kinds if found)


def _arrows(ties: Iterable[Tie], wanted: Callable[[Dependency], bool]) -> list[str]:
    return sorted({f"{d.source_id} → {d.target_id}" for t in ties for d in t.dependencies if wanted(d)})


def _some(found: Sequence[str]) -> Text:
    shown = Text("；".join(found[:SHOWN]), "; ".join(found[:SHOWN]))
    rest = len(found) - SHOWN
    return Text("{s}；另有 {n} 条", "{s}; and {n} more").format(s=shown, n=rest) if rest > 0 else shown


def _needed_first(needs: Mapping[str, Set[str]], circles: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The longer the chain that waits for a system, the earlier; a circle counts as one, ties go by name."""
    of = {member: n for n, circle in enumerate(circles) for member in circle}
    waiting = [0] * len(circles)
    # Circles come with what they need before them: from the last one every chain is complete when it is looked at.
    for n in range(len(circles) - 1, -1, -1):
        for needed in {of[t] for m in circles[n] for t in needs[m]} - {n}:
            waiting[needed] = max(waiting[needed], waiting[n] + 1)
    order = sorted(range(len(circles)), key=lambda n: (-waiting[n], circles[n][0]))
    return tuple(member for n in order for member in circles[n])


def _circles(needs: Mapping[str, Set[str]]) -> list[list[str]]:
    """Strongly connected components (Tarjan 1972, without recursion), each sorted, what is needed before what needs it."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    placed: set[str] = set()
    found: list[list[str]] = []
    for start in sorted(needs):
        if start in index:
            continue
        index[start] = low[start] = len(index)
        stack.append(start)
        work = [(start, iter(sorted(needs[start])))]
        while work:
            node, rest = work[-1]
            if (following := next(rest, None)) is not None:
                if following not in index:
                    index[following] = low[following] = len(index)
                    stack.append(following)
                    work.append((following, iter(sorted(needs[following]))))
                elif following not in placed:
                    low[node] = min(low[node], index[following])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == index[node]:
                circle = [stack.pop()]
                while circle[-1] != node:
                    circle.append(stack.pop())
                found.append(sorted(circle))
                placed.update(circle)
    return found


_NAMED = Text(
    "人工指定的共享服务，{n} 个系统依赖它；单独迁移，不绑定其他系统",
    "Named as a shared service; {n} systems need it. It moves for itself and binds nobody",
)
_COUNTED = Text(
    "{n} 个系统依赖它（共享服务界线 {m} 个）；单独迁移，不绑定其他系统",
    "{n} systems need it (a shared service from {m} on). It moves for itself and binds nobody",
)
_STRONG = Text("强依赖 {n} 条：{s}", "Strong dependencies ({n}): {s}")
_DATABASE_USE = Text("直接使用对方数据库 {n} 条：{s}", "Work in the other's database ({n}): {s}")
_SERVER = Text("同用数据库服务器 {n} 处：{s}", "The same database server ({n}): {s}")
_AGREED = Text("约定同批 {n} 对：{s}", "Agreed to move together ({n}): {s}")
_CIRCLE = Text("循环依赖 {n} 处：{s}", "Circles of dependencies ({n}): {s}")
