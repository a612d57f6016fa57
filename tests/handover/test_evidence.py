"""Evidence is stored by content, read-only; secrets are turned away."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from govcloud.errors import InputError
from govcloud.handover.evidence import keep_bytes, keep_file, refuse_secrets

# In two parts: nothing in the project may look like a key.
BEGIN = "-----" + "BEGIN"


def test_a_file_is_kept_under_its_digest_and_read_only(tmp_path: Path) -> None:
    source = tmp_path / "设计.docx"
    source.write_bytes(b"x" * 3_000_000)
    digest, size = keep_file(tmp_path / "kept", source)
    kept = tmp_path / "kept" / digest
    assert (digest, size) == (hashlib.sha256(source.read_bytes()).hexdigest(), 3_000_000)
    assert kept.read_bytes() == source.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o400
    assert keep_file(tmp_path / "kept", source)[0] == digest, "handing the same file in twice is no failure"
    assert [p.name for p in (tmp_path / "kept").iterdir()] == [digest]


@pytest.mark.parametrize(
    "text",
    [
        f"{BEGIN} OPENSSH PRIVATE KEY-----\nAAAA",
        f"x\n{BEGIN} RSA PRIVATE KEY-----",
        "PuTTY-User-Key-File-3: ssh-ed25519",
    ],
)
def test_a_private_key_is_never_kept(tmp_path: Path, text: str) -> None:
    source = tmp_path / "key"
    source.write_text(text)
    with pytest.raises(InputError):
        keep_file(tmp_path / "kept", source)
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    "text", ["root 密码：Abc123!", "admin,password=hunter22", '{"passwd": "s3cret"}', "口令 = 123456"]
)
def test_a_list_of_accounts_with_passwords_is_turned_away(text: str) -> None:
    with pytest.raises(InputError):
        refuse_secrets(text.encode(), "账号.csv", passwords=True)
    refuse_secrets(text.encode(), "手册.txt")


@pytest.mark.parametrize(
    "text", ["账号,用途\nroot,维护", "密码：见密码箱", "口令由双方分持", "password: see the safe"[:9]]
)
def test_a_list_of_accounts_may_say_where_passwords_are_kept(text: str) -> None:
    refuse_secrets(text.encode(), "账号.csv", passwords=True)


def test_a_missing_file_or_a_folder_is_an_input_error(tmp_path: Path) -> None:
    for source in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError):
            keep_file(tmp_path / "kept", source)


def test_bytes_from_a_host_are_kept_the_same_way(tmp_path: Path) -> None:
    assert (tmp_path / keep_bytes(tmp_path, b"ssh-ed25519 AAAA")).read_bytes() == b"ssh-ed25519 AAAA"
