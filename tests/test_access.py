"""What stands in hosts.yaml reaches ssh and Ansible as arguments: a name must never become an option or a command."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from govcloud.access import check_private, load_hosts, load_secret
from govcloud.errors import InputError
from govcloud.model.ids import is_host_name


def write(tmp_path: Path, *hosts: dict[str, object]) -> Path:
    file = tmp_path / "hosts.yaml"
    file.write_text(yaml.safe_dump({"hosts": list(hosts)}, allow_unicode=True), "utf-8")
    return file


def refused(file: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load_hosts(file)
    assert str(file.parent) in caught.value.message("zh")
    return caught.value


def make_key(tmp_path: Path, mode: int = 0o600) -> Path:
    key = tmp_path / "keys" / "id"
    key.parent.mkdir(exist_ok=True)
    key.write_text("key")
    key.chmod(mode)
    return key


def test_hosts_are_read_and_keys_found_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key(tmp_path)
    file = write(
        tmp_path,
        {"name": "oa-01", "address": "10.66.1.10", "user": "root", "key_file": "keys/id", "zone": "dept"},
        {"name": "v6", "address": "2001:db8::1", "port": 2222},
    )
    monkeypatch.chdir("/")
    first, second = load_hosts(file)
    assert (first.name, first.port, first.key_file, first.zone) == ("oa-01", 22, str(key.resolve()), "dept")
    assert (second.address, second.port, second.key_file) == ("2001:db8::1", 2222, None)


HOSTILE = [
    "-oProxyCommand=touch /tmp/x", "--", "a b", "a;b", "$(id)", "`id`", "a\nb", "a,b", "A-01", "", "oa-01-", "主机",
    "{{ lookup('pipe','id') }}", "a/b", "a@b", "x" * 300, "ａ",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["name", "address", "user"])
def test_a_name_that_could_mean_more_than_a_name_is_refused(tmp_path: Path, field: str, text: str) -> None:
    error = refused(write(tmp_path, {"name": "oa-01", "address": "10.66.1.10", **{field: text}}))
    assert error.exit_code == 3


@given(st.text(max_size=40))
def test_an_allowed_name_is_never_an_option_and_has_no_blank_or_sign(text: str) -> None:
    if is_host_name(text):
        assert text.isascii() and not text.startswith("-")
        assert not set(text) & set(" \t\n\r;&|<>$`'\"\\(){}[]*?!#~,@/:=%")


def test_a_host_named_twice_is_refused(tmp_path: Path) -> None:
    host = {"name": "oa-01", "address": "10.66.1.10"}
    assert "oa-01" in refused(write(tmp_path, host, host)).message("zh")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "hosts: 1",
        "hosts: [{name: a}]",
        "hosts: [{name: a, address: b, port: x}]",
        "machines: []",
        "hosts: null",
    ],
)
def test_another_shape_is_refused_with_what_is_expected(tmp_path: Path, text: str) -> None:
    file = tmp_path / "hosts.yaml"
    file.write_text(text, "utf-8")
    assert "name、address" in refused(file).message("zh")


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_does_not_exist_is_refused(tmp_path: Path, port: int) -> None:
    refused(write(tmp_path, {"name": "oa-01", "address": "10.66.1.10", "port": port}))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_private_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    key = make_key(tmp_path, mode)
    error = refused(write(tmp_path, {"name": "oa-01", "address": "10.66.1.10", "key_file": "keys/id"}))
    assert f"chmod 600 {key.resolve()}" in error.message("zh")


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_key_of_its_owner_alone_is_accepted(tmp_path: Path, mode: int) -> None:
    check_private(make_key(tmp_path, mode))


def test_a_private_key_behind_a_link_is_refused(tmp_path: Path) -> None:
    make_key(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "keys" / "id")
    assert "linked" in refused(write(tmp_path, {"name": "a", "address": "b", "key_file": "linked"})).message("zh")


@pytest.mark.parametrize("mode", range(0o600, 0o1000, 7))
def test_a_secret_is_read_from_a_file_of_its_owner_alone(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text("一句话的口令\r\n", "utf-8")
    file.chmod(mode)
    if mode & 0o077:
        with pytest.raises(InputError) as caught:
            load_secret(file)
        assert f"chmod 600 {file}" in caught.value.message("zh") and "一句话" not in caught.value.message("zh")
    else:
        assert load_secret(file) == "一句话的口令"


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"\xff\xfe", b"x" * 5000])
def test_what_is_no_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secret"
    file.touch(mode=0o600)
    file.write_bytes(content)
    with pytest.raises(InputError):
        load_secret(file)


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    assert "私钥" in refused(write(tmp_path, {"name": "a", "address": "b", "key_file": "keys/none"})).message("zh")


def test_a_key_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    with pytest.raises(InputError):
        check_private(folder)
