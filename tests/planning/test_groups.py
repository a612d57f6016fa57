"""What is strongly bound moves as one; what is needed is cut over first; shared services bind nobody."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from estates import needs, problem, strong, system
from hypothesis import given
from hypothesis import strategies as st

from govcloud.model.inventory import Inventory
from govcloud.model.plan_problem import Pin
from govcloud.model.server import Server
from govcloud.planning.groups import components, system_links

LONG = [{"minutes": 1440}]


def members(*args: object, **kwargs: object) -> list[tuple[str, ...]]:
    return [g.system_ids for g in problem(*args, **{"windows": LONG} | kwargs).groups]  # type: ignore[arg-type]


def test_a_cycle_and_its_strong_neighbours_form_one_group_with_the_needed_ones_first() -> None:
    links = [strong("A", "B"), strong("B", "A"), strong("C", "A"), strong("B", "D")]
    made = problem(map(system, "ABCDE"), links, windows=LONG)
    assert [g.system_ids for g in made.groups] == [("D", "A", "B", "C"), ("E",)]
    assert made.groups[0].group_id == "A"
    assert [r.en for r in made.groups[0].reasons] == [
        "Strong dependencies (4): A → B; B → A; B → D; C → A", "Circles of dependencies (1): A ⇄ B",
    ]  # fmt: skip


def test_a_hundred_thousand_systems_in_a_row_are_one_group_without_a_stack_overflow() -> None:
    ids = [f"S{n:06d}" for n in range(100_000)]
    assert components(ids, pairwise(ids)) == [ids]


def test_who_works_in_the_database_of_another_moves_with_it_unless_people_call_the_tie_weak() -> None:
    seen = {"kind": "database", "measured": True, "port": 5432}
    links = [needs("A", "B", None, **seen), needs("C", "D", "weak", **seen), needs("E", "F", None, kind="接口")]
    assert members(map(system, "ABCDEF"), links) == [("B", "A"), ("C",), ("D",), ("E",), ("F",)]


def test_systems_on_one_database_server_move_together_and_those_on_one_web_server_need_not() -> None:
    servers = [
        Server(server_id="db", name="db", services=("mysql",)),
        Server(server_id="web", name="web", services=("nginx",)),
    ]
    systems = [system("A", servers=("db",)), system("B", servers=("db", "web")), system("C", servers=("web",))]
    made = problem(systems, servers=servers, windows=LONG)
    assert [g.system_ids for g in made.groups] == [("A", "B"), ("C",)]
    assert made.groups[0].reasons[0].en == "The same database server (1): db: A, B"


def test_a_shared_service_binds_nobody_but_still_asks_to_move_first() -> None:
    """With single sign-on in a strong tie to everybody an office would have one group of forty systems."""
    users = [f"U{n:02d}" for n in range(12)]
    made = problem(map(system, ["SSO", *users]), [strong(u, "SSO") for u in users])
    assert [(h.system_id, h.dependents) for h in made.hubs] == [("SSO", 12)]
    assert len(made.groups) == 13 and not made.bridges
    assert {(k.source_id, k.target_id) for k in made.weak_links} == {(u, "SSO") for u in users}


def test_people_can_name_a_shared_service_and_raise_the_number_from_which_one_is_seen() -> None:
    links = [strong("A", "B"), strong("C", "B")]
    assert members(map(system, "ABC"), links, hubs={"systems": ["B"]}) == [("A",), ("B",), ("C",)]
    assert members(map(system, "ABC"), links, hubs={"min_dependents": 3}) == [("B", "A", "C")]
    assert members(map(system, "ABC"), links, hubs={"min_dependents": 2}) == [("A",), ("B",), ("C",)]


def test_what_people_want_together_is_one_group_without_any_dependency() -> None:
    made = problem(map(system, "ABC"), together=[["C", "A"]])
    assert [g.system_ids for g in made.groups] == [("A", "C"), ("B",)]
    assert made.groups[0].reasons[0].zh == "约定同批 1 对：A, C"


def test_a_group_mixes_no_paths_and_says_what_the_mover_loses() -> None:
    made = problem([system("A"), system("B", disposition="retire")], [strong("A", "B")])
    assert [(g.system_ids, g.path) for g in made.groups] == [(("A",), "move"), (("B",), "retire")]
    assert not made.weak_links
    assert any("A needs B, which retires" in n.en for n in made.notes)


def test_what_has_moved_does_not_take_its_new_neighbours_into_its_past() -> None:
    """C became bound to A after A had moved: as one executed group C's own cutover would never be planned."""
    pins = [Pin(group_id=s, opens_on=date(2026, 11, 14), source="executed") for s in "AB"]
    made = problem(map(system, "ABC"), [strong("A", "B"), strong("C", "A")], given={"pins": pins})
    assert [g.system_ids for g in made.groups] == [("B", "A"), ("C",)]
    assert [p.group_id for p in made.pins] == ["A"]


edges = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 14)).filter(lambda e: e[0] != e[1]), max_size=40, unique=True
)


@given(edges)
def test_groups_part_the_systems_and_put_the_needed_first(pairs: list[tuple[int, int]]) -> None:
    made = problem(
        (system(f"S{n:02d}", data_gib=0.0) for n in range(15)), [strong(f"S{a:02d}", f"S{b:02d}") for a, b in pairs],
        windows=LONG, hubs={"min_dependents": 99}, duration={"cutover_base_min": 20},
    )  # fmt: skip
    assert sorted(s for g in made.groups for s in g.system_ids) == [t.system_id for t in made.tasks]
    of = {s: g for g in made.groups for s in g.system_ids}
    acyclic = [(a, b) for a, b in pairs if a > b]  # every cycle has an edge that goes up
    if len(acyclic) == len(pairs):
        for a, b in pairs:
            order = of[f"S{a:02d}"].system_ids
            assert order.index(f"S{b:02d}") < order.index(f"S{a:02d}")


def test_a_connection_between_servers_is_a_dependency_between_their_systems() -> None:
    """Discovery sees servers; a planner that only knows system ids would ignore everything that was measured."""
    inventory = Inventory(
        systems=(system("A", servers=("s1",)), system("B", servers=("s2",))),
        servers=(Server(server_id="s1", name="one"), Server(server_id="s2", name="two")),
        dependencies=(
            needs("s1", "s2", dependency_id="D1", measured=True), needs("s9", "s2", dependency_id="D2", measured=True),
            needs("s1", "A", dependency_id="D3"), needs("s1", "s2", dependency_id="D4", measured=True, traffic="naming"),
        ),
    )  # fmt: skip
    assert [(d.dependency_id, d.source_id, d.target_id) for d in system_links(inventory)] == [("D1", "A", "B")]
