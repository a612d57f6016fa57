"""A migration file is refused with the field named, before any host is touched."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sample_spec import GOOD

from govcloud.errors import InputError
from govcloud.execution.spec import host_names, load_spec, verify_hosts
from govcloud.model.access import HostAccess
from govcloud.model.ids import is_host_name


def write(folder: Path, spec: Any) -> Path:
    (folder / "SL-OA-01.yaml").write_text(yaml.safe_dump(spec, allow_unicode=True), "utf-8")
    return folder


def changed(path: str, value: Any) -> dict[str, Any]:
    spec = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    place: Any = spec
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return spec


def test_a_good_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, GOOD), "SL-OA-01")
    assert spec.on_failure == "rollback"
    assert spec.target.state_dir == "/var/lib/govcloud"
    assert spec.entry.served_by_header == "X-Served-By"
    assert spec.verify[0].status == 200
    assert host_names(spec) == ["cloud-01", "entry-01", "oa-01"]


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("source.host", "-oProxyCommand=id", "host name"),
        ("target.host", "all", "host name"),
        ("target.host", "oa-01", "same host"),
        ("files.0.source", "srv/oa", "absolute path"),
        ("files.0.target", "/srv/../etc", "absolute path"),
        ("files.0.target", "/", "absolute path"),
        ("source.database.bin", "bin", "absolute path"),
        ("source.service", {"script": "/a", "systemd": "b"}, "exactly one"),
        ("source.service", {}, "exactly one"),
        ("target.service.systemd", "a b", "allowed name"),
        ("source.database.name", "oa; drop", "allowed name"),
        ("source.database.data_dir", "/x", "target database only"),
        ("target.database", None, "both ends"),
        ("verify", [], "at least one"),
        ("verify.0.path", "health", "starts with /"),
        ("entry.url", "file:///etc/passwd", "usable URL"),
        ("entry.source", "http://user:pw@10.66.1.10", "usable URL"),
        ("entry.target", "http://10.66.1.10:8080", "the same"),
        ("deadline_min", 0, "deadline_min"),
        ("on_failure", "ignore", "on_failure"),
        ("on_failuer", "hold", "on_failuer"),
        ("source.database.passwordfile", "/x", "passwordfile"),
        ("system_id", "SL-XX", "file's name"),
        ("source.database.port", "many", "port"),
    ],
)
def test_a_bad_field_is_refused_and_named(tmp_path: Path, path: str, value: Any, named: str) -> None:
    with pytest.raises(InputError) as error:
        load_spec(write(tmp_path, changed(path, value)), "SL-OA-01")
    assert named in error.value.message("en")
    assert "SL-OA-01.yaml" in error.value.message("zh")


def test_overlapping_target_directories_are_refused(tmp_path: Path) -> None:
    files = [{"source": "/a", "target": "/srv/oa"}, {"source": "/b", "target": "/srv/oa/sub"}]
    with pytest.raises(InputError, match="overlap"):
        load_spec(write(tmp_path, changed("files", files)), "SL-OA-01")


@pytest.mark.parametrize("system_id", ["../etc/passwd", "a/b", "", "-x", "系统"])
def test_a_system_id_never_becomes_a_path(tmp_path: Path, system_id: str) -> None:
    with pytest.raises(InputError):
        load_spec(tmp_path, system_id)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_spec(tmp_path, "SL-OA-01")


def test_unlisted_hosts_and_a_target_on_top_of_its_source_are_found(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, GOOD), "SL-OA-01")
    here = {n: HostAccess(name=n, address="127.0.0.1", port=i + 1) for i, n in enumerate(host_names(spec))}
    assert "oa-01" in verify_hosts(spec, {})[0].en
    assert "overlaps" in verify_hosts(spec, here)[0].en
    apart = {n: HostAccess(name=n, address=f"10.0.0.{i}") for i, n in enumerate(host_names(spec))}
    assert verify_hosts(spec, apart) == []
    behind = {**apart, "oa-01": replace(apart["oa-01"], via="jump-01")}
    assert "bastion" in verify_hosts(spec, behind)[0].en and "oa-01" in verify_hosts(spec, behind)[0].zh


@given(st.text(min_size=1, max_size=30))
def test_no_text_that_is_not_a_host_name_gets_through(text: str) -> None:
    """ssh and Ansible take a leading dash, blanks or line breaks for something else."""
    if is_host_name(text):
        assert not text.startswith("-") and text.isascii() and not set(text) & set(" \n\t{}'\"$;|&")
