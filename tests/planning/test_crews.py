"""Names for jobs of a pool: nobody in two places at once, and last week's crew where that can be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from offices import MONDAY, problem, task, windows

from govcloud.model.plan_problem import Crew, Pin
from govcloud.planning.crews import Stay, build_pools, name_crews, pools_for

TEAMS = ("一组", "二组", "三组")


def stay(job_id: str, start: int, end: int, preferred: str | None = None) -> Stay:
    return Stay(job_id=job_id, start=start, end=end, pool=0, preferred=preferred)


spans = st.tuples(st.integers(0, 20), st.integers(0, 9), st.sampled_from([None, *TEAMS]))


@settings(max_examples=80, deadline=None)
@given(st.lists(spans, max_size=12))
def test_every_job_gets_a_crew_of_its_own_as_long_as_there_are_enough(drawn: list[tuple[int, int, str | None]]) -> None:
    stays = [stay(f"J{n}", a, a + length, wish) for n, (a, length, wish) in enumerate(drawn)]
    busiest = max((sum(s.start <= t < s.end for s in stays) for t in range(30)), default=0)
    if busiest > len(TEAMS):
        with pytest.raises(ValueError, match="J"):
            name_crews(stays, [TEAMS])
        return
    named = name_crews(stays, [TEAMS])
    for one in stays:
        others = [s for s in stays if s is not one and named[s.job_id] == named[one.job_id]]
        assert not any(
            s.start < one.end and one.start < s.end and s.start < s.end and one.start < one.end for s in others
        )


def test_a_job_keeps_its_crew_also_when_a_new_one_comes_before_it() -> None:
    """The new job is longer; it must not take the crew that the other one had."""
    named = name_crews([stay("新增", 0, 10), stay("原有", 5, 9, "一组")], [TEAMS])
    assert named["原有"] == "一组" and named["新增"] != "一组"


def test_work_is_spread_over_the_crews() -> None:
    named = name_crews([stay(f"J{n}", 10 * n, 10 * n + 5) for n in range(9)], [TEAMS])
    assert sorted(named.values()) == sorted(TEAMS * 3)


def test_crews_with_equal_skills_are_one_pool_and_rare_skills_come_last() -> None:
    crews = (Crew(name="甲", skills=("db", "net")), Crew(name="乙"), Crew(name="丙"), Crew(name="丁", skills=("db",)))
    made = problem([task("A")], crews=crews)
    pools = build_pools(made)
    assert [[c.name for c in pool] for pool in pools] == [["乙", "丙"], ["丁"], ["甲"]]
    assert pools_for(("db",), frozenset(), pools) == (1, 2)
    assert pools_for(("oracle",), frozenset(), pools) == ()


def test_a_crew_that_a_pin_names_is_a_pool_of_its_own() -> None:
    """Otherwise two jobs pinned to one crew could lie side by side."""
    pins = (
        Pin(group_id="A", opens_on=windows(1)[0].opens_on, crew="二组"),
        Pin(group_id="B", opens_on=MONDAY, crew="一组", source="executed"),
    )
    pools = build_pools(problem([task("A"), task("B")], crews=[Crew(name=n) for n in TEAMS], pins=pins))
    assert sorted([c.name for c in pool] for pool in pools) == [["一组", "三组"], ["二组"]]
    named = next(n for n, pool in enumerate(pools) if pool[0].name == "二组")
    assert pools_for((), frozenset({"二组"}), pools) == (named,)
    assert pools_for((), frozenset({"一组", "二组"}), pools) == () == pools_for((), frozenset({"四组"}), pools)
