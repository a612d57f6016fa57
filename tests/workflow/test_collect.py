"""Import as a verb: stored once, recorded in the ledger, nothing lost by running twice."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from govcloud import resources
from govcloud.cli.main import run
from govcloud.errors import InputError
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow.collect import import_files
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import Session

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent.parent / "discovery"))

from books import CENSUS, write_book

SAMPLES = sorted((resources.folder("inventory") / "sample" / "workbooks").glob("*.xlsx"))
OA = ["SL-1", "办公系统", "示例厅", "二级", "oa-01", "10.1.1.1", "CentOS 7.6", "8核16G"]


def records(session: Session, kind: str) -> list[dict[str, object]]:
    with session.store.read() as tx:
        found = [json.loads(r.canonical) for r in ledger_store.records(tx)]
    return [r["body"] for r in found if r["kind"] == kind]


def stored(session: Session) -> tuple[int, int]:
    with session.store.read() as tx:
        return inventory_store.last_batch(tx), len(inventory_store.load_statements(tx)[1])


def test_the_sample_estate_is_taken_but_for_two_cells_and_recorded(session: Session) -> None:
    result = import_files(session, SAMPLES)
    assert {p.read for p in result.rejected} == {"六级", "10.66.1.300"}
    inventory = read_inventory(session)
    assert (len(inventory.systems), len(inventory.projects), len(inventory.conflicts)) == (18, 6, 0)
    classified = inventory.system("SL-SM-08")
    assert classified is not None and classified.classified is True
    (body,) = records(session, "import")
    assert body["added"] == len(result.changes)
    assert {f["file"] for f in body["files"]} == {p.name for p in SAMPLES}  # type: ignore[attr-defined]


def test_importing_the_same_files_again_changes_nothing_and_still_tells_the_errors(session: Session) -> None:
    import_files(session, SAMPLES)
    before = stored(session)
    again = import_files(session, SAMPLES)
    assert {f.state for f in again.files} == {"unchanged"}
    assert (again.changes, len(again.rejected)) == ((), 2)
    assert stored(session) == before
    assert len(records(session, "import")) == 1


def test_a_preview_tells_what_the_import_then_does_and_stores_nothing(session: Session) -> None:
    before = stored(session)
    preview = import_files(session, SAMPLES, preview=True)
    assert stored(session) == before
    assert not records(session, "import")
    done = import_files(session, SAMPLES)
    assert preview.changes == done.changes
    assert [f.state for f in preview.files] == [f.state for f in done.files]


def test_a_newer_version_of_a_file_replaces_what_the_older_one_said(session: Session, tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", [CENSUS, OA, ["SL-2", "旧系统", "示例厅", "", "", "", "", ""]])
    import_files(session, [path])
    write_book(path, [["另加的一行"], CENSUS, [*OA[:3], "三级", *OA[4:]]])
    preview = import_files(session, [path], preview=True)
    result = import_files(session, [path])
    assert preview.changes == result.changes
    assert {(c.subject_id, c.change) for c in result.changes} == {("SL-1", "changed"), ("SL-2", "removed")}
    assert read_inventory(session).conflicts == ()
    # And back again: the first version is not "imported before", it is the newest word.
    write_book(path, [CENSUS, OA, ["SL-2", "旧系统", "示例厅", "", "", "", "", ""]])
    back = import_files(session, [path])
    assert {(c.subject_id, c.change) for c in back.changes} == {("SL-1", "changed"), ("SL-2", "added")}


def test_a_file_that_was_only_opened_and_saved_is_no_newer_version(session: Session, tmp_path: Path) -> None:
    """Other bytes, the same cells: nothing to merge, and no second version of the same words."""
    path = write_book(tmp_path / "a.xlsx", [CENSUS, OA])
    import_files(session, [path])
    before, first = stored(session), path.read_bytes()
    book = load_workbook(path)
    book.properties.title = "只是另存了一次"
    book.save(path)
    assert path.read_bytes() != first
    again = import_files(session, [path])
    assert ([f.state for f in again.files], again.changes) == (["unchanged"], ())
    assert stored(session) == before
    assert import_files(session, [path], preview=True).files[0].state == "unchanged"


def test_two_versions_of_one_form_in_one_import_do_not_both_count(session: Session, tmp_path: Path) -> None:
    """Which of them would be the newer one, nobody could say."""
    numbered = []
    for name, level in (("甲", "二级"), ("乙", "三级")):
        path = write_book(tmp_path / f"{name}.xlsx", [CENSUS, [*OA[:3], level, *OA[4:]]])
        book = load_workbook(path)
        sheet = book.create_sheet("govcloud")
        sheet.append(["govcloud:form", "F-0123456789"])
        sheet.sheet_state = "hidden"
        book.save(path)
        numbered.append(path)
    result = import_files(session, numbered)
    assert [f.state for f in result.files] == ["new", "refused"]
    assert [s.mlps_level for s in read_inventory(session).systems] == [2]


def test_two_departments_files_of_the_same_name_do_not_replace_each_other(session: Session, tmp_path: Path) -> None:
    for number, department in enumerate(("甲厅", "乙厅")):
        (tmp_path / department).mkdir()
        row = [f"SL-{number}", "系统", department, "", "", "", "", ""]
        import_files(session, [write_book(tmp_path / department / "普查表.xlsx", [CENSUS, row])])
    assert [s.department for s in read_inventory(session).systems] == ["甲厅", "乙厅"]


def test_a_broken_workbook_does_not_keep_the_good_ones_out(
    session: Session, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "坏.xlsx"
    bad.write_bytes(b"PK broken")
    good = write_book(tmp_path / "好.xlsx", [CENSUS, OA])
    assert [f.state for f in import_files(session, [bad, good], preview=True).files] == ["refused", "new"]
    assert run(["-w", str(folder), "--lang", "zh", "import", str(bad), str(good)]) == 3
    shown = capsys.readouterr().out
    assert "拒收：" in shown and "损坏" in shown
    assert [s.system_id for s in read_inventory(session).systems] == ["SL-1"]
    with pytest.raises(InputError):
        import_files(session, [bad])


def test_the_verbs_answer_with_the_promised_exit_codes_in_both_languages(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = write_book(tmp_path / "a.xlsx", [CENSUS, OA])
    faulty = write_book(tmp_path / "b.xlsx", [CENSUS, [*OA[:3], "六级", *OA[4:]]])
    at = ["-w", str(folder), "--lang"]
    assert run([*at, "zh", "import", str(clean)]) == 0
    assert run([*at, "en", "import", str(faulty)]) == 1
    assert run([*at, "en", "import", str(tmp_path / "none.xlsx")]) == 3
    assert "D2" in capsys.readouterr().out
    for noun in ("systems", "servers", "networks", "dependencies", "conflicts", "undeclared"):
        for lang in ("zh", "en"):
            assert run([*at, lang, "inventory", noun]) == 0
    capsys.readouterr()
    assert run(["-w", str(folder), "--lang", "en", "--format", "json", "inventory", "show", "SL-1"]) == 0
    rows = json.loads(capsys.readouterr().out)["subject"]["rows"]
    level = next(r for r in rows if r["field"] == "mlps_level")
    assert (level["value"], level["locator"]) == (2, "a.xlsx!系统!D2")
    assert run([*at, "zh", "inventory", "show", "没有的"]) == 2


def test_a_failed_import_leaves_neither_facts_nor_a_record(session: Session, tmp_path: Path) -> None:
    """The ledger refuses it in the same transaction: nothing of the import may stay."""
    path = write_book(tmp_path / "a.xlsx", [CENSUS, OA])
    with session.store.begin() as tx:
        tx.exec_driver_sql("CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    before = stored(session)
    with pytest.raises(Exception, match="disk full"):
        import_files(session, [path])
    assert stored(session) == before
    assert read_inventory(session).systems == ()
