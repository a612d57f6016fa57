"""A mistake in the planning settings is named with its key; it never turns into a silent default."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud import resources
from govcloud.errors import InputError
from govcloud.execution.steps import load_steps
from govcloud.model.inventory import Inventory
from govcloud.planning import rules
from govcloud.planning.load import parse_rules
from govcloud.planning.problem import build_problem
from govcloud.planning.rules import PlanningRules
from govcloud.settings import load_site, site_ids

FREEZE = {"name": "F", "starts_on": "2026-12-01", "ends_on": "2026-12-10"}


def pools(**pool: object) -> dict[str, object]:
    return {"capacity": {"pools": {"main": pool}}}


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"crew": []}, "no key planning.crew"),
        ({"capacity": {"systems_per_windows": 3}}, "planning.capacity.systems_per_windows"),
        ({"windows": [{"weekday": "saturday"}, {"day": 1}]}, "planning.windows[1].day"),
        ({"durations": {"A": {"cutover": 3}}}, "planning.durations.A.cutover"),
        ({"durations": {"A": {"cutover_min": 3}}}, "planning.durations.A.reserve_min is missing"),
        ({"weeks": "many"}, "planning.weeks must be a whole number, not 'many'"),
        ({"weeks": 1.5}, "planning.weeks must be a whole number"),
        ({"weeks": True}, "planning.weeks must be a whole number"),
        ({"weeks": 0}, "planning.weeks must be 1 to 104"),
        ({"freeze_holidays": "maybe"}, "planning.freeze_holidays must be true or false"),
        ({"windows": {"weekday": "saturday"}}, "planning.windows must be a list"),
        ({"windows": [{"weekday": "samstag"}]}, "planning.windows[0].weekday must be one of monday"),
        ({"windows": [{"start": "25:00"}]}, "25:00"),
        ({"windows": [{"start": 1320}]}, "planning.windows[0].start must be text"),
        ({"windows": [{"minutes": 29}]}, "planning.windows[0].minutes must be 30 to 1440, not 29"),
        ({"windows": []}, "planning.windows"),
        ({"crews": [{"name": "一组"}, {"name": "一组"}]}, "same name"),
        ({"crews": ["一组"]}, "planning.crews[0] must be keys with values"),
        ({"capacity": {"crews": 0}}, "planning.capacity.crews must be 1"),
        ({"freezes": [FREEZE | {"ends_on": "2026-11-01"}]}, "freeze F ends before"),
        ({"freezes": [FREEZE | {"ends_on": "2026-13-01"}]}, "planning.freezes[0].ends_on must be a date"),
        ({"freezes": [{"name": "F", "starts_on": "2026-12-10"}]}, "planning.freezes[0].ends_on is missing"),
        ({"freezes": [FREEZE | {"every_month": True, "every_year": True}]}, "not both"),
        ({"freezes": [FREEZE | {"every_month": True, "ends_on": "2026-12-28"}]}, "too long to repeat"),
        ({"freezes": [FREEZE | {"exceptions": {"A": " "}}]}, "who approved it"),
        ({"priorities": {"A": 0}}, "planning.priorities.A must be 1 to 100"),
        ({"priorities": {1001: 5}}, "planning.priorities.1001 must be text (put ids"),
        ({"pilots": [1001]}, "planning.pilots[0] must be text (put ids"),
        ({"capacity": {"link_mbps": -1}}, "planning.capacity.link_mbps"),
        ({"capacity": {"link_mbps": 0}}, "planning.capacity.link_mbps"),
        ({"capacity": {"systems_per_window": -1}}, "planning.capacity.systems_per_window can't be negative"),
        ({"capacity": {"parallel": {"cutover": -1}}}, "planning.capacity.parallel.cutover can't be negative"),
        ({"capacity": {"parallel": {"cutovers": 1}}}, "planning.capacity.parallel.cutovers must be one of adapt"),
        (pools(changes=[{"starts_on": "2027-01-01", "vcpus": 9}]), "state planning.capacity.pools.main.vcpus"),
        (
            pools(vcpus=1, changes=[{"starts_on": d, "vcpus": 9} for d in ("2027-02-01", "2027-01-01")]),
            "in order of date",
        ),
        ({"system_pools": {"A": "信创"}}, "no pool 信创"),
        ({"activities": {"trial_days": -1}}, "planning.activities.trial_days must be 0 to 730"),
        ({"activities": {"with_crew": []}}, "must name cutover"),
        ({"lengths": {"A": {"cutover": 3}}}, "planning.lengths.A.cutover"),
        ({"lengths": {"A": {"adapt": 900}}}, "planning.lengths.A.adapt must be 0 to 730"),
        ({"targets": {"A": {"not_before_on": "2027-02-01", "not_after_on": "2027-01-01"}}}, "planning.targets.A"),
        ({"together": [["A"]]}, "planning.together[0] needs two systems"),
        ({"apart": [{"systems": ["A", "A"]}]}, "planning.apart[0].systems needs two"),
        ({"goals": ["makespan", "makespan"]}, "planning.goals"),
        ({"goals": []}, "planning.goals"),
        ({"goals": ["speed"]}, "planning.goals[0] must be one of deadlines"),
        ({"platform": {"mlps_level": 6}}, "planning.platform.mlps_level must be 1 to 5"),
        ({"capacity": {"vcpus": 10**30}}, "planning.capacity.vcpus is too large"),
        (
            {"freezes": [FREEZE | {"ends_on": "9999-12-31"}]},
            "the year of planning.freezes[0].ends_on must be 1950 to 2100",
        ),
        ({"costs": {"per_wave_days": 5}}, "remove planning.costs"),
    ],
)
def test_every_mistake_is_refused_by_name(section: dict[str, object], named: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rules(section, "govcloud.yaml")
    assert named in caught.value.message("en")
    assert caught.value.where.en == "govcloud.yaml"
    assert any("一" <= c <= "鿿" for c in caught.value.what.zh.removeprefix("planning 部分不合要求：")), (
        "in Chinese, too"
    )


@pytest.mark.parametrize("site", site_ids())
def test_the_planning_section_of_every_site_is_valid(site: str) -> None:
    made = parse_rules(load_site(site).planning)
    assert made.crews and made.freezes and made.capacity.systems_per_window
    assert (resources.folder("inventory") / "sites" / f"{site}.yaml").is_file()


def test_an_empty_section_gives_a_plan_able_default() -> None:
    assert parse_rules({}) == PlanningRules()


def test_dates_may_be_written_with_and_without_quotes() -> None:
    one, other = ({"freezes": [{"name": "F", "starts_on": d, "ends_on": d}]} for d in ("2026-12-01", date(2026, 12, 1)))
    assert parse_rules(one) == parse_rules(other)


def test_an_explicit_nothing_is_no_limit() -> None:
    assert parse_rules({"capacity": {"systems_per_window": None, "vcpus": None}}).capacity.systems_per_window is None


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.dates()
keys = (
    st.sampled_from(sorted({f.name for c in vars(rules).values() if is_dataclass(c) for f in fields(c)}))
    | st.integers()
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)


@given(st.dictionaries(keys, trees, max_size=3))
def test_no_section_at_all_ends_in_a_traceback(section: dict[str, object]) -> None:
    """Whatever is written there, the office reads a sentence about its own key."""
    try:
        made = parse_rules(section)
    except InputError as error:
        assert "planning" in error.what.en
    else:
        build_problem(Inventory(), made, starts_on=date(2026, 11, 22), steps=load_steps())
