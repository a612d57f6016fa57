"""A group that no window takes is cut where it costs least, into parts that fit, and what people want together is never cut."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from estates import estate, minutes, problem, strong, system
from hypothesis import given
from hypothesis import strategies as st

from govcloud.model.plan_problem import PlanProblem
from govcloud.planning.bridges import Limits, Load, build_loads, cost_days, part_group
from govcloud.planning.groups import Tie, build_ties, components, system_links
from govcloud.planning.rules import BridgeRule


def groups(made: PlanProblem) -> list[tuple[str, ...]]:
    return [tuple(sorted(g.system_ids)) for g in made.groups]


def chain(*lengths: int, **measured: bool) -> PlanProblem:
    ids = "ABCDEF"[: len(lengths)]
    links = [strong(a, b, measured=measured.get(a + b, False)) for a, b in pairwise(ids)]
    return problem(
        map(system, ids), links, windows=[{"minutes": 300}],
        durations=minutes(**{i: (n - 10, 10) for i, n in zip(ids, lengths, strict=True)}),
    )  # fmt: skip


def test_a_tie_that_was_only_declared_is_cut_before_one_that_was_seen() -> None:
    made = chain(150, 150, 150, AB=True)
    assert groups(made) == [("A", "B"), ("C",)]
    (bridge,) = made.bridges
    assert (bridge.source_id, bridge.target_id, bridge.measured, bridge.cost_days) == ("B", "C", False, 3)
    assert bridge.dependency_ids == ("D-B-C",)
    assert "300 minutes" in bridge.reason.en and "仅申报" in bridge.reason.zh


def test_a_database_tie_is_the_last_to_be_cut_and_costs_most() -> None:
    links = [strong("A", "B"), strong("B", "C", kind="数据库"), strong("C", "D")]
    made = problem(
        map(system, "ABCD"), links, windows=[{"minutes": 300}], durations=minutes(**dict.fromkeys("ABCD", (100, 50)))
    )
    assert groups(made) == [("A",), ("B", "C"), ("D",)]
    assert [b.cost_days for b in made.bridges] == [3, 3]


def test_of_two_equal_ties_the_one_with_less_traffic_is_cut() -> None:
    links = [strong("A", "B", measured=True, samples=5), strong("B", "C", measured=True, samples=500)]
    made = problem(
        map(system, "ABC"), links, windows=[{"minutes": 300}], durations=minutes(**dict.fromkeys("ABC", (100, 50)))
    )
    assert groups(made) == [("A",), ("B", "C")]


def test_two_systems_that_need_each_other_are_parted_by_both_dependencies() -> None:
    made = problem(map(system, "AB"), [strong("A", "B"), strong("B", "A")], durations=minutes(A=(200, 0), B=(150, 0)))
    assert [b.dependency_ids for b in made.bridges] == [("D-A-B", "D-B-A")]
    assert {(k.source_id, k.target_id) for k in made.weak_links} == {("A", "B"), ("B", "A")}


def test_a_ring_that_no_single_pair_parts_is_cut_at_two() -> None:
    links = [strong("A", "B"), strong("B", "C"), strong("C", "A")]
    made = problem(map(system, "ABC"), links, durations=minutes(**dict.fromkeys("ABC", (100, 20))))
    assert len(made.groups) == 2 and len(made.bridges) == 2


def test_a_system_that_no_window_takes_is_left_alone_so_that_its_neighbours_can_move() -> None:
    made = chain(60, 400, 60)
    assert groups(made) == [("A",), ("B",), ("C",)]


def test_groups_are_also_cut_by_number_and_by_department() -> None:
    """Four systems of one department in a group could not move where the office allows two of them a night."""
    links = [strong("A", "B"), strong("B", "C"), strong("C", "D")]
    systems = [system(s, department="示例局", data_gib=0.0) for s in "ABCD"]
    long = [{"minutes": 1440}]
    for rules in (
        {"groups": {"max_systems": 2}},
        {"capacity": {"systems_per_window": 2}},
        {"capacity": {"systems_per_department": 2}},
    ):
        assert [len(g) for g in groups(problem(systems, links, windows=long, **rules))] == [2, 2]


def test_where_weak_dependencies_are_demands_a_cut_tie_is_none() -> None:
    """Both ways it would demand one window for what was cut because it doesn't go into one."""
    links = [strong("A", "B"), strong("B", "A")]
    durations = minutes(A=(200, 0), B=(150, 0))
    made = problem(map(system, "AB"), links, durations=durations, weak_dependencies="require")
    assert len(made.bridges) == 1 and not made.weak_links


nodes = st.integers(0, 11)
ties = st.lists(st.tuples(nodes, nodes).filter(lambda e: e[0] < e[1]), max_size=40, unique=True)


@given(
    ties,
    st.lists(st.integers(30, 150), min_size=12, max_size=12),
    st.tuples(nodes, nodes).filter(lambda e: e[0] < e[1]),
    st.integers(2, 5),
)
def test_every_part_fits_the_window_and_nothing_that_people_want_together_is_cut(
    pairs: list[tuple[int, int]], lengths: list[int], pair: tuple[int, int], most: int
) -> None:
    ids = [f"S{n:02d}" for n in range(12)]
    made = problem(
        map(system, ids), [strong(ids[a], ids[b]) for a, b in pairs], hubs={"min_dependents": 99},
        together=[[ids[pair[0]], ids[pair[1]]]], groups={"max_systems": most},
        durations=minutes(**{i: (n, 0) for i, n in zip(ids, lengths, strict=True)}),
    )  # fmt: skip
    assert sorted(s for g in made.groups for s in g.system_ids) == ids
    of = {s: g for g in made.groups for s in g.system_ids}
    assert of[ids[pair[0]]] is of[ids[pair[1]]]
    task = {t.system_id: t for t in made.tasks}
    for group in made.groups:
        fits = sum(task[s].cutover_min for s in group.system_ids) <= 240 and len(group.system_ids) <= most
        assert fits or set(group.system_ids) == {ids[pair[0]], ids[pair[1]]}
    parted = {(ids[a], ids[b]) for a, b in pairs if of[ids[a]] is not of[ids[b]]}
    assert {(b.source_id, b.target_id) for b in made.bridges} == parted


def test_cutting_is_good_where_the_cheapest_cut_is_known() -> None:
    """Twenty circles of five, joined to a ring by twenty single ties: those are the cheapest cut, in whatever order they come."""
    circles = [[f"S{c:02d}{n}" for n in range(5)] for c in range(20)]
    links = [strong(c[n], c[(n + k) % 5]) for c in circles for n in range(5) for k in (1, 2)]
    links += [strong(circles[c][0], circles[(c + 1) % 20][3]) for c in range(20)]
    ids = [s for c in circles for s in c]
    made = problem(
        map(system, ids), reversed(links), hubs={"min_dependents": 99}, durations=minutes(**dict.fromkeys(ids, (41, 7)))
    )
    assert groups(made) == [tuple(c) for c in circles]
    assert len(made.bridges) == 20


def all_parts(n: int) -> Iterator[list[int]]:
    """Every way to part n things: the number of its part for each."""
    made = [[0]]
    for _ in range(n - 1):
        made = [[*parts, k] for parts in made for k in range(max(parts) + 2)]
    yield from made


def test_cutting_is_next_to_the_best_of_all_ways_to_part_small_groups() -> None:
    dice, rule, spent, best = random.Random(7), BridgeRule(), 0, 0  # noqa: S311
    for _ in range(25):
        pairs = [(a, b) for a in range(7) for b in range(a + 1, 7) if dice.random() < 0.4]
        ties = [
            Tie(pair=(f"S{a}", f"S{b}"), dependencies=[strong(f"S{a}", f"S{b}", measured=dice.random() < 0.5)])
            for a, b in pairs
        ]
        sizes = [dice.choice((60, 90, 120)) for _ in range(7)]
        loads = {f"S{n}": Load(size, 1, Counter()) for n, size in enumerate(sizes)}
        parts = part_group(sorted(loads), ties, loads, Limits(minutes=300), rule)
        of = {s: n for n, part in enumerate(parts) for s in part}
        spent += sum(cost_days(t, rule) for t in ties if of[t.pair[0]] != of[t.pair[1]])
        best += min(
            sum(cost_days(t, rule) for t, (a, b) in zip(ties, pairs, strict=True) if way[a] != way[b])
            for way in all_parts(7)
            if all(sum(s for s, k in zip(sizes, way, strict=True) if k == part) <= 300 for part in set(way))
        )
    assert best <= spent <= 1.05 * best


def test_one_giant_component_is_cut_into_parts_that_fit() -> None:
    inventory = estate(1_000, 4_000, strong_pct=100)
    made = problem(inventory.systems)
    links = system_links(inventory)
    found = build_ties(
        links, inventory, hubs=set(), together=(), kinds={t.system_id: t.path for t in made.tasks}, many=99
    )  # fmt: skip
    whole = set(max(components((t.system_id for t in made.tasks), found), key=len))
    assert len(whole) > 850
    inside = [t for t in found.values() if t.pair[0] in whole]
    limits = Limits(minutes=480, systems=8)
    parts = part_group(sorted(whole), inside, build_loads(made.tasks), limits, BridgeRule())
    assert Counter(s for p in parts for s in p) == Counter(whole)
    assert max(map(len, parts)) <= 8
