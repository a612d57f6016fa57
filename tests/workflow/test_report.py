"""The report holds what the workspace holds, says what is missing, and can be matched to its records."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from openpyxl import load_workbook

sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))

from sample_spec import GOOD

from govcloud.cli.main import run
from govcloud.errors import OutsideError
from govcloud.events import Event
from govcloud.model.attempt import Attempt, AttemptKey, ResultStatus, StepResult
from govcloud.model.gate import Answer, Gate
from govcloud.model.handover import Handover
from govcloud.model.inventory import Department, Dependency, Inventory, Merged, Network, Project, System
from govcloud.model.migration import MigrationSpec
from govcloud.model.run import Run, RunSystem
from govcloud.model.server import Server
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Text
from govcloud.settings import Workspace, open_workspace
from govcloud.store import attempt as attempt_store
from govcloud.store import entities
from govcloud.store import gate as gate_store
from govcloud.store import handover as handover_store
from govcloud.store import ledger as ledger_store
from govcloud.store import run as run_store
from govcloud.workflow.check import check_estate
from govcloud.workflow.init import init_workspace
from govcloud.workflow.plan import PlanOrder, build_plan
from govcloud.workflow.report import PAGES, write_report
from govcloud.workflow.session import Session, open_session

NOW = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)
SECTIONS = ["概况", "资产", "问题清单", "业务专网", "项目期限", "迁移计划", "执行", "运维接管", "台账"]
INVENTORY = Inventory(
    departments=(Department(department_id="D-1", name="示例交通厅"),),
    systems=(
        System(
            system_id="SL-OA-01", name="协同办公系统", department="示例交通厅", classified=False, hosting="own_room",
            lifecycle="operating", mlps_level=2, users=800, servers=("S-1",), data_gib=12.0, in_directory=False,
        ),
        System(
            system_id="SL-XF-02", name="=信访件管理系统", department="示例交通厅", classified=False, hosting="own_room",
            lifecycle="operating", mlps_level=2, data_gib=3.0,
        ),
    ),
    servers=(
        Server(server_id="S-1", name="oa-01", addresses=("10.66.1.10",), declared=True, seen=True),
        Server(server_id="S-2", name="bak-77", addresses=("10.66.1.77",), declared=False, seen=True),
    ),
    networks=(Network(network_id="N-1", name="民政业务专网", kind="dedicated", prefixes=("172.30.5.0/24",)),),
    dependencies=(Dependency(dependency_id="E-1", source_id="SL-XF-02", target_id="SL-OA-01", strength="weak"),),
    projects=(
        Project(project_id="P-1", name="示例一期", systems=("SL-OA-01",), acceptance_completed_on=date(2025, 6, 10)),
    ),
)  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return init_workspace(tmp_path / "w", "shanxi", actor="张示例")


@contextmanager
def opened(workspace: Workspace) -> Iterator[Session]:
    with open_session(workspace, actor="张示例", now=lambda: NOW) as session:
        yield session


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that was imported into, checked and planned; each test works on a copy."""
    workspace = init_workspace(tmp_path_factory.mktemp("prepared") / "w", "shanxi", actor="张示例")
    with opened(workspace) as session:
        with session.store.begin() as tx:
            entities.replace_inventory(tx, Merged(inventory=INVENTORY), ())
        check_estate(session)
        build_plan(session, PlanOrder(starts_on=date(2026, 3, 9), limit_s=5))
    return workspace.path


@pytest.fixture(scope="module")
def reported(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a report; tests only read in it."""
    folder = tmp_path_factory.mktemp("reported")
    with opened(open_workspace(Path(shutil.copytree(prepared, folder / "w")))) as session:
        write(session, folder / "out")
    return folder / "out"


@pytest.fixture
def filled(prepared: Path, tmp_path: Path) -> Workspace:
    return open_workspace(Path(shutil.copytree(prepared, tmp_path / "filled")))


def write(session: Session, folder: Path) -> list[Path]:
    return list(write_report(session, folder).files)


def migrate_and_hand_over(session: Session) -> None:
    """One run whose verification failed and that was rolled back, and one takeover that has begun, as the verbs store them."""
    spec = msgspec.convert(GOOD, MigrationSpec)
    run = Run(
        run_id="R-1", systems=("SL-OA-01",), scope={}, scope_hash="ab" * 32, created_at=NOW, created_by="操作员甲"
    )  # fmt: skip
    row = RunSystem(
        run_id="R-1", system_id="SL-OA-01", position=1, spec=spec, scope_hash="ab" * 32, state="rolled_back", since=NOW
    )  # fmt: skip
    gate = Gate(
        gate_id="R-1/SL-OA-01/freeze/1", run_id="R-1", system_id="SL-OA-01", step="freeze", kind="window",
        scope_hash="ab" * 32, opened_at=NOW,
    )  # fmt: skip
    handover = Handover(
        handover_id="H-1", system_id="SL-OA-01", builder="示例建设单位", builder_key="ssh-ed25519 AAAA x",
        hosts=("cloud-01",), started_by="操作员甲", started_at=NOW,
    )  # fmt: skip
    with session.store.begin() as tx:
        run_store.add_run(tx, run, [row])
        gate_store.open_gate(tx, gate)
        gate_store.add_answer(
            tx,
            Answer(gate_id=gate.gate_id, actor="审批人乙", at=NOW, granted=True, expires_at=NOW + timedelta(hours=72)),
        )
        done: tuple[tuple[StepName, Phase, ResultStatus], ...] = (
            ("precheck", "apply", "ok"), ("verify_service", "apply", "failed"), ("freeze", "rollback", "ok"),
        )  # fmt: skip
        for minute, (step, phase, status) in enumerate(done):
            attempt = Attempt(
                key=AttemptKey(run_id="R-1", system_id="SL-OA-01", step=step, phase=phase, number=1), token=minute + 1,
                executor="m/x", machine_id="m", state="intended", claimed_at=NOW + timedelta(minutes=minute), heartbeat_at=NOW,
            )  # fmt: skip
            attempt_store.add_attempt(tx, attempt)
            result = StepResult(
                status=status, started_at=NOW, finished_at=NOW + timedelta(seconds=7), evidence_sha256="cd" * 32,
                reasons=() if status == "ok" else (Text("自检返回 500", "the self-test returned 500"),),
            )  # fmt: skip
            assert attempt_store.finish(tx, attempt, result)
        handover_store.save_handover(tx, handover)


def test_runs_and_takeovers_are_shown_step_by_step(filled: Workspace, tmp_path: Path) -> None:
    with opened(filled) as session:
        migrate_and_hand_over(session)
        files = write(session, tmp_path / "out")
    html = files[0].read_text("utf-8")
    runs, _, rest = html.partition('<section id="runs"')[2].partition('<section id="handover"')
    for words in ("R-1", "已回退", "自检返回 500", "审批人乙", "cdcdcdcdcdcdcdcd"):
        assert words in runs
    for words in ("H-1", "示例建设单位", "接管清单"):
        assert words in rest
    assert "已迁移系统" in html and "回退 1 个" in html


def test_an_empty_workspace_gets_a_report_that_says_what_is_missing(workspace: Workspace, tmp_path: Path) -> None:
    with opened(workspace) as session:
        files = write(session, tmp_path / "out")
    assert [f.name for f in files] == ["report.zh.html", "report.en.html", "audit.zh.docx"]
    html = files[0].read_text("utf-8")
    assert re.findall(r"<h2 id=\"[^\"]*\">[^、]*、([^<]*)</h2>", html) == SECTIONS
    for command in ("import", "check estate", "plan build", "run start", "takeover start"):
        assert f"govcloud {command}" in html


def test_every_section_is_filled_from_the_store(reported: Path) -> None:
    html = (reported / "report.zh.html").read_text("utf-8")
    for words in ("协同办公系统", "bak-77", "SX19-", "民政业务专网", "示例一期", "第 1 批", "已超期", "核对通过"):
        assert words in html
    assert html.count("<svg") == 4
    assert {f.name for f in reported.iterdir()} == {
        *PAGES.values(), "inventory.xlsx", "findings.xlsx", "networks.xlsx", "projects.xlsx", "plan.xlsx",
        "estate.zh.docx", "findings.zh.docx", "networks.zh.docx", "zombies.zh.docx", "deadlines.zh.docx", "migration-plan.zh.docx",
        "month-2026-03.zh.docx", "audit.zh.docx",
    }  # fmt: skip


def test_the_english_page_is_english(reported: Path) -> None:
    html = (reported / "report.en.html").read_text("utf-8")
    texts = re.sub(r"<style>.*?</style>|<[^>]*>", " ", html, flags=re.S)
    # Names and data stay as they are; the frame, headings and column titles must not be Chinese.
    titles = re.findall(r"<(?:h1|h2|h3|th|dt|figcaption)[^>]*>([^<]*)<", html)
    assert len(titles) > 30 and not [t for t in titles if re.search(r"[\u4e00-\u9fff]", t)]
    assert "Overview" in texts and "Findings" in texts


def test_the_workbooks_hold_the_same_tables_and_no_formula(reported: Path) -> None:
    networks = load_workbook(reported / "networks.xlsx")
    assert "民政业务专网" in [c.value for c in networks.worksheets[0]["B"]]
    systems = load_workbook(reported / "inventory.xlsx").worksheets[0]
    cell = next(c for c in systems["B"] if c.value == "=信访件管理系统")
    assert cell.data_type == "s"


def test_the_ledger_keeps_the_digest_of_every_file(workspace: Workspace, tmp_path: Path) -> None:
    with opened(workspace) as session:
        files = write(session, tmp_path / "out")
        with session.store.read() as tx:
            record = json.loads(ledger_store.records(tx)[-1].canonical)
    assert (record["kind"], record["actor"]) == ("report", "张示例")
    assert record["body"]["files"] == {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_the_page_names_the_newest_record_it_was_made_from(filled: Workspace, tmp_path: Path) -> None:
    with opened(filled) as session:
        with session.store.read() as tx:
            newest = ledger_store.records(tx)[-1]
        files = write(session, tmp_path / "out")
    assert f"第 {newest.seq} 号" in files[0].read_text("utf-8")
    assert newest.leaf_hash in files[0].read_text("utf-8")


def test_running_again_gives_the_same_tables(filled: Workspace, reported: Path, tmp_path: Path) -> None:
    with opened(filled) as session:
        again = write(session, tmp_path / "out")
    assert {f.name for f in again} == {f.name for f in reported.iterdir()}
    before_ledger = [
        f.read_text("utf-8").partition('<section id="ledger"')[0] for f in (again[0], reported / "report.zh.html")
    ]
    assert before_ledger[0] == before_ledger[1]


def test_a_report_that_cannot_be_written_leaves_no_record(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file is in the way")
    with opened(workspace) as session:
        with session.store.read() as tx:
            before = ledger_store.size(tx)
        with pytest.raises(OutsideError):
            write(session, tmp_path / "out")
        with session.store.read() as tx:
            assert ledger_store.size(tx) == before


def test_an_altered_ledger_is_shown_on_the_first_page(filled: Workspace, tmp_path: Path) -> None:
    with opened(filled) as session:
        with session.store.begin() as tx:
            tx.exec_driver_sql("DROP TRIGGER ledger_no_update")
            tx.exec_driver_sql("UPDATE ledger SET canonical = replace(canonical, '张示例', '李示例') WHERE seq = 1")
        html = write(session, tmp_path / "out")[0].read_text("utf-8")
    overview = html.partition('<section id="estate"')[0]
    assert "核对不通过，见台账一节" in overview and 'class="bad"' in overview


class Heard:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def on_event(self, event: Event) -> None:
        self.events.append(event)


def test_progress_is_told_file_by_file(workspace: Workspace, tmp_path: Path) -> None:
    heard = Heard()
    with opened(workspace) as session:
        write(replace(session, observer=heard), tmp_path / "out")
    assert [(e.done, e.total) for e in heard.events] == [(1, 3), (2, 3), (3, 3)]
    assert [e.subject for e in heard.events][:2] == ["report.zh.html", "report.en.html"]


def test_the_command_prints_where_the_files_are(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["--lang", "zh", "-w", "w", "report", "-o", "out"]) == 0
    assert str(tmp_path / "out" / "report.zh.html") in capsys.readouterr().out
    assert run(["--format", "json", "-w", "w", "report"]) == 0
    paths = [Path(row["path"]) for row in json.loads(capsys.readouterr().out)["files"]["rows"]]
    assert all(p.is_file() and p.parent == tmp_path / "w" / "reports" for p in paths)


def test_a_folder_that_is_a_file_is_refused_with_what_to_do(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("x")
    assert run(["--lang", "zh", "-w", str(workspace.path), "report", "-o", str(tmp_path / "out")]) == 2
    assert run(["--lang", "zh", "-w", str(workspace.path), "report", "-o", str(tmp_path / "out" / "x")]) == 4
    assert "-o" in capsys.readouterr().err


def test_the_workspace_can_be_moved_and_reported_on(workspace: Workspace, tmp_path: Path) -> None:
    shutil.move(workspace.path, tmp_path / "搬走 了")
    assert run(["-w", str(tmp_path / "搬走 了"), "report"]) == 0
