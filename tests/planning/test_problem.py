"""The inputs of a plan: what is unknown is assumed and said, what people measured or agreed wins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from estates import SUNDAY, minutes, needs, problem, system

from govcloud.model.inventory import Dependency, Inventory
from govcloud.model.server import Server
from govcloud.planning.layout import build_waves, plan_hash
from govcloud.planning.load import parse_rules
from govcloud.planning.problem import build_problem, cutover_minutes, system_links
from govcloud.planning.rules import DurationRule


@pytest.mark.parametrize(
    ("data_gib", "dependencies", "criticality", "expected"),
    [
        (0.0, 0, "general", (45, 25)),  # half of 45 is 22.5, rounded up to five
        (0.0, 3, "core", (80, 40)),  # 45 + 15 + 20
        (0.0, 200, "general", (75, 40)),  # a single sign-on that everybody needs still fits in a night
        (200.0, 0, "general", (50, 25)),  # 5 % of 200 GiB at 400 Mbit/s: 3.6 minutes
        (0.0, 0, None, (55, 30)),  # unknown criticality counts as important
    ],
)
def test_minutes_follow_the_documented_formula(
    data_gib: float, dependencies: int, criticality: str | None, expected: tuple[int, int]
) -> None:
    assert cutover_minutes(data_gib, dependencies, criticality, DurationRule()) == expected


def test_minutes_of_a_rehearsal_replace_the_formula() -> None:
    (task,) = problem([system("A")], durations=minutes(A=(33, 44))).tasks
    assert (task.cutover_min, task.reserve_min) == (33, 44)


def test_unknown_inputs_are_assumed_and_each_of_them_is_named() -> None:
    (task,) = problem([system("A", data_gib=None, criticality=None, mlps_level=None, hosting=None)]).tasks
    assert task.data_mib == 100 * 1024
    assert set(task.assumed) == {"data_gib", "criticality", "mlps_level", "hosting", "cpu_count", "memory_gib"}


def test_sizes_add_up_over_all_servers_of_a_system() -> None:
    servers = (
        Server(server_id="s1", name="one", cpu_count=8, memory_gib=32.0), Server(server_id="s2", name="two", cpu_count=4),
    )  # fmt: skip
    inventory = Inventory(systems=(system("A", servers=("s1", "s2")),), servers=servers)
    (task,) = build_problem(inventory, parse_rules({}), starts_on=SUNDAY).tasks
    assert (task.vcpus, task.memory_mib, "memory_gib" in task.assumed) == (12, 48 * 1024, True)


def test_a_connection_between_servers_is_a_dependency_between_their_systems() -> None:
    """Discovery sees servers; a planner that only knows system ids would ignore everything that was measured."""
    inventory = Inventory(
        systems=(system("A", servers=("s1",)), system("B", servers=("s2",))),
        servers=(Server(server_id="s1", name="one"), Server(server_id="s2", name="two")),
        dependencies=(
            Dependency(dependency_id="D1", source_id="s1", target_id="s2", measured=True),
            Dependency(dependency_id="D2", source_id="s9", target_id="s2", measured=True),
            Dependency(dependency_id="D3", source_id="s1", target_id="A"),
        ),
    )
    assert [(d.source_id, d.target_id) for d in system_links(inventory)] == [("A", "B")]


def test_a_pair_that_is_also_strongly_bound_gives_no_weak_link_and_unknown_strength_gives_one() -> None:
    made = problem(map(system, "ABC"), [needs("A", "B", "strong"), needs("B", "A"), needs("A", "C", None)])
    assert [(k.source_id, k.target_id, k.strength_known) for k in made.weak_links] == [("A", "C", False)]


def test_the_link_carries_what_its_speed_and_hours_allow() -> None:
    made = problem([system("A")], capacity={"link_mbps": 100, "replication_hours": 10, "link_use_pct": 50})
    assert made.capacity.mib_per_window == 100 * 10**6 // 8 * 36000 * 50 // 100 // 2**20


def test_settings_about_systems_that_do_not_exist_are_pointed_out() -> None:
    made = problem([system("A")], pilots=["SL-XX"], targets={"SL-YY": {"not_after_on": "2026-12-01"}})
    assert {n.en.split(" names ")[1].split(",")[0] for n in made.notes} == {"SL-XX", "SL-YY"}


def test_a_dependency_on_something_that_stays_is_pointed_out() -> None:
    made = problem([system("A"), system("B", classified=True)], [needs("A", "B")])
    assert len(made.notes) == 1 and "A needs B, which does not move" in made.notes[0].en


def test_equal_inventories_give_one_hash_and_any_change_another() -> None:
    systems = [system("A"), system("B"), system("C")]
    links = [needs("A", "B"), needs("C", "B", "strong")]
    one, other = problem(systems, links), problem(reversed(systems), reversed(links))
    assert plan_hash(one, build_waves(one, ())) == plan_hash(other, build_waves(other, ()))
    changed = replace(one, tasks=(replace(one.tasks[0], reserve_min=99), *one.tasks[1:]))
    assert plan_hash(changed, ()) != plan_hash(one, ())
