"""What is strongly bound moves as one; what is needed is cut over first; a group too large says where to part it."""

from __future__ import annotations

from estates import needs, problem, system

from govcloud.model.plan import MoveGroup
from govcloud.planning.groups import build_groups, needed_first, propose_cut


def test_a_cycle_and_its_strong_neighbours_form_one_group_with_the_needed_ones_first() -> None:
    groups = build_groups("ABCDE", [("A", "B"), ("B", "A"), ("C", "A"), ("B", "D")])
    assert [g.system_ids for g in groups] == [("D", "A", "B", "C"), ("E",)]
    assert groups[0].group_id == "A"


def test_the_order_of_groups_puts_targets_first_and_survives_cycles_of_weak_links() -> None:
    made = problem(map(system, "ABCD"), [needs("A", "C"), needs("B", "A"), needs("A", "B"), needs("C", "D")])
    assert needed_first(made) == ["D", "C", "A", "B"]


def test_the_cut_prefers_a_pair_that_was_only_declared() -> None:
    group = MoveGroup(group_id="A", system_ids=("A", "B", "C", "D"))
    links = [
        needs("A", "B", "strong"), needs("B", "C", "strong", measured=True), needs("C", "D", "strong"),
    ]  # fmt: skip
    cut = propose_cut(group, links, dict.fromkeys("ABCD", 100))
    assert cut is not None
    assert (cut.system_ids, cut.measured, cut.largest_part_min) == (("A", "B"), False, 300)


def test_two_systems_that_need_each_other_are_parted_by_both_dependencies() -> None:
    group = MoveGroup(group_id="A", system_ids=("A", "B"))
    cut = propose_cut(group, [needs("A", "B", "strong"), needs("B", "A", "strong")], {"A": 200, "B": 150})
    assert cut is not None and cut.dependency_ids == ("D-A-B", "D-B-A") and cut.largest_part_min == 200


def test_a_ring_of_three_has_no_single_pair_to_part() -> None:
    group = MoveGroup(group_id="A", system_ids=("A", "B", "C"))
    links = [needs("A", "B", "strong"), needs("B", "C", "strong"), needs("C", "A", "strong")]
    assert propose_cut(group, links, dict.fromkeys("ABC", 100)) is None
