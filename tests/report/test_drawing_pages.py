"""Drawings that are clicked: what data says must neither become markup nor lead anywhere but to our own pages."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import plan_samples as samples
import pytest
from defusedxml.ElementTree import fromstring

from govcloud.model.inventory import Network
from govcloud.model.network_ledger import Closing, Exemption, RemainingNetwork
from govcloud.model.text import LANGS, Lang, Text
from govcloud.report.charts import text_px
from govcloud.report.network_map import MOST_NETWORKS, render_network_map
from govcloud.report.plan_gantt import render_plan_gantt
from govcloud.report.plan_graph import render_plan_graph
from govcloud.report.plan_svg import Pages

SVG = "{http://www.w3.org/2000/svg}"
PAGES = Pages(subject="/plan/systems/{}", wave="/plan/waves/{}", network="/networks/{}")


def networks(count: int, names: tuple[str, ...] = ("示例专网",), systems: int = 2) -> list[RemainingNetwork]:
    targets = ("extranet_vpn", "extranet_public", "close", None, "keep")
    return [
        RemainingNetwork(
            network=Network(
                network_id=f"N-{n}", name=f"{names[n % len(names)]}{n}", department="示例民政厅", bandwidth_mbps=20.0,
                carrier=names[n % len(names)], target=targets[n % 5], classified=n == 1,
            ),
            systems=tuple(f"SL-{n * systems // 2 + s} {names[n % len(names)]}" for s in range(systems)),
            servers=("web-1",) if n % 3 == 0 else (), closing=Closing(planned=False),
            blockers=(Text("没有日期", "no date"),) if n % 2 else (),
            exemption=Exemption(state="founded") if n % 5 == 4 else None,
        )
        for n in range(count)
    ]  # fmt: skip


DRAWINGS: dict[str, Callable[[Lang, Pages | None], str]] = {
    "gantt": lambda lang, pages: render_plan_gantt(samples.office(samples.HOSTILE), lang, pages=pages),
    "graph": lambda lang, pages: render_plan_graph(samples.office(samples.HOSTILE), lang, pages),
    "waves": lambda lang, pages: render_plan_graph(samples.big(1000), lang, pages),
    "months": lambda lang, pages: render_plan_gantt(samples.big(1000), lang, pages=pages),
    "networks": lambda lang, pages: render_network_map(networks(9, samples.HOSTILE), lang, pages),
    "many": lambda lang, pages: render_network_map(networks(70, systems=8), lang, pages),
}


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", DRAWINGS)
def test_names_stay_names_and_links_stay_in_the_house(name: str, lang: Lang) -> None:
    root = fromstring(DRAWINGS[name](lang, PAGES))
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        "svg", "g", "defs", "pattern", "title", "path", "rect", "line", "text", "a",
    }  # fmt: skip
    assert not [a for e in root.iter() for a in e.attrib if a == "style" or a.startswith("on")]
    found = [e.get("href", "") for e in root.iter(f"{SVG}a")]
    assert found
    assert all(address.startswith(("/plan/", "/networks/")) for address in found)
    assert all(e.get("aria-label") for e in root.iter(f"{SVG}a"))


@pytest.mark.parametrize("name", DRAWINGS)
def test_on_paper_nothing_is_a_link(name: str) -> None:
    """A file that is handed on has no dashboard to lead to."""
    assert not list(fromstring(DRAWINGS[name]("zh", None)).iter(f"{SVG}a"))


def test_an_id_from_a_workbook_leads_to_no_other_address() -> None:
    row = networks(1)[0]
    hostile = RemainingNetwork(
        network=row.network, systems=('//elsewhere.example/"onload=x 系统',), closing=row.closing
    )
    svg = render_network_map([hostile], "zh", PAGES)
    assert [e.get("href") for e in fromstring(svg).iter(f"{SVG}a")] == [
        "/plan/systems/%2F%2Felsewhere.example%2F%22onload%3Dx",
        "/networks/N-0",
    ]


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("count", [1, 2, 7, 40, 70])
def test_no_two_boxes_of_the_map_lie_on_each_other(count: int, lang: Lang) -> None:
    root = fromstring(render_network_map(networks(count, systems=3), lang))
    boxes = [
        tuple(float(e.get(k, "0")) for k in ("x", "y", "width", "height")) for e in root.iter(f"{SVG}rect") if e.get("stroke")
    ]  # fmt: skip
    for (x, y, w, h), (x2, y2, w2, h2) in combinations(boxes, 2):
        assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y
    edge = float(root.get("width", "0"))
    for e in root.iter(f"{SVG}text"):
        assert float(e.get("x", "0")) + text_px("".join(e.itertext())[:1]) < edge


def test_the_map_says_what_it_leaves_out() -> None:
    svg = render_network_map(networks(MOST_NETWORKS + 5), "zh")
    assert "另有 5 条" in svg
    assert "没有尚存的业务专网" in render_network_map([], "zh")
    assert "示例专网1（涉密）" in svg
    assert "1 台服务器，所属系统不明" in svg
