"""Nobody is planned who must not move, and everybody left out has a reason that an office can act on."""

from __future__ import annotations

from datetime import date

import pytest
from estates import SUNDAY, problem, strong, system

from govcloud.model.inventory import Inventory
from govcloud.model.plan_problem import Pin
from govcloud.model.text import Text
from govcloud.planning.candidates import build_exclusions


@pytest.mark.parametrize(
    ("fields", "code", "needs_answer"),
    [
        ({"classified": True}, "classified", False),
        ({"classified": None}, "classified_unknown", True),
        ({"hosting": "gov_cloud"}, "on_gov_cloud", False),
        ({"lifecycle": "stopped"}, "stopped", False),
        ({"stopped_on": date(2026, 11, 1)}, "stopped", False),
        ({"disposition": "retain"}, "retained", False),
        ({"lifecycle": "building"}, "not_running", False),
        ({"lifecycle": "idle"}, "idle", True),
    ],
)
def test_a_system_that_must_not_move_is_left_out_with_its_reason(
    fields: dict[str, object], code: str, needs_answer: bool
) -> None:
    (found,) = build_exclusions(Inventory(systems=(system("A", **fields),)), (), SUNDAY)
    assert (found.code, found.needs_answer) == (code, needs_answer)
    assert found.reason.zh and found.reason.en


@pytest.mark.parametrize(
    "fields", [{}, {"lifecycle": None}, {"hosting": None}, {"stopped_on": date(2027, 5, 1)},
               {"lifecycle": "idle", "disposition": "rehost"}],
)  # fmt: skip
def test_unknown_fields_other_than_classified_do_not_stop_a_move(fields: dict[str, object]) -> None:
    assert build_exclusions(Inventory(systems=(system("A", **fields),)), (), SUNDAY) == ()


def test_a_system_strongly_bound_to_one_that_stays_is_not_torn_away() -> None:
    """A planner that looks at each system alone would move B and C and break both."""
    inventory = Inventory(systems=(system("A", classified=True), system("B"), system("C"), system("D")))
    links = (strong("B", "A"), strong("C", "B"))
    codes = {e.system_id: e.code for e in build_exclusions(inventory, links, SUNDAY)}
    assert codes == {"A": "classified", "B": "bound", "C": "bound"}


def test_a_system_strongly_bound_to_one_on_the_cloud_already_may_follow() -> None:
    inventory = Inventory(systems=(system("A", hosting="gov_cloud"), system("B")))
    assert [e.system_id for e in build_exclusions(inventory, (strong("B", "A"),), SUNDAY)] == ["A"]


def test_what_retires_is_not_held_by_its_neighbours_that_stay() -> None:
    inventory = Inventory(systems=(system("A", classified=True), system("B", disposition="retire")))
    assert [e.system_id for e in build_exclusions(inventory, (strong("B", "A"),), SUNDAY)] == ["A"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "move"), ({"disposition": "refactor"}, "move"), ({"disposition": "consolidate"}, "consolidate"),
        ({"disposition": "replace"}, "replace"), ({"disposition": "retire"}, "retire"),
        ({"disposition": "retire", "lifecycle": "idle"}, "retire"),
    ],
)  # fmt: skip
def test_what_people_have_decided_is_planned_on_its_own_path(fields: dict[str, object], path: str) -> None:
    made = problem([system("A", **fields)])
    assert [t.path for t in made.tasks] == [path] and not made.excluded


def test_a_confirmed_zombie_retires_instead_of_waiting_for_an_answer() -> None:
    made = problem([system("A", lifecycle="idle"), system("B", lifecycle="idle")], given={"zombies": {"A"}})
    assert [(t.system_id, t.path) for t in made.tasks] == [("A", "retire")]
    assert [e.code for e in made.excluded] == ["idle"]


def test_what_cannot_run_on_the_cloud_stays_and_keeps_its_strong_neighbours() -> None:
    why = Text("示例：数据库不受支持", "its database is not supported")
    made = problem(map(system, "AB"), [strong("B", "A")], given={"incompatible": {"A": why}})
    assert [(e.code, e.needs_answer) for e in made.excluded] == [("incompatible", False), ("bound", True)]
    assert made.excluded[0].reason == why


def test_a_platform_below_the_level_of_a_system_cannot_carry_it() -> None:
    systems = [
        system("A", mlps_level=3),
        system("B", mlps_level=2),
        system("C", mlps_level=None),
        system("D", mlps_level=3, disposition="retire"),
    ]
    made = problem(systems, platform={"mlps_level": 2})
    assert [(e.system_id, e.code) for e in made.excluded] == [("A", "platform_level")]
    assert "of level 3" in made.excluded[0].reason.en and "3级" in made.excluded[0].reason.zh


def test_a_shared_service_that_stays_does_not_keep_the_whole_office() -> None:
    """Twelve systems log in at a classified directory: they move, and the connection is pointed out."""
    users = [f"U{n:02d}" for n in range(12)]
    made = problem([system("AD", classified=True), *map(system, users)], [strong(u, "AD") for u in users])
    assert [e.system_id for e in made.excluded] == ["AD"] and not made.hubs
    assert len(made.notes) == 12


def test_a_system_in_its_trial_run_stays_in_the_plan_although_it_is_on_the_cloud_now() -> None:
    """Its acceptance, takeover and switch-off are still to come."""
    pins = [Pin(group_id="A", opens_on=date(2026, 11, 14), source="executed")]
    made = problem([system("A", hosting="gov_cloud")], given={"pins": pins})
    assert [t.system_id for t in made.tasks] == ["A"] and len(made.pins) == 1


def test_thousands_in_a_row_are_bound_without_recursion() -> None:
    inventory = Inventory(systems=(system("S000000", classified=True), *(system(f"S{n:06d}") for n in range(1, 5_000))))
    links = [strong(f"S{n:06d}", f"S{n - 1:06d}") for n in range(1, 5_000)]
    assert len(build_exclusions(inventory, links, SUNDAY)) == 5_000
