"""The ledger of dedicated networks from what is stored: hosts, plan, waivers and snapshots beside the declared networks.

Missed otherwise: evidence of a host that is lost between the store and the report.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from govcloud.discovery.facts import render_interface, render_route
from govcloud.errors import UsageError
from govcloud.model.observation import Statement, SubjectKind, Value
from govcloud.model.server import Interface, Route
from govcloud.model.waiver import Waiver
from govcloud.store.waiver import add_waiver
from govcloud.workflow.networks import list_remaining
from govcloud.workflow.session import Session
from govcloud.workflow.snapshots import take_snapshot
from govcloud.workflow.statements import store_statements

AT = datetime(2026, 3, 6, tzinfo=UTC)
"""A day before the session's clock."""


def said(kind: SubjectKind, subject_id: str, source: str = "workbook", /, **values: Value) -> Statement:
    place = "专网调查表.xlsx!专网!" if source == "workbook" else f"ssh://{subject_id}/"
    return Statement(
        subject_kind=kind, subject_id=subject_id, source=source, place=place, observed_at=AT, values=values,
        cells=dict.fromkeys(values, "C7") if source == "workbook" else {},
    )  # fmt: skip


def line(network_id: str, prefix: str, **values: Value) -> Statement:
    return said(
        "network",
        network_id,
        name=f"专网{network_id}",
        kind="dedicated",
        department="示例水利厅",
        prefixes=(prefix,),
        **values,
    )


def declare(session: Session, *statements: Statement) -> None:
    store_statements(session, kind="import", source="专网调查表.xlsx", statements=statements, body={})


def test_hosts_are_held_against_what_was_declared(session: Session) -> None:
    declare(
        session, line("N-seen", "172.30.5.0/24"), line("N-route", "172.30.6.0/24"), line("N-unseen", "172.30.7.0/24"),
        line("N-shut", "172.30.8.0/24", closed_on="2026-03-01"),
        said("system", "S-1", name="水情系统", department="示例水利厅", servers=("H-1",)),
    )  # fmt: skip
    legs = (("eth0", "10.66.1.10/24"), ("eth1", "172.30.5.9/24"), ("eth2", "172.30.8.9/24"), ("eth3", "192.168.9.4/24"))
    host = said(
        "server", "H-1", "ssh", name="water-01", addresses=tuple(a.partition("/")[0] for _, a in legs),
        interfaces=tuple(render_interface(Interface(name=n, kind="ethernet", addresses=(a,))) for n, a in legs),
        routes=(render_route(Route(destination="172.30.6.0/24", gateway="172.30.5.1", interface="eth1")),),
    )  # fmt: skip
    store_statements(session, kind="discover", source="ssh", statements=[host], body={})
    ledger = list_remaining(session)
    found = {d.kind: (d.networks, d.prefix) for d in ledger.differences if d.kind != "unlisted_block"}
    assert found == {
        "closed_but_seen": (("N-shut",), None), "closed_but_used": (("N-shut",), None), "unseen": (("N-unseen",), None),
    }  # fmt: skip
    assert {d.prefix for d in ledger.differences if d.kind == "unlisted_block"} == {"10.66.1.0/24", "192.168.9.0/24"}
    assert {e.prefix for e in ledger.undeclared} == {"10.66.1.0/24", "192.168.9.0/24"}
    (seen,) = [r for r in ledger.rows if r.network.network_id == "N-seen"]
    assert seen.systems == ("S-1 水情系统",)


def test_a_trend_needs_only_what_was_said_of_networks(session: Session) -> None:
    declare(session, line("N-1", "172.30.5.0/24", yearly_cost_yuan=1000.0), line("N-2", "172.30.6.0/24"))
    with pytest.raises(UsageError, match="snapshot"):
        list_remaining(session, since="整合前")
    assert list_remaining(session).trend is None
    take_snapshot(session, "整合前")
    declare(session, line("N-1", "172.30.5.0/24", yearly_cost_yuan=1000.0, closed_on="2026-03-07"))
    trend = list_remaining(session).trend
    assert trend is not None and (trend.label, trend.then_on) == ("整合前", date(2026, 3, 7))
    assert (trend.then.networks, trend.now.networks) == (2, 0)
    assert (trend.closed, trend.vanished) == (("N-1 专网N-1",), ("N-2 专网N-2",))
    before = list_remaining(session, date(2026, 3, 6))
    assert before.trend is None, "on that day there was no snapshot"
    assert [r.network.network_id for r in before.rows] == ["N-1"]


def test_a_waiver_is_shown_with_the_finding_that_it_covers(session: Session) -> None:
    declare(session, line("N-1", "172.30.5.0/24", built_on="2021-05-01", legal_basis="", consent_document=""))
    (row,) = list_remaining(session).rows
    (finding,) = [f for f in row.findings if "SX19-11e" in f.clauses]
    assert (finding.verdict, finding.standing, finding.waived) == ("fail", "binding", False)
    granted = Waiver(
        waiver_id="V-1", finding_id=finding.finding_id, rule_id=finding.rule_id, subject_id="N-1", reason="示例理由",
        role="authority", role_term="示例主管部门", approver="示例领导", document="示例函", approved_on=date(2026, 3, 1),
        valid_until=date(2026, 3, 7), recorded_by="甲", recorded_at=AT,
    )  # fmt: skip
    with session.store.begin() as tx:
        add_waiver(tx, granted)

    def waived(day: date) -> list[str]:
        return [f.finding_id for r in list_remaining(session, day).rows for f in r.findings if f.waived]

    assert waived(date(2026, 3, 7)) == [finding.finding_id]
    assert waived(date(2026, 3, 8)) == []
