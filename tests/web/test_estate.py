"""What a visitor sees of the estate: lists that narrow and turn pages, one system's whole story, numbers that lead somewhere."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from served import AT, Served, csrf, serving, workspace

from govcloud.errors import OutsideError
from govcloud.model.observation import Statement
from govcloud.model.text import Text
from govcloud.settings import open_workspace
from govcloud.store import inventory as inventory_store
from govcloud.workflow import lists
from govcloud.workflow.check import check_estate
from govcloud.workflow.init import init_workspace
from govcloud.workflow.kept import kept
from govcloud.workflow.plan import build_plan
from govcloud.workflow.session import Session, open_session
from govcloud.workflow.statements import merge_inventory

DEPARTMENT = "示例交通厅"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, httpx.Client]]:
    """Imported, checked and planned; tests that only look share it."""
    with workspace(tmp_path_factory.mktemp("office") / "w") as session:
        check_estate(session)
        build_plan(session)
        with serving(session) as served, served.local() as page:
            yield served, page


@pytest.fixture
def page(office: tuple[Served, httpx.Client]) -> httpx.Client:
    return office[1]


def _ids(answer: httpx.Response, room: str) -> list[str]:
    assert answer.status_code == 200, answer.text
    return re.findall(rf'<td class="left"><a href="/{room}/([^"]+)">', answer.text)


def test_systems_are_narrowed_by_what_offices_ask_for(page: httpx.Client) -> None:
    every = _ids(page.get("/systems"), "systems")
    assert len(every) == 18
    of_department = _ids(page.get("/systems", params={"department": DEPARTMENT}), "systems")
    assert 0 < len(of_department) < 18
    assert _ids(page.get("/systems", params={"hosting": "gov_cloud"}), "systems") == ["SL-JT-14"]
    assert "SL-JT-13" in _ids(page.get("/systems", params={"level": "unknown"}), "systems")
    assert _ids(page.get("/systems", params={"network": "交通视频"}), "systems") == ["SL-JT-12"]
    assert _ids(page.get("/systems", params={"find": "协同办公"}), "systems") == ["SL-OA-01"]
    both = page.get("/systems", params={"find": "系统", "department": DEPARTMENT, "hosting": "own_room", "level": "3"})
    assert set(_ids(both, "systems")) < set(of_department)


def test_systems_are_sorted_both_ways(page: httpx.Client) -> None:
    most = _ids(page.get("/systems", params={"order": "users"}), "systems")
    assert most[0] == "SL-JT-10"
    assert _ids(page.get("/systems", params={"order": "-id"}), "systems")[0] == "SL-ZB-07"
    assert len(_ids(page.get("/systems", params={"order": "nonsense"}), "systems")) == 18


def test_a_search_finds_servers_by_address_and_by_the_system_on_them(page: httpx.Client) -> None:
    assert "oa-01" in page.get("/servers", params={"find": "10.66.1.10"}).text
    assert "oa-01" in page.get("/servers", params={"find": "SL-OA-01"}).text
    assert _ids(page.get("/servers", params={"find": "nothing has this"}), "servers") == []


def test_a_filter_that_nothing_fits_says_so(page: httpx.Client) -> None:
    answer = page.get("/systems", params={"department": "没有这个部门"})
    assert answer.status_code == 200
    assert "没有符合条件的记录" in answer.text
    assert 'href="?">清除条件' in answer.text


def test_an_exported_list_is_whole_and_narrowed_like_the_page(page: httpx.Client) -> None:
    answer = page.get("/systems", params={"department": DEPARTMENT, "as": "json"})
    shown = _ids(page.get("/systems", params={"department": DEPARTMENT}), "systems")
    assert [row["system_id"] for row in answer.json()["systems"]["rows"]] == shown


def test_one_system_tells_its_whole_story(page: httpx.Client) -> None:
    text = page.get("/systems/SL-OA-01").text
    for told in (
        "普查表.xlsx",  # where a fact comes from
        "oa-01",  # its server
        "政务外网",  # its network
        "SL-XF-02",  # who needs it
        "F-",  # what is wrong
        "/plan/systems/SL-OA-01",  # its place in the plan
        "govcloud run start --wave",  # the next command
        "SLXM-2023-01",  # its project
        "编制迁移计划",  # its timeline
        "各来源的说法",  # all witnesses
    ):
        assert told in text, told


def test_the_story_is_told_in_english_too(office: tuple[Served, httpx.Client]) -> None:
    page = office[1]
    text = page.get("/systems/SL-OA-01", headers={"Accept-Language": "en"}).text
    assert "What comes next" in text
    assert "Where it stands" in text


def test_a_system_that_nobody_knows_is_no_page(page: httpx.Client) -> None:
    assert page.get("/systems/SL-NO-99").status_code == 404
    assert page.get("/departments/没有").status_code == 404


def test_a_department_leads_to_its_systems_and_findings_and_to_no_others(page: httpx.Client) -> None:
    text = page.get(f"/departments/{quote(DEPARTMENT)}").text
    way = f"department={quote(DEPARTMENT)}"
    assert f'href="/systems?{way}"' in text
    found = re.search(r'href="(/findings\?[^"]+)">不符合项 (\d+)<', text)
    assert found
    listed = page.get(found[1].replace("&amp;", "&"), params={"as": "json", "department": DEPARTMENT}).json()[
        "findings"
    ]["rows"]
    assert len(listed) == int(found[2])
    assert {row["department"] for row in listed} == {DEPARTMENT}


def test_every_number_of_the_overview_leads_to_what_it_counts(page: httpx.Client) -> None:
    text = page.get("/").text
    paths = re.findall(r'<dt><a href="([^"]+)">', text)
    assert {"/systems", "/servers", "/findings", "/networks", "/deadlines", "/plan"} <= set(paths)
    for path in paths:
        assert page.get(path.replace("&amp;", "&")).status_code == 200, path
    number = re.search(r'href="/findings">[^<]+</a></dt>\s*<dd>([\d,]+)<', text)
    assert number
    assert f"共 {number[1]} 项" in page.get("/findings").text


def test_every_system_is_at_one_place_of_the_road_and_in_one_kind_of_hosting(page: httpx.Client) -> None:
    text = page.get("/").text
    systems = re.search(r'<a href="/systems">[^<]+</a></dt>\s*<dd>(\d+)<', text)
    assert systems
    for chart in ("by-road", "by-hosting"):
        table = text.split(f'aria-labelledby="{chart}-title"')[1].split("</table>")[0]
        assert sum(map(int, re.findall(r'<td class="right">(\d+)</td>', table))) == int(systems[1])


def test_a_department_of_the_overview_leads_to_as_many_findings_as_it_counts(page: httpx.Client) -> None:
    table = page.get("/").text.split('aria-labelledby="by-department-title"')[1].split("</table>")[0]
    row = next(r for r in table.split("<tr>") if f">{DEPARTMENT}<" in r)
    way, total = re.search(r'href="([^"]+)"', row), re.findall(r'<td class="right">(\d+)</td>', row)[-1]
    assert way
    assert f"共 {total} 项" in page.get(way[1].replace("&amp;", "&")).text


def test_a_network_is_drawn_with_what_is_on_it_and_where_it_goes(page: httpx.Client) -> None:
    listed = page.get("/networks").text
    network = re.search(r'href="(/networks/[^"]+)"[^>]*aria-label="民政业务专网', listed)
    assert network
    drawn = _drawing(page, network[1])
    assert 'href="/systems/SL-MZ-03"' in drawn
    assert "并入外网专用区" in drawn
    extranet = re.search(r'<a href="(/networks/[^"]+)"', page.get("/systems/SL-OA-01").text)
    assert extranet
    drawn = _drawing(page, extranet[1])
    assert 'href="/systems/SL-OA-01"' in drawn
    assert re.search(r'href="/servers/[^"]+" aria-label="oa-01', drawn)
    assert "去向" not in drawn, "only a dedicated network has to go somewhere"


def _drawing(page: httpx.Client, path: str) -> str:
    return page.get(path).text.split("<svg")[1].split("</svg>")[0]


def test_a_finding_in_a_list_leads_to_what_it_is_about(page: httpx.Client) -> None:
    text = page.get("/findings", params={"find": "SL-OA-01"}).text
    assert '<a href="/systems/SL-OA-01">SL-OA-01</a>' in text


def test_before_the_first_import_each_page_says_what_to_do(tmp_path: Path) -> None:
    init_workspace(tmp_path / "w", "shanxi", actor="张示例")
    with (
        open_session(open_workspace(tmp_path / "w"), actor="张示例", now=lambda: AT) as session,
        serving(session) as served, served.local() as visitor,
    ):  # fmt: skip
        for path in ("/", "/departments", "/systems", "/servers", "/networks"):
            answer = visitor.get(path)
            assert answer.status_code == 200, path
            assert "govcloud import" in answer.text, path


def test_styles_and_scripts_of_another_version_have_another_address(page: httpx.Client) -> None:
    """Or people would see the new pages in the old styles."""
    text = page.get("/networks").text
    found = re.findall(r'(?:href|src)="(/static/[^"]+)"', text)
    assert len(found) == 4
    for address in found:
        answer = page.get(address)
        assert address.endswith(f"?v={hashlib.sha256(answer.content).hexdigest()[:12]}")
        assert "immutable" in answer.headers["cache-control"]


def test_findings_are_turned_page_by_page_without_losing_one(office: tuple[Served, httpx.Client]) -> None:
    served, page = office
    first, second = (_ids(page.get("/findings", params={"page": n}), "findings") for n in (1, 2))
    assert len(first) == 50
    whole = lists.list_findings(served.session, lists.FindingQuestion(), lists.Part())
    assert first + second == [f.finding_id for f in whole.findings]


def test_findings_are_narrowed_by_severity_clause_and_kind(page: httpx.Client) -> None:
    high = page.get("/findings", params={"severity": "high"})
    assert 0 < len(_ids(high, "findings")) < 50
    of_clause = page.get("/findings", params={"clause": "SX19-11d", "as": "json"}).json()["findings"]["rows"]
    assert all("SX19-11d" in row["clauses"] for row in of_clause)
    assert of_clause
    missing = page.get("/findings", params={"kind": "undetermined"}).text
    assert "缺少字段" in missing


def test_a_department_with_a_name_inside_of_another_has_its_own_rows_only(session: Session) -> None:
    said = [
        Statement(
            subject_kind="system", subject_id=f"SL-X-{n}", source="workbook", place="test!1", observed_at=session.now(),
            values={"name": f"示例{n}", "department": name},
        )
        for n, name in enumerate(("示例局", "示例局分局"))
    ]  # fmt: skip
    _store(session, said)
    whole = lists.list_systems(session, lists.SystemQuestion(department="示例局"), lists.Part())
    assert [s.system_id for s in whole.entities] == ["SL-X-0"]
    part = lists.list_systems(session, lists.SystemQuestion(department="局分"), lists.Part())
    assert [s.system_id for s in part.entities] == ["SL-X-1"]


def test_what_is_imported_shows_in_the_next_list(session: Session) -> None:
    before = lists.list_systems(session, lists.SystemQuestion(), lists.Part()).total
    new = Statement(
        subject_kind="system", subject_id="SL-X-1", source="workbook", place="test!1", observed_at=session.now(),
        values={"name": "示例新系统"},
    )  # fmt: skip
    _store(session, [new])
    assert lists.list_systems(session, lists.SystemQuestion(), lists.Part()).total == before + 1
    assert lists.list_systems(session, lists.SystemQuestion(find="新系统"), lists.Part()).total == 1


def test_what_is_kept_is_worked_out_again_when_it_changed_and_only_then(session: Session) -> None:
    asked: list[str] = []

    def build(_: Session) -> int:
        asked.append("built")
        return len(asked)

    def value(at: Session) -> int:
        return kept(at, "test", build, kinds=("check",)).value

    assert (value(session), value(session)) == (1, 1)
    check_estate(session)
    assert (value(session), value(session)) == (2, 2)
    tomorrow = replace(session, now=lambda: session.now() + timedelta(days=1))
    assert value(tomorrow) == 3


def test_two_who_ask_at_once_have_it_worked_out_once(session: Session) -> None:
    began, asked = threading.Event(), []

    def build(_: Session) -> int:
        asked.append(1)
        began.wait(5)
        return len(asked)

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(kept, session, "test", build) for _ in range(2)]
        began.set()
        assert [f.result().value for f in both] == [1, 1]


def test_what_failed_is_tried_again_by_the_next_who_asks(session: Session) -> None:
    answers = iter((None, 7))

    def build(_: Session) -> int:
        if (value := next(answers)) is None:
            raise OutsideError(Text("示例", "example"), where="test")
        return value

    with pytest.raises(OutsideError):
        kept(session, "test", build)
    assert kept(session, "test", build).value == 7


def _store(session: Session, said: list[Statement]) -> None:
    with session.store.begin() as tx:
        number = inventory_store.add_batch(
            tx,
            batch_id="test",
            kind="confirm",
            source="test",
            sha256="0" * 64,
            at=session.now(),
            actor="张示例",
            body={},
        )
        inventory_store.add_statements(tx, number, said)
        merge_inventory(session, tx)


_WAIVER = {
    "reason": "示例理由", "role": "authority", "approver": "王示例", "document": "示例批复", "approved_on": "2026-11-01",
    "valid_until": "2027-03-31",
}  # fmt: skip


def test_a_waiver_given_by_form_is_recorded_in_the_visitors_name_and_can_be_withdrawn(
    session: Session, tmp_path: Path
) -> None:
    check_estate(session)
    with serving(session) as served, served.local() as page:
        before = _ids(page.get("/findings", params={"clause": "SX19-11d"}), "findings")
        form = page.get(f"/findings/{before[0]}")
        done = page.post(f"/findings/{before[0]}/waivers", data={**_WAIVER, "csrf": csrf(form)})
        assert "已登记豁免" in done.text
        assert before[0] not in _ids(page.get("/findings", params={"clause": "SX19-11d"}), "findings")
        assert before[0] in _ids(page.get("/findings", params={"kind": "waived"}), "findings")
        waiver_id = re.search(r"/waivers/([^/]+)/withdrawal", done.text)
        assert waiver_id
        gone = page.post(
            f"/findings/{before[0]}/waivers/{waiver_id[1]}/withdrawal", data={"reason": "示例", "csrf": csrf(done)}
        )
        assert "已撤销豁免" in gone.text
        assert before[0] in _ids(page.get("/findings", params={"clause": "SX19-11d"}), "findings")
        assert page.get("/ledger", params={"kind": "waiver"}).text.count("张示例") >= 2


@pytest.mark.parametrize(
    "wrong", [{"approved_on": "gestern"}, {"valid_until": "2020-01-01"}, {"role": "owner"}, {"reason": " "}]
)
def test_a_waiver_that_cannot_be_is_refused_with_the_reason(session: Session, wrong: dict[str, str]) -> None:
    check_estate(session)
    with serving(session) as served, served.local() as page:
        (finding_id, *_) = _ids(page.get("/findings", params={"clause": "SX19-11d"}), "findings")
        form = page.get(f"/findings/{finding_id}")
        answer = page.post(f"/findings/{finding_id}/waivers", data={**_WAIVER, **wrong, "csrf": csrf(form)})
        assert answer.status_code in (400, 422)
        assert finding_id in _ids(page.get("/findings", params={"clause": "SX19-11d"}), "findings")
