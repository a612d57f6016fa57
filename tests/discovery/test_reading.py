"""Reading whole files in child processes: what offices send is understood, and one bad file harms nobody but itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from big_books import server_rows, write_big
from books import AT, CASES, CENSUS, read_case_files, write_book

from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.reading import FileReading, read_files
from govcloud.discovery.reading_frames import Limits
from govcloud.errors import OutsideError

OA = ["SL-1", "办公系统", "示例厅", "二级", "oa", "10.1.1.1", "CentOS 7.6", "8核16G"]


def read(*paths: Path, **options: object) -> list[FileReading]:
    maps, _ = load_column_maps()
    return read_files(paths, maps=maps, at=AT, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def found() -> Mapping[str, object]:
    return read_case_files(CASES)


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_big(tmp_path_factory.mktemp("big") / "大.xlsx", server_rows(60_000))


def test_there_is_a_case_for_every_mess() -> None:
    assert len(CASES) >= 25
    assert {p.suffix for p in CASES} >= {".xlsx", ".xlsm", ".xls", ".ods", ".csv", ".tsv", ".txt"}


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.name)
def test_a_workbook_says_what_a_person_would_read_in_it(path: Path, found: Mapping[str, object]) -> None:
    """expected/*.json was checked by eye: a value too many is a guess, one too few is a loss."""
    expected = (path.parent / "expected" / f"{path.name}.json").read_text("utf-8")
    assert json.loads(json.dumps(found[path.name])) == json.loads(expected)


def test_no_case_has_left_a_trace(found: Mapping[str, object]) -> None:
    """The hostile case tries to make files named canary, here and where the child works."""
    assert found
    assert not [p for folder in (Path(), CASES[0].parent) for p in folder.glob("canary*")]


def test_answers_come_in_the_order_of_the_files_and_each_is_told_once(tmp_path: Path) -> None:
    paths = [write_book(tmp_path / f"{n}.xlsx", [CENSUS, [f"SL-{n}", *OA[1:]]]) for n in range(6)]
    (tmp_path / "3.xlsx").write_bytes(b"\0")
    told: list[str] = []
    readings = read(*paths, on_done=lambda r: told.append(r.path.name))
    assert [r.path for r in readings] == paths
    assert sorted(told) == sorted(p.name for p in paths)
    assert [r.refusal is None for r in readings] == [True, True, True, False, True, True]


def test_a_known_file_is_not_parsed_again(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", [CENSUS, OA])
    first = read(path)[0]
    again = read(path, known={first.sha256})[0]
    assert (again.known, again.reading, again.sha256) == (True, None, first.sha256)


def test_what_can_t_be_opened_is_refused_and_not_raised(tmp_path: Path) -> None:
    path = write_book(tmp_path / "a.xlsx", [CENSUS, OA])
    loop = tmp_path / "b.xlsx"
    loop.symlink_to(loop)
    missing, folder, circle, good = read(tmp_path / "没有.xlsx", tmp_path, loop, path)
    assert missing.refusal and "不存在" in missing.refusal.message("zh")
    assert folder.refusal and "目录" in folder.refusal.message("zh")
    assert isinstance(circle.refusal, OutsideError)
    assert good.reading is not None


def test_a_form_of_ours_is_known_by_its_number_whatever_it_is_called(tmp_path: Path) -> None:
    import openpyxl

    path = write_book(tmp_path / "改名了.xlsx", [CENSUS, OA])
    book = openpyxl.load_workbook(path)
    page = book.create_sheet("govcloud")
    page.append(["govcloud:form", "F-0123456789"])
    page.sheet_state = "hidden"
    book.save(path)
    reading = read(path)[0]
    assert reading.lineage == "F-0123456789"
    assert reading.reading is not None
    assert [s.sheet for s in reading.reading.sheets] == ["系统"]


@pytest.mark.parametrize(
    ("limits", "word"),
    [
        (Limits(memory_bytes=100 * 2**20), "内存|中途退出"),
        (Limits(wall_s=0.01), "时间"),
        (Limits(cpu_s=0), "时间|中途退出"),
    ],
)
def test_a_file_that_wants_too_much_is_refused_with_its_name(big: Path, limits: Limits, word: str) -> None:
    """Without limits one workbook could take the machine down."""
    refused = read(big, limits=limits)[0].refusal
    assert refused is not None
    assert any(w in refused.message("zh") for w in word.split("|"))
    assert str(big) in refused.message("en")


def test_a_file_that_kills_its_reader_does_not_cost_its_neighbours(big: Path, tmp_path: Path) -> None:
    small = [write_book(tmp_path / f"{n}.xlsx", [CENSUS, OA]) for n in range(3)]
    around = read(small[0], big, small[1], small[2], limits=Limits(memory_bytes=100 * 2**20))
    assert [r.refusal is None for r in around] == [True, False, True, True]


def test_the_child_can_open_nothing_and_knows_nothing(tmp_path: Path) -> None:
    """The rights are given up before the first byte of a foreign file is looked at."""
    script = """
import sys, msgspec, os, socket
from pathlib import Path
from govcloud.discovery import reading_child
from govcloud.discovery.columns import load_column_maps
from govcloud.discovery.reading_frames import Limits, Setup
from datetime import datetime, UTC
setup = Setup(maps=load_column_maps()[0], at=datetime.now(UTC), limits=Limits())
reading_child._give_up_rights(setup)
for what in (lambda: open("/etc/passwd"), lambda: socket.socket(), lambda: open("x", "w"), lambda: os.dup(0)):
    try:
        what()
    except OSError as error:
        print(error.errno)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.stdout.split() == ["24"] * 4, done.stderr


def test_no_child_and_no_file_is_left_behind(tmp_path: Path) -> None:
    def children() -> set[str]:
        return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())

    before = children()
    read(write_book(tmp_path / "a.xlsx", [CENSUS, OA]))
    assert children() <= before
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]
