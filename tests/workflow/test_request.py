"""Checking what forty departments sent: one faulty file costs its own check only, and every check leaves its record."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml
from docx import Document as open_word

from govcloud import resources
from govcloud.errors import UsageError
from govcloud.settings import open_workspace
from govcloud.store import ledger as ledger_store
from govcloud.store import request as request_store
from govcloud.workflow.request import check_request, latest_requests
from govcloud.workflow.session import Session, open_session

SAMPLES = resources.folder("inventory") / "sample" / "requests"
GOOD = SAMPLES / "示例交通厅-合规申请.yaml"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Beside the workspace."""
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def records(session: Session) -> list[dict[str, object]]:
    with session.store.read() as tx:
        found = [json.loads(record.canonical) for record in ledger_store.records(tx)]
    return [r["body"] | {"kind": r["kind"]} for r in found if r["body"].get("what") in ("request", "opinion")]


def test_a_folder_is_checked_whole(session: Session) -> None:
    run = check_request(session, [SAMPLES])
    assert not run.faulty and len(run.checks) == len([f for f in SAMPLES.rglob("*") if f.suffix in (".yaml", ".xlsx")])
    conclusions = {check.file.split("-")[0]: check.conclusion for check in run.checks}
    assert conclusions["示例交通厅"] == conclusions["示例水利厅"] == "approve"
    assert conclusions["示例教育厅"] == "approve_with_changes"
    assert conclusions["示例民政厅"] == conclusions["示例档案局"] == "reject"
    outcomes = {line.outcome for check in run.checks for line in check.lines}
    assert outcomes == {
        "in_catalog", "out_of_range", "catalog_expired", "not_in_catalog", "duplicates_common_service", "self_built",
    }  # fmt: skip


def test_a_faulty_file_costs_its_own_check_only(session: Session, inbox: Path) -> None:
    shutil.copy(GOOD, inbox / "1.yaml")
    (inbox / "2.yaml").write_text("department: 示例厅\nlines: [\n", "utf-8")
    (inbox / "3.yaml").write_text(GOOD.read_text("utf-8").replace("quantity: 2", "quantity: 两台"), "utf-8")
    (inbox / "4.xlsx").write_bytes(b"no workbook")
    shutil.copy(GOOD, inbox / "5.yaml")
    run = check_request(session, [inbox, inbox / "none.yaml"])
    assert [check.file for check in run.checks] == ["1.yaml", "5.yaml"]
    assert [f.file for f in run.faulty] == ["2.yaml", "3.yaml", "4.xlsx", "none.yaml"]
    assert run.faulty[1].where.en == f"{inbox / '3.yaml'}:8"
    assert [r["file"] for r in records(session)] == ["1.yaml", "5.yaml"]
    assert len(latest_requests(session)) == 2


def test_each_check_is_recorded_with_the_digest_of_its_file(session: Session) -> None:
    run = check_request(session, [GOOD])
    (record,) = records(session)
    assert record["sha256"] == hashlib.sha256(GOOD.read_bytes()).hexdigest() == run.checks[0].sha256
    assert record["outcomes"] == {"in_catalog": [1, 2, 3, 4, 5, 6]} and record["conclusion"] == "approve"
    assert int(str(record["yearly_fen"])) == sum(line.yearly_fen or 0 for line in run.checks[0].lines)
    with session.store.read() as tx:
        assert request_store.running_requests(tx) == run.checks


def test_the_same_request_again_is_one_request_with_two_records(session: Session) -> None:
    check_request(session, [GOOD])
    check_request(session, [GOOD, GOOD.parent / "." / GOOD.name])
    assert len(latest_requests(session)) == 1 and len(records(session)) == 2


def test_hidden_and_lock_files_are_left_out(session: Session, inbox: Path) -> None:
    shutil.copy(GOOD, inbox / "1.yaml")
    (inbox / "~$1.xlsx").write_bytes(b"x")
    (inbox / ".2.yaml").write_text("x")
    (inbox / "说明.txt").write_text("x")
    assert [c.file for c in check_request(session, [inbox]).checks] == ["1.yaml"]


def test_a_folder_without_requests_is_a_usage_error(session: Session, inbox: Path) -> None:
    with pytest.raises(UsageError, match="template request"):
        check_request(session, [inbox])


def test_the_quota_of_the_settings_is_a_limit(folder: Path) -> None:
    settings = folder / "govcloud.yaml"
    content = yaml.safe_load(settings.read_text("utf-8"))
    settings.write_text(yaml.safe_dump({**content, "quotas": {"示例交通厅": {"vcpu": 4}}}, allow_unicode=True), "utf-8")
    with open_session(open_workspace(folder), actor="甲") as session:
        (check,) = check_request(session, [GOOD]).checks
        assert check.over_quota and check.conclusion == "approve_with_changes"
        assert records(session)[0]["over_quota"] == ["vcpu"]


def test_the_catalog_is_the_one_in_force_on_the_day_of_application(session: Session, inbox: Path) -> None:
    """Two requests of different years in one folder must not share a catalog."""
    for day in ("2026-03-02", "2018-03-02", "2026-07-01"):
        (inbox / f"{day}.yaml").write_text(GOOD.read_text("utf-8").replace("2026-03-02", day), "utf-8")
    first, march, july = check_request(session, [inbox]).checks
    assert march.conforms and july.conforms
    assert {line.outcome for line in first.lines} == {"catalog_expired"}


def test_an_opinion_in_each_form(session: Session, tmp_path: Path) -> None:
    bad = SAMPLES / "示例档案局-自建机房申请.yaml"
    for name in ("a.docx", "a.txt", "a.json"):
        check_request(session, [bad], tmp_path / "意见" / name)
    word = open_word(str(tmp_path / "意见" / "a.docx"))
    assert "关于示例档案局政务云资源申请的审核意见" in [p.text for p in word.paragraphs]
    assert "不同意" in (tmp_path / "意见" / "a.txt").read_text("utf-8")
    assert json.loads((tmp_path / "意见" / "a.json").read_text("utf-8"))["opinion"]["conclusion"] == "reject"
    kept = [r["files"] for r in records(session) if r["kind"] == "report"]
    assert kept[0] == {"a.docx": hashlib.sha256((tmp_path / "意见" / "a.docx").read_bytes()).hexdigest()}


def test_several_opinions_go_to_a_folder_a_file_each(session: Session, tmp_path: Path) -> None:
    """An opinion is sent to one department: it must not show another one's request."""
    source = tmp_path / "in"
    for name in ("甲", "乙"):
        (source / name).mkdir(parents=True)
        shutil.copy(GOOD, source / name / "申请.yaml")
    check_request(session, [source], tmp_path / "out")
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["申请-审核意见-2.docx", "申请-审核意见.docx"]
    with pytest.raises(UsageError, match=r"folder"):
        check_request(session, [source], tmp_path / "one.docx")


def test_an_opinion_that_is_there_is_never_overwritten(session: Session, tmp_path: Path) -> None:
    """Somebody may have signed it. Nothing is checked or recorded then, so that the command can simply be repeated."""
    target = tmp_path / "a.docx"
    target.write_bytes(b"signed")
    before = len(records(session))
    with pytest.raises(UsageError, match="already"):
        check_request(session, [GOOD], target)
    assert target.read_bytes() == b"signed" and len(records(session)) == before
    with pytest.raises(UsageError, match=r"\.docx"):
        check_request(session, [GOOD], tmp_path / "a.pdf")
