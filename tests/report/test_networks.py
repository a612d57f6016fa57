"""The ledger of dedicated networks as a person reads it, in both languages.

Missed otherwise: half a sentence in the other language, or a network without consent that looks like a settled one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from govcloud.compliance.network_reconcile import build_differences
from govcloud.compliance.networks import (
    build_closed_networks,
    build_remaining_networks,
    build_totals,
    build_trend,
    sum_networks,
)
from govcloud.model.inventory import Inventory, Network, System
from govcloud.model.network_ledger import Closing, NetworkClause, NetworkLedger, RemainingNetwork
from govcloud.model.regulation import TopicCoverage
from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.network_chart import render_networks_by_department
from govcloud.report.network_document import build_network_document
from govcloud.report.network_ledger import build_network_views
from govcloud.report.networks import closes_text
from govcloud.report.text import render_json, render_text

AS_OF = date(2026, 3, 2)


def line(number: int, **facts: object) -> Network:
    usual: dict[str, object] = {"kind": "dedicated", "department": "示例民政厅", "name": f"专网{number}"}
    return Network(network_id=f"N-{number}", **{**usual, **facts})  # type: ignore[arg-type]


@pytest.fixture
def ledger() -> NetworkLedger:
    networks = (
        line(1, target="keep", consent_valid_until=date(2026, 3, 1), prefixes=("172.30.5.0/24",)),
        line(2, department=None, prefixes=("172.30.5.0/25",)), line(3, classified=True, target="extranet_vpn"),
        line(4, closed_on=date(2026, 1, 1), yearly_cost_yuan=10), line(5, prefixes=("59.200.0.0/16",), level="superior"),
    )  # fmt: skip
    inventory = Inventory(networks=networks, systems=(System(system_id="A", name="甲", networks=("N-2", "某网")),))
    rows = build_remaining_networks(inventory, AS_OF)
    remaining = [r.network for r in rows]
    clause = NetworkClause(
        clause_id="SX17-3.5b", standing="reference", obligation=Text("要求", "asks"), consequence=None, funding=True
    )
    return NetworkLedger(
        as_of=AS_OF, rows=rows, closed=build_closed_networks(inventory, AS_OF),
        by_department=build_totals(remaining, lambda n: n.department), by_target=build_totals(remaining, lambda n: n.target),
        total=sum_networks(remaining), coverage=TopicCoverage(topic="dedicated_network", title=Text("专网", "networks")),
        clauses=(clause,), differences=build_differences(inventory, (), AS_OF), undeclared=(),
        trend=build_trend(networks[:1], networks, label="去年", then_on=date(2025, 12, 1), as_of=AS_OF), plan_id=None,
        inventory=inventory,
    )  # fmt: skip


@pytest.mark.parametrize("lang", LANGS)
def test_every_table_is_told_in_one_language(ledger: NetworkLedger, lang: Lang) -> None:
    views = build_network_views(ledger)
    assert len({v.name for v in views}) == len(views)
    text = render_text(views, lang)
    names = "示例民政厅", "专网", "某网", "去年", "甲"
    if lang == "en":
        for name in (*names, "“", "”"):
            text = text.replace(name, "")
        assert text.isascii() or not [c for c in text if c > "\u2e80"], [c for c in text if c > "\u2e80"]
        assert "no clause here" in text and "is no violation" in text
    else:
        assert "本地区无此条款" in text and "不是违规" in text and "没有证据" in text
    render_json(views, lang)


def test_the_document_counts_what_is_not_founded(ledger: NetworkLedger) -> None:
    document = build_network_document(
        ledger, office="示例单位", made_at=datetime(2026, 3, 2, tzinfo=UTC), timezone="Asia/Shanghai", made_by="甲"
    )
    overview = document.sections[0]
    assert [n.value for n in overview.numbers] == [4, 1, 1, 2]
    assert overview.numbers[1].tone == "bad" and overview.numbers[1].note is not None
    assert "1" in overview.numbers[1].note.zh
    assert [s.section_id for s in document.sections] == [
        "overview", "remaining", "exemptions", "clauses", "lines", "progress", "compared",
    ]  # fmt: skip


def test_the_chart_names_departments_and_puts_the_rest_together(ledger: NetworkLedger) -> None:
    drawn = render_networks_by_department(ledger.rows, "en")
    assert "示例民政厅" in drawn and "no department" in drawn and "keep (grounds incomplete)" in drawn
    many = [
        RemainingNetwork(network=line(i, department=f"示例{i:02}局"), closing=Closing(planned=False)) for i in range(23)
    ]
    assert "3 other departments" in render_networks_by_department(many, "en")


@pytest.mark.parametrize(
    ("closing", "systems", "servers", "told"),
    [
        (Closing(planned=True), (), (), "承载什么系统未知"),
        (Closing(planned=True), ("A 甲",), (), "承载系统均已迁走或停用，可办理撤并"),
        (Closing(planned=True), (), ("bak",), "没有在用系统；先查清无主服务器"),
        (Closing(planned=False, unplanned=(Text("A", "A"),)), ("A 甲",), (), "尚无迁移计划"),
        (Closing(planned=True, moving=("A",), wave=2, on=AS_OF), ("A 甲",), (), "第 2 批（2026-03-02）之后，届时 A 已迁走"),
        (Closing(planned=True, moving=("A",), wave=2, on=date(2026, 3, 1)), ("A 甲",), (), "第 2 批（2026-03-01）之后，届时 A 已迁走；该日已过，请重新排期"),
        (Closing(planned=True, unplanned=(Text("B（闲置）", "B (idle)"),)), ("B 乙",), (), "不能确定，未排入批次：B（闲置）"),
    ],
)  # fmt: skip
def test_when_it_can_close(closing: Closing, systems: tuple[str, ...], servers: tuple[str, ...], told: str) -> None:
    row = RemainingNetwork(network=line(1), closing=closing, systems=systems, servers=servers)
    assert closes_text(row, AS_OF).zh == told
