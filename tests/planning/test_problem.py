"""The whole problem: equal inputs give equal problems, pins and earlier places find their groups, and misfits are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from estates import SUNDAY, estate, minutes, needs, problem, strong, system

from govcloud.execution.steps import load_steps
from govcloud.model.inventory import Inventory
from govcloud.model.plan_problem import Earlier, Pin
from govcloud.model.server import Server
from govcloud.planning.load import parse_rules
from govcloud.planning.problem import build_problem

SATURDAY = date(2026, 11, 28)


def pin(system_id: str, opens_on: date = SATURDAY, **fields: object) -> Pin:
    return Pin(group_id=system_id, opens_on=opens_on, **fields)  # type: ignore[arg-type]


def notes(*args: object, **kwargs: object) -> str:
    return "\n".join(n.en for n in problem(*args, **kwargs).notes)  # type: ignore[arg-type]


def test_a_pair_that_is_also_strongly_bound_gives_no_weak_link_and_unknown_strength_gives_one() -> None:
    made = problem(
        map(system, "ABC"), [strong("A", "B"), needs("B", "A"), needs("A", "C", None)], windows=[{"minutes": 600}]
    )
    assert [(k.source_id, k.target_id, k.strength_known) for k in made.weak_links] == [("A", "C", False)]


def test_equal_inventories_give_equal_problems_in_whatever_order_they_come() -> None:
    inventory = estate(300, 1500)
    turned = replace(
        inventory, systems=inventory.systems[::-1], servers=inventory.servers[::-1], dependencies=inventory.dependencies[::-1]
    )  # fmt: skip
    rules = parse_rules({"capacity": {"systems_per_window": 3, "vcpus": 5000}})
    one, other = (
        build_problem(i, rules, starts_on=SUNDAY, steps=load_steps(), zombies={"S00007"}, pins=p, holidays=h)
        for i, p, h in (
            (inventory, [pin("S00001"), pin("S00002")], [date(2027, 1, 1)]),
            (turned, [pin("S00002"), pin("S00001")], iter([date(2027, 1, 1)])),
        )
    )
    assert one == other
    assert one.bridges and one.weak_links


def test_pins_and_earlier_places_of_a_member_are_those_of_its_group_of_today() -> None:
    at = datetime(2026, 11, 28, 14, tzinfo=UTC)
    earlier = [Earlier(group_id=s, opens_on=SATURDAY, starts_at=at, crew=c) for s, c in (("C", "二组"), ("A", "一组"))]
    made = problem(
        map(system, "ABC"), [strong("C", "A")], given={"pins": [pin("C"), pin("A"), pin("A", source="approved")], "earlier": earlier}
    )  # fmt: skip
    assert [(p.group_id, p.source) for p in made.pins] == [("A", "approved")]
    assert [(e.group_id, e.crew) for e in made.earlier] == [("A", "一组")]


def test_pins_that_contradict_each_other_are_kept_and_told() -> None:
    made = problem(map(system, "AB"), [strong("A", "B")], given={"pins": [pin("A"), pin("B", date(2026, 12, 5))]})
    assert len(made.pins) == 2
    assert "Group A is pinned in contradictory ways: 2026-11-28; 2026-12-05" in made.notes[0].en


def test_a_pin_of_a_system_that_is_not_planned_is_told() -> None:
    assert "X was pinned and is not planned" in notes([system("A")], given={"pins": [pin("X")]})


def test_systems_to_be_kept_apart_are_apart_by_group_and_inside_a_group_it_is_told() -> None:
    apart = [{"systems": ["A", "C", "D"], "reason": "示例：互为备用"}]
    made = problem(map(system, "ABCD"), [strong("A", "B"), strong("C", "D")], apart=apart)
    assert [a.group_ids for a in made.apart] == [("A", "C"), ("C", "C")]
    assert made.apart[0].reason.zh == "示例：互为备用"
    assert "one group (C); both can't be had" in made.notes[0].en


def test_together_and_different_ways_is_told() -> None:
    assert "A, B were to move together, but don't go the same way" in notes(
        [system("A"), system("B", disposition="retire")], together=[["A", "B"]]
    )
    assert "B was to move together with others and is not planned" in notes(
        [system("A"), system("B", classified=True)], together=[["A", "B"]]
    )


def test_settings_about_systems_that_do_not_exist_are_pointed_out() -> None:
    found = notes(
        [system("A")], pilots=["SL-XX"], targets={"SL-YY": {"not_after_on": "2026-12-01"}}, hubs={"systems": ["SL-ZZ"]}
    )
    assert all(f" names {s}, which is not" in found for s in ("SL-XX", "SL-YY", "SL-ZZ"))


def test_a_freeze_of_an_unknown_department_is_pointed_out() -> None:
    freeze = {"name": "示例封网", "starts_on": "2026-12-01", "ends_on": "2026-12-02", "departments": ["示例税务局"]}
    assert "is for 示例税务局" in notes([system("A", department="示例民政局")], freezes=[freeze])


def test_a_dependency_on_something_that_stays_is_pointed_out_but_not_on_what_is_on_the_cloud() -> None:
    systems = [system("A"), system("B", classified=True), system("C", hosting="gov_cloud")]
    made = problem(systems, [needs("A", "B"), needs("A", "C")])
    assert len(made.notes) == 1 and "A needs B, which does not move" in made.notes[0].en


def test_many_notes_of_a_kind_are_counted() -> None:
    made = problem(
        [system(f"S{n:02d}") for n in range(40)] + [system("X", classified=True)],
        [needs(f"S{n:02d}", "X") for n in range(40)],
    )
    assert len(made.notes) == 21 and made.notes[-1].en == "(20 more notes of this kind)"


def test_an_unknown_level_of_the_platform_and_unpublished_holidays_are_pointed_out() -> None:
    found = notes([system("A")], platform={}, given={"published_years": {2026}})
    assert "MLPS level of the platform is not stated" in found and "The holidays of 2027 are not published" in found


def test_servers_that_nobody_has_seen_are_pointed_out() -> None:
    servers = [Server(server_id="s", name="示例主机"), Server(server_id="t", name="seen", seen=True)]
    assert "1 servers are declared only" in notes([system("A", servers=("s", "t"))], servers=servers)


def test_a_zombie_that_was_to_move_retires_and_the_contradiction_is_told() -> None:
    made = problem([system("A", disposition="rehost")], given={"zombies": {"A"}})
    assert made.tasks[0].path == "retire" and "A is a confirmed zombie" in made.notes[0].en


def test_the_systems_of_a_province_are_all_planned() -> None:
    inventory = estate(1_000, 4_000)
    rules = parse_rules({"weeks": 104, "capacity": {"systems_per_window": 12, "link_mbps": 1000, "vcpus": 10**6}})
    made = build_problem(inventory, rules, starts_on=SUNDAY, steps=load_steps(), published_years={2026, 2027})
    assert len(made.tasks) == 1_000 and len(made.jobs) > 6_000


def test_nothing_to_plan_is_a_problem_without_jobs() -> None:
    made = build_problem(Inventory(), parse_rules({}), starts_on=SUNDAY, steps=load_steps())
    assert made.tasks == made.groups == made.jobs == () and made.windows


def test_minutes_of_a_group_are_never_those_of_its_window() -> None:
    """A window shorter than any cutover still gives a problem; that it can't be met is the solver's to prove."""
    made = problem([system("A")], windows=[{"minutes": 30}], durations=minutes(A=(500, 100)))
    assert made.jobs and made.groups[0].system_ids == ("A",)
