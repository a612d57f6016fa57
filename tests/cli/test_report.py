"""`govcloud report` as an engineer types it: papers by kind, on the screen, in every form, and why there is none."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from docx import Document as open_word
from openpyxl import load_workbook

from govcloud.cli.main import run
from govcloud.model.inventory import Department, Inventory, Merged, Network, Project, System
from govcloud.model.ledger import LedgerEntry
from govcloud.model.server import Server
from govcloud.settings import open_workspace
from govcloud.store import entities
from govcloud.store import ledger as ledger_store
from govcloud.workflow.check import check_estate
from govcloud.workflow.init import init_workspace
from govcloud.workflow.paper_kind import KIND_IDS
from govcloud.workflow.papers import KINDS
from govcloud.workflow.session import open_session

NOW = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)  # 7 March in Shanxi
OURS = ("estate", "findings", "networks", "requests", "zombies", "deadlines", "month", "audit")
INVENTORY = Inventory(
    departments=(Department(department_id="D-1", name="示例交通厅"), Department(department_id="D-2", name="示例档案局")),
    systems=(
        System(
            system_id="SL-OA-01", name="协同办公系统", department="示例交通厅", classified=False, hosting="own_room",
            lifecycle="operating", mlps_level=2, users=800, in_directory=False,
        ),
        System(
            system_id="SL-DA-02", name="=档案查询系统", department="示例档案局", classified=False, hosting="own_room",
            lifecycle="idle", mlps_level=2, zombie_declared=True, cleanup_on=date(2026, 6, 30),
        ),
    ),
    servers=(Server(server_id="S-1", name="oa-01", addresses=("10.66.1.10",), declared=True, os_name="openEuler"),),
    networks=(
        Network(network_id="N-1", name="民政业务专网", kind="dedicated", department="示例交通厅", prefixes=("172.30.5.0/24",)),
        Network(network_id="N-2", name="旧专网", kind="dedicated", closed_on=date(2026, 3, 2)),
        Network(network_id="N-3", name="更旧专网", kind="dedicated", closed_on=date(2026, 2, 27)),
    ),
    projects=(
        Project(
            project_id="P-1", name="示例一期", department="示例交通厅", systems=("SL-OA-01",),
            acceptance_completed_on=date(2025, 6, 10),
        ),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = init_workspace(tmp_path_factory.mktemp("prepared") / "w", "shanxi", actor="张示例")
    with open_session(workspace, actor="张示例", now=lambda: NOW) as session:
        with session.store.begin() as tx:
            entities.replace_inventory(tx, Merged(inventory=INVENTORY), ())
        check_estate(session)
    return workspace.path


@pytest.fixture
def place(prepared: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(prepared, tmp_path / "w"))


class Typed:
    def __init__(self, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.place, self.capsys = place, capsys

    def __call__(self, *words: str, code: int = 0, lang: str = "zh", output: str = "table") -> str:
        head = ["--lang", lang, "--format", output, "-w", str(self.place)]
        assert run([*head, "report", *words]) == code
        self.out, self.err = self.capsys.readouterr()
        return self.out

    def shown(self, kind: str, *words: str) -> Any:
        (paper,) = json.loads(self("--show", "--kind", kind, *words, output="json"))["papers"]
        return paper

    def last_record(self) -> Any:
        assert run(["--format", "json", "-w", str(self.place), "audit", "log", "--limit", "1"]) == 0
        return json.loads(self.capsys.readouterr()[0])["ledger"]["records"][-1]


@pytest.fixture
def typed(place: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    return Typed(place, capsys)


def table(paper: Any, name: str) -> Any:
    return next(section["views"][name]["rows"] for section in paper["sections"] if name in section["views"])


def test_every_kind_has_a_name_of_its_own() -> None:
    names = [kind.kind_id for kind in KINDS]
    assert tuple(names) == KIND_IDS and len(set(names)) == len(names) and set(OURS) <= set(names)
    assert all(name.isascii() and name.replace("-", "").islower() for name in names)


@pytest.mark.parametrize("kind", ["estate", "findings", "networks", "zombies", "deadlines", "audit"])
def test_a_paper_is_shown_in_both_languages_and_nothing_is_written(typed: Typed, place: Path, kind: str) -> None:
    before = sorted(place.rglob("*"))
    zh, en = typed("--show", "--kind", kind), typed("--show", "--kind", kind, lang="en")
    assert zh.startswith("# ") and en.startswith("# ") and zh != en and "一、" in zh and "\n1. " in en
    assert [p for p in sorted(place.rglob("*")) if p.suffix in (".docx", ".html")] == []
    assert [p for p in before if not p.exists()] == []
    assert typed.last_record()["kind"] == "check", "who only looks leaves no record"


def test_papers_are_written_in_every_form_with_the_same_tables(typed: Typed, tmp_path: Path) -> None:
    out = tmp_path / "out"
    forms = [word for form in ("docx", "html", "xlsx", "json") for word in ("--as", form)]
    typed("-o", str(out), "--kind", "findings", *forms)
    assert sorted(p.name for p in out.iterdir()) == [f"findings.zh.{s}" for s in ("docx", "html", "json", "xlsx")]
    paper = json.loads((out / "findings.zh.json").read_text("utf-8"))
    ids = [row["finding_id"] for row in table(paper, "rectification")]
    word = open_word(str(out / "findings.zh.docx"))
    written = {cell.text for t in word.tables for row in t.rows for cell in row.cells}
    book = load_workbook(out / "findings.zh.xlsx")
    sheet = {cell.value for page in book.worksheets for row in page.iter_rows() for cell in row}
    html = (out / "findings.zh.html").read_text("utf-8")
    assert ids and set(ids) <= written and set(ids) <= sheet and all(i in html for i in ids)
    assert not [c for page in book.worksheets for row in page.iter_rows() for c in row if c.data_type == "f"]
    record = typed.last_record()
    digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in out.iterdir()}
    assert record["body"]["files"] == digests and sorted(record["evidence"]) == sorted(digests.values())


def test_the_same_state_gives_the_same_word_file_but_for_its_hour(prepared: Path, tmp_path: Path) -> None:
    """Two copies of one workspace at one instant: a paper copy can be matched to its record by its digest."""
    from govcloud.report.docx import render_docx
    from govcloud.workflow.paper_kind import Scope
    from govcloud.workflow.papers import build_papers

    made = []
    for name in ("a", "b"):
        workspace = open_workspace(Path(shutil.copytree(prepared, tmp_path / name)))
        with open_session(workspace, actor="张示例", now=lambda: NOW) as session:
            papers, _ = build_papers(session, [k for k in KINDS if k.kind_id in OURS], Scope())
            made.append({p.stem: render_docx(p.document, "zh") for p in papers})
    assert made[0] == made[1] and "estate" in made[0] and "month-2026-03" in made[0]


def test_a_kind_without_data_says_why_and_what_to_do(typed: Typed, tmp_path: Path) -> None:
    out = typed("-o", str(tmp_path / "out"), "--kind", "requests", "--kind", "estate", code=1)
    assert "estate.zh.docx" in out and "govcloud check request" in out and "requests" not in "".join(
        p.name for p in (tmp_path / "out").iterdir()
    )  # fmt: skip
    for kind, command in (("cutover", "plan build"), ("run-report", "run start"), ("handover-form", "takeover start")):
        assert f"govcloud {command}" in typed("--show", "--kind", kind, code=1)


def test_an_empty_workspace_gives_no_empty_papers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = Typed(init_workspace(tmp_path / "empty", "shanxi", actor="张示例").path, capsys)
    for kind in ("estate", "findings", "networks", "zombies", "deadlines", "requests"):
        assert "govcloud" in typed("--show", "--kind", kind, code=1)
    assert "核对通过" in typed("--show", "--kind", "audit")


def test_a_department_gets_its_own_list_to_sign(typed: Typed, tmp_path: Path) -> None:
    paper = typed.shown("findings", "--department", "示例交通厅")
    assert "示例交通厅" in paper["title"] and paper["opening"][0] == "示例交通厅："
    assert {row["department"] for row in table(paper, "rectification")} == {"示例交通厅"}
    assert paper["signatures"][0]["signed_by"] is None
    typed("-o", str(tmp_path / "out"), "--kind", "findings", "--kind", "zombies", "--department", "示例档案局")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "findings-示例档案局.zh.docx",
        "zombies-示例档案局.zh.docx",
    ]
    typed("--show", "--kind", "findings", "--department", "没有这个厅", code=1)
    typed("--show", "--kind", "audit", "--department", "示例交通厅", code=2)
    assert "findings" in typed.err, "it says which papers can be"


def test_a_department_s_name_is_no_path(typed: Typed, tmp_path: Path) -> None:
    typed("-o", str(tmp_path / "out"), "--kind", "deadlines", "--department", "../../x", code=1)
    assert not list(tmp_path.glob("x*")) and not (tmp_path / "out" / "..").joinpath("x").exists()


def test_a_month_is_counted_by_the_office_s_days(typed: Typed) -> None:
    """17:30 UTC of 6 March is 7 March here; what was closed in February is February's."""
    paper = typed.shown("month", "--month", "2026-03")
    assert [row["network_id"] for row in table(paper, "month_networks_closed")] == ["N-2"]
    assert [row["failed"] > 0 for row in table(paper, "month_checks")] == [True]
    assert table(paper, "month_records") == [{"kind": "check", "records": 1}]
    assert "2026年3月" in paper["title"]
    typed("--show", "--kind", "month", "--month", "2025-01", code=1)
    typed("--show", "--kind", "month", "--month", "2025-13", code=2)


def test_a_month_tells_what_became_of_systems(typed: Typed) -> None:
    """Half past midnight of 1 March is March here, half an hour before midnight is not; what nobody can read is counted only."""
    march, february = datetime(2026, 2, 28, 16, 30, tzinfo=UTC), datetime(2026, 2, 28, 15, 30, tzinfo=UTC)
    with (
        open_session(open_workspace(typed.place), actor="张示例", now=lambda: NOW) as session,
        session.store.begin() as tx,
    ):
        for at, kind, body in (
            (march, "run_state", {"state": "trial"}), (march, "run_state", {"state": "running"}),
            (february, "run_state", {"state": "failed"}), (march, "signoff", {"role": "owner"}),
            (march, "waiver", {"what": "add"}), (march, "check", {"what": "request", "conclusion": "reject"}),
            (march, "check", {"what": "estate"}), (march, "signoff", {}), (march, "import", {"added": "many"}),
        ):  # fmt: skip
            entry = LedgerEntry(kind=kind, actor="甲", at=at, subject_id="SL-OA-01", run_id="R-1", body=body)
            ledger_store.append(tx, entry)
    paper = typed.shown("month", "--month", "2026-03")
    assert [row["state"] for row in table(paper, "month_moved")] == ["trial"]
    assert [(row["role"], row["actor"]) for row in table(paper, "month_signed")] == [("owner", "甲")]
    numbers = {n["label"]: n["value"] for n in paper["sections"][0]["numbers"]}
    assert (numbers["完成迁移系统"], numbers["审核资源申请"], numbers["移交签署"]) == (1, 1, 1)
    assert {r["kind"]: r["records"] for r in table(paper, "month_records")} == {
        "check": 3, "import": 1, "run_state": 2, "signoff": 2, "waiver": 1,
    }  # fmt: skip


def test_systems_that_departments_give_up_are_listed_with_the_day(typed: Typed) -> None:
    rows = table(typed.shown("zombies"), "zombie_cleanup")
    assert [row["system"] for row in rows] == ["SL-DA-02 =档案查询系统"]
    assert rows[0]["cleanup_on"] == "2026-06-30" and rows[0]["declared"] is True


def test_show_needs_to_know_what(typed: Typed) -> None:
    typed("--show", code=2)
    assert "--kind" in typed.err
    typed("--kind", "poem", code=2)


def test_csv_of_a_paper_runs_no_formula(typed: Typed) -> None:
    out = typed("--show", "--kind", "estate", output="csv")
    assert "'=档案查询系统" in out and ",=档案" not in out
