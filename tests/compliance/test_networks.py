"""What stands in the way of closing a dedicated network, whether a stay is founded, and what became of it since a snapshot.

Missed otherwise: a line that is cut on a Saturday night with a system still on it, and a stay that rests on a consent
which ended yesterday.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from govcloud.compliance.networks import (
    build_closed_networks,
    build_exemption,
    build_remaining_networks,
    build_totals,
    build_trend,
    sum_networks,
)
from govcloud.model.inventory import Inventory, Network, System
from govcloud.model.plan import MigrationPlan, Move, Unplaced, Wave
from govcloud.model.plan_problem import ChangeWindow, Exclusion, PlanProblem
from govcloud.model.text import Text

AS_OF = date(2026, 3, 2)


def plan(
    waves: dict[int, tuple[str, ...]], unplaced: tuple[str, ...] = (), excluded: tuple[str, ...] = ()
) -> MigrationPlan:
    """Waves a week apart, from 2026-03-07."""
    made = []
    for number, systems in waves.items():
        opens = datetime(2026, 3, 7, 14, tzinfo=UTC) + timedelta(weeks=number - 1)
        window = ChangeWindow(
            window_id=f"W{number}", starts_at=opens, ends_at=opens + timedelta(hours=4), opens_on=opens.date()
        )
        moves = tuple(
            Move(system_id=s, group_id=s, crew="一组", starts_at=opens, cutover_ends_at=opens, ends_at=opens)
            for s in systems
        )
        made.append(Wave(number=number, window=window, moves=moves))
    problem = PlanProblem(
        starts_on=date(2026, 3, 2), weeks=12, timezone="Asia/Shanghai",
        excluded=tuple(Exclusion(system_id=s, name=s, code="idle", reason=Text("闲置", "idle")) for s in excluded),
    )  # fmt: skip
    return MigrationPlan(
        plan_id="P-1", created_at=datetime(2026, 3, 1, tzinfo=UTC), problem=problem, waves=tuple(made), status="feasible",
        unplaced=tuple(Unplaced(system_id=s, reason=Text("窗口不够", "no window left")) for s in unplaced), plan_hash="0",
    )  # fmt: skip


def system(system_id: str, **facts: object) -> System:
    usual: dict[str, object] = {"name": f"系统{system_id}", "networks": ("N-1",), "hosting": "own_room"}
    return System(system_id=system_id, **{**usual, **facts})  # type: ignore[arg-type]


def network(**facts: object) -> Network:
    usual: dict[str, object] = {
        "network_id": "N-1",
        "name": "示例专网",
        "kind": "dedicated",
        "department": "示例民政厅",
    }
    return Network(**{**usual, **facts})  # type: ignore[arg-type]


def test_a_network_names_its_systems_and_the_server_that_nobody_owns(estate: Inventory) -> None:
    (row,) = build_remaining_networks(estate, AS_OF)
    assert row.systems == ("SL-MZ-03 社会救助业务系统",)
    assert row.servers == ("bak-77",)
    blockers = " ".join(text.zh for text in row.blockers)
    assert "SL-MZ-03" in blockers
    assert "bak-77" in blockers
    assert "去向未确定" in blockers
    assert not row.closing.planned


def test_a_system_is_found_by_the_address_of_its_server_alone(estate: Inventory) -> None:
    """The workbook forgot to name the network; the probe saw the server on it."""
    quiet = replace(estate, systems=tuple(replace(s, networks=()) for s in estate.systems))
    (row,) = build_remaining_networks(quiet, AS_OF)
    assert row.systems == ("SL-MZ-03 社会救助业务系统",)


def test_a_closed_network_is_gone_from_its_day_on(estate: Inventory) -> None:
    closed = replace(estate, networks=tuple(replace(n, closed_on=date(2026, 3, 2)) for n in estate.networks))
    assert build_remaining_networks(closed, AS_OF) == ()
    assert [n.network_id for n in build_closed_networks(closed, AS_OF)] == ["N-MZ"]
    assert len(build_remaining_networks(closed, date(2026, 3, 1))) == 1
    assert build_closed_networks(closed, date(2026, 3, 1)) == ()


class TestClosing:
    def test_it_closes_after_the_last_wave_of_its_systems(self) -> None:
        estate = Inventory(systems=(system("B"), system("A"), system("C", networks=())), networks=(network(),))
        (row,) = build_remaining_networks(estate, AS_OF, plan=plan({1: ("A",), 2: ("C",), 3: ("B",)}))
        assert (row.closing.wave, row.closing.on, row.closing.moving) == (3, date(2026, 3, 21), ("A", "B"))
        assert row.closing.unplanned == ()

    def test_systems_without_a_wave_are_named_with_the_planners_reason(self) -> None:
        estate = Inventory(systems=tuple(map(system, "ABCD")), networks=(network(),))
        (row,) = build_remaining_networks(estate, AS_OF, plan=plan({1: ("A",)}, unplaced=("B",), excluded=("C",)))
        assert row.closing.moving == ("A",)
        assert [t.zh for t in row.closing.unplanned] == [
            "B 系统B（窗口不够）",
            "C 系统C（闲置）",
            "D 系统D（计划中没有这个系统）",
        ]

    def test_moved_and_stopped_systems_are_not_waited_for(self) -> None:
        """One on the cloud still holds the line until somebody has looked; one that stopped does not."""
        moved, stopped = system("A", hosting="gov_cloud"), system("B", lifecycle="stopped")
        (row,) = build_remaining_networks(
            Inventory(systems=(moved, stopped), networks=(network(),)), AS_OF, plan=plan({})
        )
        assert (row.closing.moving, row.closing.unplanned) == ((), ())
        told = " ".join(t.zh for t in row.blockers)
        assert "A 系统A 已在政务云" in told and "系统B" not in told

    def test_what_nobody_recorded_is_unknown_not_empty(self) -> None:
        (row,) = build_remaining_networks(Inventory(networks=(network(target="close"),)), AS_OF)
        assert "承载什么系统未知" in row.blockers[0].zh

    @pytest.mark.parametrize(
        ("due", "told"),
        [(date(2026, 3, 1), "计划日期 2026-03-01 已过"), (date(2026, 3, 6), "第 1 批（2026-03-07）晚于计划日期"), (date(2026, 3, 7), None)],
    )  # fmt: skip
    def test_a_wave_later_than_the_promised_day_is_told(self, due: date, told: str | None) -> None:
        estate = Inventory(systems=(system("A"),), networks=(network(target="close", target_on=due),))
        (row,) = build_remaining_networks(estate, AS_OF, plan=plan({1: ("A",)}))
        about_dates = [t.zh for t in row.blockers if "计划日期" in t.zh]
        assert any(told in t for t in about_dates) if told else not about_dates

    def test_contracts_and_higher_levels_are_told(self) -> None:
        line = network(target="close", target_on=AS_OF, contract_ends_on=date(2027, 1, 1), level="superior")
        (row,) = build_remaining_networks(
            Inventory(systems=(system("A", lifecycle="stopped"),), networks=(line,)), AS_OF
        )
        assert [t.en for t in row.blockers] == [
            "It belongs to a higher level, which has to agree",
            "The line contract runs until 2027-01-01",
        ]

    def test_a_name_that_two_networks_share_binds_a_system_to_neither(self) -> None:
        twins = (network(), network(network_id="N-2", department="示例交通厅"))
        rows = build_remaining_networks(
            Inventory(systems=(system("A", networks=("示例专网",)),), networks=twins), AS_OF
        )
        assert [row.systems for row in rows] == [(), ()]


FOUNDED: dict[str, object] = {
    "target": "keep", "legal_basis": "示例法规", "consent_body": "示例主管部门", "consent_document": "示例函",
    "consent_on": date(2024, 1, 1), "consent_valid_until": date(2028, 1, 1),
}  # fmt: skip


class TestExemption:
    def test_a_full_and_valid_foundation(self) -> None:
        found = build_exemption(network(**FOUNDED), AS_OF)
        assert found is not None and (found.state, found.missing, found.remarks) == ("founded", (), ())
        (row,) = build_remaining_networks(Inventory(systems=(system("A"),), networks=(network(**FOUNDED),)), AS_OF)
        assert row.blockers == (), "nothing is to be closed"

    @pytest.mark.parametrize(("ends", "state"), [(AS_OF, "founded"), (AS_OF - timedelta(days=1), "lapsed")])
    def test_a_consent_counts_through_its_last_day(self, ends: date, state: str) -> None:
        found = build_exemption(network(**{**FOUNDED, "consent_valid_until": ends}), AS_OF)
        assert found is not None and found.state == state
        assert [t.zh for t in found.missing] == ([] if state == "founded" else ["同意已于 2026-03-01 到期"])

    @pytest.mark.parametrize("piece", ["legal_basis", "consent_body", "consent_document"])
    def test_each_missing_piece_is_named_and_none_is_not_unknown(self, piece: str) -> None:
        unknown = build_exemption(network(**{**FOUNDED, piece: None}), AS_OF)
        none = build_exemption(network(**{**FOUNDED, piece: ""}), AS_OF)
        assert unknown is not None and none is not None
        assert (unknown.state, none.state) == ("unfounded", "unfounded")
        assert unknown.missing[0].zh.endswith("未登记") and none.missing[0].zh.startswith("填报没有")

    def test_a_consent_of_tomorrow_is_none_yet(self) -> None:
        found = build_exemption(network(**{**FOUNDED, "consent_on": AS_OF + timedelta(days=1)}), AS_OF)
        assert found is not None and found.state == "unfounded"

    def test_a_missing_last_day_is_a_question_not_a_fault(self) -> None:
        found = build_exemption(network(**{**FOUNDED, "consent_valid_until": None}), AS_OF)
        assert found is not None and (found.state, [t.zh for t in found.remarks]) == ("founded", ["同意的有效期未登记"])

    def test_who_is_to_merge_asks_for_no_exemption(self) -> None:
        assert build_exemption(network(**{**FOUNDED, "target": "extranet_vpn"}), AS_OF) is None
        assert build_exemption(network(), AS_OF) is None
        undecided = build_exemption(network(**{**FOUNDED, "target": None}), AS_OF)
        assert undecided is not None and undecided.state == "founded"


def test_totals_keep_what_is_unknown_apart_from_zero() -> None:
    estate = [
        network(bandwidth_mbps=100, nodes=3, yearly_cost_yuan=1000.5),
        network(network_id="N-2", bandwidth_mbps=20),
        network(network_id="N-3", department=None, nodes=0),
    ]
    known, unknown = build_totals(estate, lambda n: n.department)
    assert (known.group, known.networks, known.bandwidth_mbps, known.bandwidth_unknown) == ("示例民政厅", 2, 120, 0)
    assert (known.nodes, known.nodes_unknown, known.yearly_cost_yuan, known.cost_unknown) == (3, 1, 1000.5, 1)
    assert (unknown.group, unknown.nodes, unknown.nodes_unknown) == (None, 0, 0)
    assert sum_networks(estate).networks == 3


def test_a_trend_tells_closed_from_vanished() -> None:
    before = [network(network_id=i, name=i, yearly_cost_yuan=10) for i in ("N-1", "N-2", "N-3", "N-4")]
    now = [
        before[0],
        replace(before[1], closed_on=date(2026, 2, 1)),
        replace(before[3], kind="extranet"),
        network(network_id="N-5", name="N-5"),
    ]
    trend = build_trend(before, now, label="去年", then_on=date(2025, 12, 1), as_of=AS_OF)
    assert (trend.then.networks, trend.now.networks) == (4, 2)
    assert (trend.closed, trend.vanished, trend.added) == (("N-2 N-2",), ("N-3 N-3", "N-4 N-4"), ("N-5 N-5",))
    assert (trend.then.yearly_cost_yuan, trend.now.yearly_cost_yuan, trend.now.cost_unknown) == (40, 10, 1)
