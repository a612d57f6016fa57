"""Nobody is planned who must not move, and everybody left out has a reason that an office can act on."""

from __future__ import annotations

from datetime import date

import pytest
from estates import SUNDAY, needs, system

from govcloud.model.inventory import Inventory
from govcloud.planning.candidates import build_exclusions


@pytest.mark.parametrize(
    ("fields", "code", "needs_answer"),
    [
        ({"classified": True}, "classified", False),
        ({"classified": None}, "classified_unknown", True),
        ({"hosting": "gov_cloud"}, "on_gov_cloud", False),
        ({"lifecycle": "stopped"}, "stopped", False),
        ({"stopped_on": date(2026, 11, 1)}, "stopped", False),
        ({"disposition": "retire"}, "disposition", False),
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
    links = (needs("B", "A", "strong"), needs("C", "B", "strong"), needs("D", "A", "weak"))
    codes = {e.system_id: e.code for e in build_exclusions(inventory, links, SUNDAY)}
    assert codes == {"A": "classified", "B": "bound", "C": "bound"}


def test_a_system_strongly_bound_to_one_on_the_cloud_already_may_follow() -> None:
    inventory = Inventory(systems=(system("A", hosting="gov_cloud"), system("B")))
    assert [e.system_id for e in build_exclusions(inventory, (needs("B", "A", "strong"),), SUNDAY)] == ["A"]
