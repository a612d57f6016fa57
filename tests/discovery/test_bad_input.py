"""Files that are damaged, hostile or both: refused with a sentence or taken literally, and nothing of them is ever carried out."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from big_books import write_big
from books import AT, CASE_FOLDER, CENSUS, of_kind, write_book

from govcloud.cli.main import run
from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.reading import FileReading, read_files
from govcloud.errors import InputError

OA = ["SL-1", "办公系统", "示例厅", "二级", "oa", "10.1.1.1", "CentOS 7.6", "8核16G"]
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
MAPS, _ = load_column_maps()


def read(*paths: Path) -> list[FileReading]:
    return read_files(paths, maps=MAPS, at=AT)


def refusal(path: Path) -> str:
    found = read(path)[0]
    assert isinstance(found.refusal, InputError), found
    assert found.refusal.exit_code == 3
    assert found.refusal.next_step is not None
    return found.refusal.message("zh")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_book(tmp_path / "好.xlsx", [CENSUS, OA])


def repacked(source: Path, target: Path, changes: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *changes]):
            new.writestr(name, changes[name] if name in changes else old.read(name))
    return target


def sheet_xml(*cells: str) -> bytes:
    return f"<worksheet {MAIN}><sheetData>{''.join(cells)}</sheetData></worksheet>".encode()


@pytest.mark.parametrize("name", ["双行表头.xlsx", "旧版.xls", "开放格式.ods", "有密码.xlsx"])
def test_a_file_cut_at_any_kibibyte_is_refused_and_never_half_read(name: str, tmp_path: Path) -> None:
    data = (CASE_FOLDER / name).read_bytes()
    whole = read(CASE_FOLDER / name)[0].reading
    paths = []
    for size in range(0, len(data), 1024):
        paths.append(tmp_path / f"{size}-{name}")
        paths[-1].write_bytes(data[:size])
    for found in read(*paths):
        if found.refusal is None:
            # What is missing was padding: the whole content is there.
            assert found.reading is not None
            assert whole is not None
            assert [s.values for s in found.reading.statements] == [s.values for s in whole.statements]


def bombs(folder: Path, good: Path) -> Iterator[tuple[str, Path]]:
    yield "解压", repacked(good, folder / "media.xlsx", {"xl/media/a.bin": b"\0" * (64 * 2**20)})
    shared = f"<sst {MAIN}>".encode() + b"<si><t>" + b"A" * (40 * 2**20) + b"</t></si></sst>"
    yield "解压", repacked(good, folder / "strings.xlsx", {"xl/sharedStrings.xml": shared})
    yield "条目", repacked(good, folder / "many.xlsx", {f"xl/media/{n}": b"" for n in range(2_001)})
    last = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    corner = sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row>', last)
    yield "过大|中途退出", repacked(good, folder / "corner.xlsx", {"xl/worksheets/sheet1.xml": corner})
    merges = "".join(f'<mergeCell ref="A{n}:Z9999"/>' for n in range(1, 2_000))
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="Z{n}"><v>{n}</v></c></row>' for n in range(1, 10_000))
    overlapping = sheet_xml(rows).replace(b"</worksheet>", f"<mergeCells>{merges}</mergeCells></worksheet>".encode())
    yield "合并|时间|损坏", repacked(good, folder / "merges.xlsx", {"xl/worksheets/sheet1.xml": overlapping})


def test_bombs_are_refused_before_they_go_off(good: Path, tmp_path: Path) -> None:
    """Small files that want gigabytes: 1,048,576 × 16,384 cells, 40 MiB in one string, 64 MiB of nothing."""
    found = list(bombs(tmp_path, good))
    for (words, path), reading in zip(found, read(*(p for _, p in found)), strict=True):
        assert reading.refusal is not None, path
        assert any(word in reading.refusal.message("zh") for word in words.split("|")), reading.refusal
        assert path.stat().st_size < 2 * 2**20


def test_a_sheet_of_a_million_rows_is_refused_and_says_what_the_limit_is(tmp_path: Path) -> None:
    path = write_big(tmp_path / "百万行.xlsx", ([n] for n in range(300_000)))
    assert "300000 行" in refusal(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "entry", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"]
)
def test_xml_that_wants_to_read_other_files_is_refused(entry: str, encoding: str, good: Path, tmp_path: Path) -> None:
    evil = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    )
    assert "XML" in refusal(repacked(good, tmp_path / "xxe.xlsx", {entry: evil.encode(encoding)}))


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        ("xl/vbaProject.bin", "宏"), ("XL/VBAPROJECT.BIN", "宏"), ("xl/externalLinks/externalLink1.xml", "外部文件"),
        ("xl/externalLinks/_rels/externalLink1.xml.rels", "外部文件"),
    ],
)  # fmt: skip
def test_macros_external_links_and_dde_are_refused(entry: str, word: str, good: Path, tmp_path: Path) -> None:
    """DDE links lie in the same folder as links to other workbooks."""
    dde = f'<externalLink {MAIN}><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'
    assert word in refusal(repacked(good, tmp_path / "m.xlsx", {entry: dde.encode()}))


def test_an_old_workbook_with_macros_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "旧.xls"
    path.write_bytes((CASE_FOLDER / "旧版.xls").read_bytes() + "_VBA_PROJECT".encode("utf-16-le"))
    assert "宏" in refusal(path)


def test_a_csv_that_never_closes_its_quotation_mark_is_not_swallowed(tmp_path: Path) -> None:
    path = tmp_path / "引号.csv"
    rows = "".join(f"SL-{n},系统{n},示例厅,二级\n" for n in range(300))
    path.write_text("系统编号,系统名称,所属部门,等保级别\nSL-X,\"系统,示例厅,二级\n" + rows, "utf-8")  # fmt: skip
    assert "引号" in refusal(path)


@pytest.mark.parametrize("content", [b"a,b\n\x00\x01\x02", b"\xff\xfea\x00", "系统".encode("utf-16-le") + b"\x00"])
def test_bytes_that_are_no_text_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "表.csv"
    path.write_bytes(content)
    refusal(path)


@pytest.mark.parametrize(
    "formula", ["=cmd|'/c calc'!A1", "=WEBSERVICE(\"http://127.0.0.1:9/\")", "=HYPERLINK(\"http://x\",\"y\")", "@SUM(1)", "+1", "-oProxyCommand=touch canary"]
)  # fmt: skip
def test_formulas_in_a_csv_are_only_text(formula: str, tmp_path: Path) -> None:
    path = tmp_path / "表.csv"
    quoted = formula.replace('"', '""')
    path.write_text(f'系统名称,所属部门,等保级别\n"{quoted}",示例厅,二级\n', "utf-8")
    found = read(path)[0].reading
    assert found is not None
    assert of_kind(found, "system", "name") == [formula]


@pytest.mark.parametrize(
    "text",
    [
        "columns: &a [x, x]\n" + "\n".join(f"k{n}: &b{n} [*a, *a, *a]" for n in range(200)),
        "columns: " + "[" * 20_000,
        "kind: census\nkind: servers\ncolumns: []\n",
        'columns: !!python/object/apply:os.system ["touch canary"]\n',
    ],
    ids=["aliases", "depth", "twice", "tag"],
)  # fmt: skip
def test_a_hostile_column_map_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "columns").mkdir()
    (tmp_path / "columns" / "site.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load_column_maps(tmp_path)
    assert caught.value.exit_code == 3
    assert not (tmp_path / "canary").exists()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    place = tmp_path / "ws"
    assert run(["--lang", "zh", "init", str(place), "--site", "shanxi"]) == 0
    return place


def test_the_good_files_are_taken_and_the_refused_ones_named_with_exit_3(
    good: Path, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "断.xlsx"
    cut.write_bytes(good.read_bytes()[:1024])
    capsys.readouterr()
    assert run(["-w", str(workspace), "--lang", "zh", "--format", "json", "import", str(cut), str(good)]) == 3
    files = json.loads(capsys.readouterr().out)["files"]["rows"]
    assert [(f["file"], f["taken"]) for f in files] == [("断.xlsx", 0), ("好.xlsx", 1)]


def test_where_all_are_refused_nothing_is_stored(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "表.xlsx"
    path.write_bytes(b"PK\x03\x04")
    capsys.readouterr()
    assert run(["-w", str(workspace), "--lang", "zh", "import", str(path)]) == 3
    said = capsys.readouterr()
    assert "损坏" in said.err and "下一步" in said.err and "Traceback" not in said.err
    assert run(["-w", str(workspace), "--format", "json", "inventory", "systems"]) == 0
    assert "办公" not in capsys.readouterr().out


def test_a_folder_stands_for_its_workbooks_and_a_preview_stores_nothing(
    good: Path, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "报送" / "示例厅"
    folder.mkdir(parents=True)
    good.rename(folder / "普查.xlsx")
    (folder / "~$普查.xlsx").write_bytes(b"lock")
    (folder / "说明.docx").write_bytes(b"x")
    command = ["-w", str(workspace), "--lang", "zh", "--format", "json", "import", str(folder.parent)]
    for options, added in ((["--preview"], True), ([], True), ([], False)):
        capsys.readouterr()
        assert run([*command, *options]) == 0
        facts = json.loads(capsys.readouterr().out)["files"]
        assert [f["file"] for f in facts["rows"]] == ["普查.xlsx"]
        assert (facts["added"] > 0, facts["preview"]) == (added, bool(options))
    (tmp_path / "空").mkdir()
    assert run([*command[:-1], str(tmp_path / "空")]) == 2
