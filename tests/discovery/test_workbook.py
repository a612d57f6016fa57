"""Files that are no honest workbook are refused with a sentence, before a parser works on them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from books import CENSUS, write_book

from govcloud.discovery.workbook import load_workbook
from govcloud.errors import InputError


def refusal(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load_workbook(path)
    assert caught.value.exit_code == 3
    assert str(path) in caught.value.message("zh")
    return caught.value


def repacked(source: Path, target: Path, changes: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *changes]):
            new.writestr(name, changes[name] if name in changes else old.read(name))
    return target


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write_book(tmp_path / "好.xlsx", [CENSUS, ["SL-1", "办公系统", "示例厅", "二级", "a", "10.1.1.1", "", ""]])


def test_a_good_workbook_is_read_from_a1_on(good: Path) -> None:
    book = load_workbook(good)
    assert [s.name for s in book.sheets] == ["系统"]
    assert book.sheets[0].rows[1][1] == "办公系统"
    assert len(book.sha256) == 64


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 100,
        b"PK\x03\x04 no archive",
        b"%PDF-1.7",
        b"\xff\xd8\xff\xe0",
        b"<html><table>",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 80,
    ],
)
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "表.xlsx"
    path.write_bytes(content)
    assert "工作簿" in refusal(path).message("zh")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("word/document.xml", "文档"),
        ("ppt/presentation.xml", "文档"),
        ("OFD.xml", "文档"),
        ("表/普查表.xlsx", "压缩包"),
    ],
)
def test_archives_of_other_kinds_are_told_apart(tmp_path: Path, name: str, word: str) -> None:
    path = tmp_path / "表.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
    assert word in refusal(path).message("zh")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    refusal(tmp_path / "没有.xlsx")
    refusal(tmp_path)


def test_a_file_cut_anywhere_is_refused_not_half_read(good: Path, tmp_path: Path) -> None:
    data = good.read_bytes()
    for size in range(0, len(data), 512):
        path = tmp_path / "cut.xlsx"
        path.write_bytes(data[:size])
        refusal(path)


def test_a_flipped_byte_never_ends_in_anything_but_an_answer(good: Path, tmp_path: Path) -> None:
    data = good.read_bytes()
    for at in range(0, len(data), 97):
        path = tmp_path / "flip.xlsx"
        path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        try:
            load_workbook(path)
        except InputError:
            continue


def test_a_protected_workbook_asks_for_a_copy_without_password(tmp_path: Path) -> None:
    path = tmp_path / "密.xlsx"
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504 + "EncryptedPackage".encode("utf-16-le"))
    assert "密码" in refusal(path).message("zh")


def test_an_entry_that_unpacks_to_too_much_is_refused_without_unpacking_it_all(good: Path, tmp_path: Path) -> None:
    bomb = repacked(good, tmp_path / "bomb.xlsx", {"xl/media/a.bin": b"\0" * (64 * 2**20)})
    assert bomb.stat().st_size < 200_000
    assert "解压" in refusal(bomb).message("zh")


def test_too_many_entries_are_refused(good: Path, tmp_path: Path) -> None:
    refusal(repacked(good, tmp_path / "many.xlsx", {f"xl/media/{n}": b"" for n in range(2_001)}))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_whatever_the_encoding(good: Path, tmp_path: Path, encoding: str) -> None:
    evil = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet/>'
    )
    path = repacked(good, tmp_path / "xxe.xlsx", {"xl/worksheets/sheet1.xml": evil.encode(encoding)})
    assert "XML" in refusal(path).message("zh")


@pytest.mark.parametrize("name", ["xl/vbaProject.bin", "xl/externalLinks/externalLink1.xml"])
def test_macros_and_links_to_other_files_are_refused(good: Path, tmp_path: Path, name: str) -> None:
    refusal(repacked(good, tmp_path / "m.xlsx", {name: b"x"}))
