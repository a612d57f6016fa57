"""Which systems must move together, in which order, and where a group that is too large is best cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import networkx as nx

from govcloud.model.inventory import Dependency
from govcloud.model.plan import MoveGroup, PlanProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Two systems whose strong dependencies, made weak, would split a group."""

    system_ids: tuple[str, str]
    dependency_ids: tuple[str, ...]
    measured: bool
    """A connection was seen; a cut that was only declared is the easier one."""
    largest_part_min: int


def build_groups(system_ids: Iterable[str], strong: Iterable[tuple[str, str]]) -> tuple[MoveGroup, ...]:
    """Groups sorted by id. `strong` pairs are (needs, needed); inside a group what is needed comes first."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(system_ids))
    graph.add_edges_from(sorted((a, b) for a, b in strong if a in graph and b in graph))
    groups = []
    for members in nx.weakly_connected_components(graph):
        ordered = tuple(_needed_first(graph.subgraph(members)))
        groups.append(MoveGroup(group_id=min(ordered), system_ids=ordered))
    return tuple(sorted(groups, key=lambda g: g.group_id))


def needed_first(problem: PlanProblem) -> list[str]:
    """All group ids, the targets of weak links before their sources; groups in a cycle stand together."""
    group_of = {s: g.group_id for g in problem.groups for s in g.system_ids}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(g.group_id for g in problem.groups)
    graph.add_edges_from((group_of[k.source_id], group_of[k.target_id]) for k in problem.weak_links)
    return _needed_first(graph)


def _needed_first(graph: nx.DiGraph[str]) -> list[str]:
    """Nodes so that an edge's head stands before its tail: the longer the chain that waits for a node, the earlier.

    A cycle counts as one node; ties go by name.
    """
    condensed = nx.condensation(graph)
    waiting: dict[int, int] = {}
    for node in nx.topological_sort(condensed):
        waiting[node] = 1 + max((waiting[n] for n in condensed.predecessors(node)), default=-1)
    order = sorted(condensed, key=lambda n: (-waiting[n], min(condensed.nodes[n]["members"])))
    return [member for n in order for member in sorted(condensed.nodes[n]["members"])]


def propose_cut(group: MoveGroup, dependencies: Iterable[Dependency], minutes: Mapping[str, int]) -> Cut | None:
    """The pair to part so that the larger part gets as short as it can; None when no single pair parts the group.

    Pairs that were only declared are preferred over pairs between which a connection was measured.
    """
    between: dict[tuple[str, str], list[Dependency]] = {}
    for dependency in dependencies:
        ends = (dependency.source_id, dependency.target_id)
        if dependency.strength == "strong" and set(ends) <= set(group.system_ids) and ends[0] != ends[1]:
            between.setdefault((min(ends), max(ends)), []).append(dependency)
    graph: nx.Graph[str] = nx.Graph()
    graph.add_edges_from(between)
    cuts = []
    for bridge in list(nx.bridges(graph)):
        pair = (min(bridge), max(bridge))
        parted = nx.restricted_view(graph, [], [pair])
        largest = max(sum(minutes[s] for s in part) for part in nx.connected_components(parted))
        cuts.append(
            Cut(
                system_ids=pair,
                dependency_ids=tuple(sorted(d.dependency_id for d in between[pair])),
                measured=any(d.measured for d in between[pair]),
                largest_part_min=largest,
            )
        )
    return min(cuts, key=lambda c: (c.measured, c.largest_part_min, c.system_ids), default=None)
