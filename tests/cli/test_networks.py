"""`govcloud networks` from the filled-in form to the report, as an engineer types it.

Missed otherwise: a column that the form asks for and the import drops, a report that says nothing of the line that is no
longer declared, and a file that Word or Excel can't open.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from openpyxl import Workbook, load_workbook

from govcloud.cli.main import run

HEADS = (
    "专网名称", "网络性质", "责任单位", "上级/同级/下级", "主要用途", "IP地址", "接入方式", "接入运营商", "线路带宽（Mbps）", "覆盖节点数",
    "年线路费（元）", "到期日", "开通日期", "涉密与否（是/否）", "依据文号", "同意部门", "批复文号", "批复日期", "有效期至", "带宽利用率",
    "整合方式", "目标日期", "责任人", "撤销日期", "完成证据", "承载业务清单",
)  # fmt: skip
FULL: dict[str, object] = {
    "网络性质": "业务专网", "责任单位": "示例水利厅", "上级/同级/下级": "本级", "主要用途": "水情报送", "IP地址": "172.30.5.0/24",
    "接入方式": "IPsec VPN", "接入运营商": "示例运营商", "线路带宽（Mbps）": 20, "覆盖节点数": 12, "年线路费（元）": 36000,
    "到期日": date(2027, 3, 31), "开通日期": date(2016, 5, 1), "涉密与否（是/否）": "否", "依据文号": "示例法规", "同意部门": "示例主管部门",
    "批复文号": "示例函", "批复日期": date(2024, 1, 1), "有效期至": date(2099, 1, 1), "带宽利用率": "48%", "整合方式": "保留",
    "责任人": "示例责任人",
}  # fmt: skip


def form(path: Path, *rows: dict[str, object]) -> str:
    book = Workbook()
    page = book.worksheets[0]
    page.append(HEADS)
    for row in rows:
        page.append([row.get(head) for head in HEADS])
    book.save(path)
    return str(path)


def census(path: Path) -> str:
    book = Workbook()
    page = book.worksheets[0]
    page.append(
        ("系统编号", "系统名称", "所属部门", "系统状态", "部署方式", "是否涉密", "等保级别", "数据量", "所在网络")
    )
    page.append(("SL-SL-01", "水情系统", "示例水利厅", "在用", "自有机房", "否", "二级", "10G", "防汛专网"))
    page.append(("SL-SL-02", "抗旱系统", "示例水利厅", "在用", "自有机房", "是", "三级", "10G", "防汛专网、林业专网"))
    book.save(path)
    return str(path)


@pytest.fixture(scope="module")
def workspaces(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """site -> a workspace with two forms of networks: a snapshot lies between them."""
    made: dict[str, Path] = {}

    def workspace(site: str) -> Path:
        if site not in made:
            folder = tmp_path_factory.mktemp("networks")
            made[site] = folder / "ws"
            path, book = str(folder / "ws"), folder / "业务专网调查表.xlsx"
            flood = {"专网名称": "防汛专网", "网络性质": "业务专网", "责任单位": "示例水利厅", "带宽利用率": "3%", "开通日期": date(2023, 5, 1),
                     "整合方式": "并入专用网络区", "目标日期": date(2099, 1, 1), "承载业务清单": "水情系统"}  # fmt: skip
            secret = {
                "专网名称": "机要专网",
                "网络性质": "业务专网",
                "责任单位": "示例档案局",
                "涉密与否（是/否）": "涉密",
                "整合方式": "并入政务内网",
            }
            old = {"专网名称": "旧专网", "网络性质": "业务专网", "责任单位": "示例水利厅", "年线路费（元）": 12000}
            lost = {"专网名称": "消失专网", "网络性质": "业务专网", "责任单位": "示例水利厅"}
            assert run(["init", path, "--site", site]) == 0
            assert (
                run(
                    [
                        "-w",
                        path,
                        "import",
                        form(book, {"专网名称": "水利专网", **FULL}, flood, old, lost),
                        census(folder / "普查表.xlsx"),
                    ]
                )
                == 0
            )
            assert run(["-w", path, "inventory", "snapshot", "整合前"]) == 0
            closed = {**old, "撤销日期": date(2026, 1, 31), "完成证据": "示例拆机单"}
            weak = {
                "专网名称": "应急专网",
                **FULL,
                "IP地址": "172.30.5.128/25",
                "责任单位": "示例应急厅",
                "依据文号": "无",
                "有效期至": date(2025, 1, 1),
            }
            assert (
                run(["-w", path, "import", form(book, {"专网名称": "水利专网", **FULL}, flood, closed, secret, weak)])
                == 0
            )
        return made[site]

    return workspace


@pytest.fixture
def ask(
    workspaces: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, dict[str, Any]]]:
    def call(site: str, *words: str, lang: str = "zh") -> tuple[int, dict[str, Any]]:
        path = workspaces(site)
        capsys.readouterr()
        code = run(["-w", str(path), "--lang", lang, "--format", "json", *words])
        return code, json.loads(capsys.readouterr().out)

    return call


Ask = Callable[..., tuple[int, dict[str, Any]]]


def by_name(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in view["rows"]}


def test_every_column_of_the_form_arrives(ask: Ask) -> None:
    code, found = ask("shanxi", "networks")
    assert code == 0
    row = {**by_name(found["networks"])["水利专网"], **by_name(found["network_lines"])["水利专网"]}
    row |= by_name(found["network_exemptions"])["水利专网"]
    assert {k: row[k] for k in ("department", "level", "access", "carrier", "bandwidth_mbps", "nodes", "yearly_cost_yuan",
                                "contract_ends_on", "prefixes", "utilisation_pct", "target", "responsible", "legal_basis",
                                "consent_body", "consent_document", "consent_on", "consent_valid_until", "state", "missing")} == {
        "department": "示例水利厅", "level": "own", "access": "IPsec VPN", "carrier": "示例运营商", "bandwidth_mbps": 20.0, "nodes": 12,
        "yearly_cost_yuan": 36000.0, "contract_ends_on": "2027-03-31", "prefixes": ["172.30.5.0/24"], "utilisation_pct": 48.0,
        "target": "keep", "responsible": "示例责任人", "legal_basis": "示例法规", "consent_body": "示例主管部门",
        "consent_document": "示例函", "consent_on": "2024-01-01", "consent_valid_until": "2099-01-01", "state": "founded", "missing": None,
    }  # fmt: skip
    assert by_name(found["networks_closed"])["旧专网"]["closure_evidence"] == "示例拆机单"


def test_the_blank_form_asks_for_them(workspaces: Callable[[str], Path], tmp_path: Path) -> None:
    blank = tmp_path / "form.xlsx"
    assert run(["-w", str(workspaces("shanxi")), "--lang", "zh", "template", "networks", "-o", str(blank)]) == 0
    cells = {str(c.value) for page in load_workbook(blank) for row in page.iter_rows() for c in row if c.value}
    for title in ("层级", "用途", "接入方式", "同意日期", "同意有效期至", "整合责任人", "完成证据"):
        assert any(title in cell for cell in cells), title


def test_blockers_exemptions_and_secrets_stand_apart(ask: Ask) -> None:
    _, found = ask("shanxi", "networks")
    assert set(by_name(found["networks"])) == {"水利专网", "防汛专网", "应急专网"}
    assert set(by_name(found["networks_classified"])) == {"机要专网"}
    flood = by_name(found["networks"])["防汛专网"]
    assert flood["systems"] == ["SL-SL-01 水情系统", "SL-SL-02 抗旱系统"]
    assert flood["closes"] == "尚无迁移计划"
    told = [r["blocker"] for r in found["network_blockers"]["rows"] if r["name"] == "防汛专网"]
    assert told == ["系统 SL-SL-01 水情系统 尚未迁离", "系统 SL-SL-02 抗旱系统 尚未迁离"]
    weak = by_name(found["network_exemptions"])["应急专网"]
    assert (weak["state"], weak["missing"]) == ("unfounded", "填报没有建设依据；同意已于 2025-01-01 到期")
    what = {d["kind"] for d in found["network_differences"]["details"]}
    assert {"overlap", "unlisted_network", "not_looked"} <= what


def test_new_networks_without_consent_and_funding_follow_the_offices_own_clauses(ask: Ask) -> None:
    def told(site: str) -> dict[tuple[str, str], tuple[str, str]]:
        rows = ask(site, "networks")[1]["network_findings"]["rows"]
        return {(r["name"], c): (r["standing"], r["consequence"]) for r in rows for c in r["clauses"]}

    province, county = told("shanxi"), told("jiaocheng")
    assert province["防汛专网", "SX19-11e"][0] == "binding"
    assert province["防汛专网", "SX17-3.5b"][0] == "binding" and "经费" in province["防汛专网", "SX17-3.5b"][1]
    assert county["防汛专网", "JC22-11e"][0] == "binding"
    assert all(s == "reference" for (_, clause), (s, _) in county.items() if clause.startswith("SX17"))
    assert ("防汛专网", "SX19-11e") not in county
    assert told("shandong") == {}
    notes = ask("shandong", "networks")[1]["network_clauses"]["notes"]
    assert notes == ["本地区无此条款"]


def test_the_trend_since_the_snapshot(
    ask: Ask, workspaces: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    _, found = ask("shanxi", "networks", "--since", "整合前")
    trend = found["network_trend"]
    rows = {r["item"]: (r["then"], r["now"], r["change"]) for r in trend["rows"]}
    assert rows["networks"] == (4, 4, 0)
    assert rows["yearly_cost_yuan"] == (48000, 72000, 24000)
    assert [n.split()[1] for n in trend["closed"]] == ["旧专网"]
    assert [n.split()[1] for n in trend["vanished"]] == ["消失专网"]
    assert {n.split()[1] for n in trend["added"]} == {"机要专网", "应急专网"}
    assert run(["-w", str(workspaces("shanxi")), "--lang", "zh", "networks", "--since", "没有"]) == 2
    assert "没有这个快照" in capsys.readouterr().err
    _, early = ask("shanxi", "networks", "--as-of", "2026-01-01")
    assert early["network_trend"]["rows"] == [] and "inventory snapshot" in early["network_trend"]["notes"][0]
    assert "旧专网" in by_name(early["networks"])


def test_the_plan_says_after_which_wave_it_closes(
    ask: Ask, workspaces: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-w", str(workspaces("jiaocheng")), "plan", "build", "--limit", "1"]) in (0, 1)
    capsys.readouterr()
    _, found = ask("jiaocheng", "networks", lang="en")
    (flood,) = [r for r in found["networks"]["rows"] if r["name"] == "防汛专网"]
    assert "SL-SL-02" in flood["closes"] and "in no wave" in flood["closes"], "the classified system never moves"
    closing = found["networks"]["closing"][flood["network_id"]]
    assert closing["planned"] and closing["moving"] == ["SL-SL-01"] and closing["wave"] == 1


def test_each_kind_of_file_opens_and_holds_the_report(
    workspaces: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {suffix: tmp_path / f"专网{suffix}" for suffix in (".xlsx", ".docx", ".html", ".json")}
    words = [word for file in files.values() for word in ("-o", str(file))]
    assert run(["-w", str(workspaces("shanxi")), "--lang", "zh", "networks", *words]) == 0
    assert capsys.readouterr().out.count(str(tmp_path)) == 4
    book = load_workbook(files[".xlsx"])
    assert len(book.sheetnames) >= 9
    assert "防汛专网" in {c.value for c in book.worksheets[0]["B"]}
    paper = Document(str(files[".docx"]))
    assert "防汛专网" in {c.text for table in paper.tables for row in table.rows for c in row.cells}
    page = files[".html"].read_text("utf-8")
    assert "防汛专网" in page and "<svg" in page and "依据不全" in page
    assert set(json.loads(files[".json"].read_text("utf-8"))) >= {"networks", "network_exemptions", "network_clauses"}


def test_a_file_of_another_kind_is_refused_before_any_work(
    workspaces: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "a.json", tmp_path / "b.pdf"
    assert run(["-w", str(workspaces("shanxi")), "--lang", "zh", "networks", "-o", str(good), "-o", str(bad)]) == 2
    assert ".docx" in capsys.readouterr().err
    assert not good.exists()
