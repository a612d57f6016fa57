"""A migration file is refused with the field named, in both languages, before any host is touched."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sample_spec import DATABASE, FULL, GOOD

from govcloud.errors import InputError
from govcloud.execution.spec import demand_files, host_names, load_spec, made_here, verify_hosts, zone_of
from govcloud.model.access import HostAccess
from govcloud.model.ids import is_host_name


def write(folder: Path, spec: Any) -> Path:
    (folder / f"{spec['system_id']}.yaml").write_text(yaml.safe_dump(spec, allow_unicode=True), "utf-8")
    return folder


def changed(path: str, value: Any, spec: dict[str, Any] = GOOD) -> dict[str, Any]:
    """`value` None takes the key away."""
    spec = copy.deepcopy(spec)
    *parents, last = path.split(".")
    place: Any = spec
    for key in parents:
        place = place[int(key) if key.isdigit() else key]
    if value is None:
        del place[last]
    elif last == "+":
        place.append(value)
    else:
        place[int(last) if last.isdigit() else last] = value
    return spec


def refusal(tmp_path: Path, spec: dict[str, Any], system_id: str) -> InputError:
    (tmp_path / f"{system_id}.yaml").write_text(yaml.safe_dump(spec, allow_unicode=True), "utf-8")
    with pytest.raises(InputError) as error:
        load_spec(tmp_path, system_id)
    assert f"{system_id}.yaml" in error.value.message("zh") and f"{system_id}.yaml" in error.value.message("en")
    return error.value


def test_a_good_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, GOOD), "SL-OA-01")
    assert spec.on_failure == "rollback" and spec.limits.deadline_min == 240
    assert spec.machines[0].state_dir == "/var/lib/govcloud" and spec.machines[0].name == "main"
    assert spec.verify.served_by_header == "X-Served-By" and spec.verify.checks[0].status == 200
    assert host_names(spec) == ["cloud-01", "entry-01", "oa-01"] and made_here(spec) == frozenset()


def test_everything_that_can_be_moved_is_read(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, FULL), "SL-OA-02")
    assert host_names(spec) == ["cloud-01", "cloud-02", "db-01", "entry-01", "oa-01", "router-01"]
    assert made_here(spec) == {"cloud-02"}
    assert [d.kind for d in spec.databases] == ["postgresql", "mysql", "sqlite", "redis"]


BAD: list[tuple[str, Any, str]] = [
    ("machines.0.source", "-oProxyCommand=id", "not an allowed host name"),
    ("machines.0.target", "all", "not an allowed host name"),
    ("machines.0.target", "oa-01", "same host"),
    ("machines.0.state_dir", "var", "absolute path"),
    ("machines.0.image", {"disk": "/dev/vdb"}, "needs `provision`"),
    ("machines", [], "at least one"),
    ("machines.+", {"source": "x-1", "target": "y-1"}, "used twice"),
    ("files.0.machine", "other", "no such machine"),
    ("files.0.source", "srv/oa", "absolute path"),
    ("files.0.target", "/srv/../etc", "absolute path"),
    ("files.0.target", "/", "absolute path"),
    ("files.0.target", "/srv/oa\n", "absolute path"),
    ("databases.0.source.bin", "bin", "absolute path"),
    ("databases.0.source.name", "oa; drop", "not an allowed name"),
    ("databases.0.source.host", "10.0.0.1; id", "not an allowed host name"),
    ("databases.0.source.data_dir", "/x", "target database only"),
    ("databases.0.source.port", 0, "between 1 and 65535"),
    ("databases.0.source.password_file", None, "needs password_file"),
    ("databases.0.target.path", "/x", "SQLite only"),
    ("databases.0.kind", "sqlite", "sqlite needs path"),
    ("databases.0.kind", "oracle", "is not one of the values"),
    ("databases.0.kind", "redis", "PostgreSQL only"),
    ("databases.0.target", None, "target is missing"),
    ("services.0.source", {"script": "/a", "systemd": "b"}, "exactly one"),
    ("services.0.source", {}, "exactly one"),
    ("services.0.target.systemd", "a b", "not an allowed name"),
    ("services.0.tls", ["cert.pem"], "absolute path"),
    ("entrances.0.target", "http://10.66.1.10:8080", "the same"),
    ("entrances.0.source", "http://user:pw@10.66.1.10", "usable URL"),
    ("entrances.0.source", "http://[", "usable URL"),
    ("entrances.0.kind", "nginx", "host:port"),
    ("entrances.0.kind", "hosts", "not an IP address"),
    ("entrances.0.kind", "dns", "has no file"),
    ("entrances.0.zone", "gov.example", "dns only"),
    ("verify.url", "file:///etc/passwd", "usable URL"),
    ("verify.checks", [], "at least one"),
    ("verify.checks.0.path", "health", "start with /"),
    ("verify.checks.0.status", 42, "HTTP status"),
    ("verify.served_by_header", "X Served", "header name"),
    ("limits", {"deadline_min": 0}, "deadline_min"),
    ("limits", {"bandwidth_mbps": 0}, "bandwidth_mbps"),
    ("on_failure", "ignore", "on_failure"),
    ("on_failuer", "hold", "on_failuer"),
    ("databases.0.source.passwordfile", "/x", "databases.0.source.passwordfile"),
    ("system_id", "SL-XX", "file's name"),
    ("databases.0.source.port", "many", "port"),
]


@pytest.mark.parametrize(("path", "value", "named"), BAD)
def test_a_bad_field_is_refused_and_named(tmp_path: Path, path: str, value: Any, named: str) -> None:
    error = refusal(tmp_path, changed(path, value), "SL-OA-01")
    assert named in error.message("en")
    assert any("\u4e00" <= c <= "\u9fff" for c in error.message("zh").splitlines()[0].partition("：")[2])


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("machines.1.provision.cloud", None, "clouds.yaml"),
        ("machines.1.provision.driver", "vmware", "driver"),
        ("machines.1.provision.image", "a\nb", "provision.image"),
        ("machines.1.provision.address", "10.0.0", "not an IP address"),
        ("machines.1.provision.disk_gib", 0, "disk_gib"),
        ("machines.1.provision.user", "-root", "user name"),
        ("machines.1.provision.key_file", '"\n', "key_file"),
        ("machines.1.target", "cloud-01", "one target host is used twice"),
        ("machines.1.target", "oa-01", "same host"),
        ("databases.2.method", "replication", "no replication"),
        ("databases.3.source.name", "all", "a Redis database is a number"),
        ("entrances.2.name", "oa.other.example", "not in the zone"),
        ("entrances.2.target", "2001:db8::1", "both be IPv4 or IPv6"),
        ("entrances.2.server", "", "primary server"),
        ("entrances.2.ttl", 0, "ttl"),
        ("entrances.0.source", "10.66.1.10", "host:port"),
        ("network.prefix", "10.66.1.1/24", "not a prefix"),
        ("network.zone_to", "部门专网", "the same"),
        ("network.tunnels", ["gre1; reboot"], "interface"),
        ("network.flows", ["tcp 10.66.1.0/24 10.100.8.10"], "source destination port"),
        ("network.flows", ["tcp 10.66.1.0/24 10.100.8.10 99999"], "source destination port"),
        ("network.flows", ["tcp 10.1.0.0/24 10.100.8.10 80"], "neither end"),
        ("network.router", "localhost", "not an allowed host name"),
        ("databases.+", {"machine": "db", "kind": "mysql", "source": DATABASE, "target": DATABASE}, "same place"),
    ],
)
def test_a_bad_field_of_the_rarer_parts_is_refused_and_named(tmp_path: Path, path: str, value: Any, named: str) -> None:
    assert named in refusal(tmp_path, changed(path, value, FULL), "SL-OA-02").message("en")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("files.+", {"source": "/b", "target": "/srv/oa/app/sub"}),
        ("machines.0.state_dir", "/srv/oa/app/state"),
        ("databases.0.target.data_dir", "/srv/oa/app/pg"),
        ("services.0.carry", ["/srv/oa/app/unit.service"]),
        ("services.0.tls", ["/srv/pg/server.key"]),
    ],
)
def test_what_would_overwrite_something_else_on_the_target_is_refused(tmp_path: Path, path: str, value: Any) -> None:
    """A directory is made equal to its source: what else lies in it would be deleted, the marker included."""
    said = refusal(tmp_path, changed(path, value), "SL-OA-01")
    assert "overlap" in said.message("en") and "重叠" in said.message("zh")


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    """Nobody wants to learn of ten mistakes in ten attempts."""
    spec = changed("files.0.source", "srv", changed("verify.checks", [], changed("machines.0.source", "-x")))
    said = refusal(tmp_path, spec, "SL-OA-01").message("en")
    assert all(field in said for field in ("machines[0].source", "files[0].source", "verify.checks"))


def test_the_same_paths_on_different_machines_are_no_overlap(tmp_path: Path) -> None:
    files = [{"machine": m, "source": "/srv/data", "target": "/srv/data"} for m in ("web", "db")]
    assert len(load_spec(write(tmp_path, changed("files", files, FULL)), "SL-OA-02").files) == 2


@pytest.mark.parametrize("system_id", ["../etc/passwd", "a/b", "", "-x", "系统"])
def test_a_system_id_never_becomes_a_path(tmp_path: Path, system_id: str) -> None:
    with pytest.raises(InputError):
        load_spec(tmp_path, system_id)


@pytest.mark.parametrize("system_id", ["all", "systems", "govcloud"])
def test_a_system_id_is_no_word_of_the_inventory(tmp_path: Path, system_id: str) -> None:
    assert system_id in refusal(tmp_path, {**GOOD, "system_id": system_id}, system_id).message("zh")


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No migration file"):
        load_spec(tmp_path, "SL-OA-01")


def test_all_systems_without_a_file_are_named_at_once(tmp_path: Path) -> None:
    """A wave has many; finding them one by one is a command each."""
    (tmp_path / "SL-OA-01.yaml").write_text("")
    with pytest.raises(InputError, match="SL-XF-02, SL-MZ-03") as caught:
        demand_files(tmp_path, ["SL-XF-02", "SL-OA-01", "SL-MZ-03"])
    assert "SL-OA-01" not in caught.value.message("en")


def test_unlisted_hosts_and_a_target_on_top_of_its_source_are_found(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, GOOD), "SL-OA-01")
    here = {n: HostAccess(name=n, address="127.0.0.1", port=i + 1) for i, n in enumerate(host_names(spec))}
    assert "oa-01" in verify_hosts(spec, {})[0].en
    assert "overlaps" in verify_hosts(spec, here)[0].en
    apart = {n: HostAccess(name=n, address=f"10.0.0.{i}") for i, n in enumerate(host_names(spec))}
    assert verify_hosts(spec, apart) == []
    behind = {**apart, "oa-01": replace(apart["oa-01"], via="jump-01")}
    assert verify_hosts(spec, behind) == []


def test_a_target_that_the_run_makes_need_not_be_listed(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, FULL), "SL-OA-02")
    hosts = {n: HostAccess(name=n, address=f"10.0.0.{i}") for i, n in enumerate(host_names(spec)) if n != "cloud-02"}
    assert verify_hosts(spec, hosts) == []


def test_the_zone_is_that_of_the_sources(tmp_path: Path) -> None:
    """Targets lie in the cloud's zone as a rule: the machine at the department reaches both."""
    spec = load_spec(write(tmp_path, FULL), "SL-OA-02")
    zones = {"oa-01": "部门网", "db-01": "部门网", "cloud-01": "云", "cloud-02": "云"}
    hosts = {n: HostAccess(name=n, address=f"10.0.0.{i}", zone=zones.get(n)) for i, n in enumerate(host_names(spec))}
    assert zone_of(spec, hosts) == "部门网" and verify_hosts(spec, hosts) == []
    split = {**hosts, "db-01": replace(hosts["db-01"], zone="业务专网")}
    assert "业务专网" in verify_hosts(spec, split)[0].zh
    assert zone_of(spec, {n: replace(h, zone=None) for n, h in hosts.items()}) is None


@given(st.text(min_size=1, max_size=30))
def test_no_text_that_is_not_a_host_name_gets_through(text: str) -> None:
    """ssh and Ansible take a leading dash, blanks or line breaks for something else."""
    if is_host_name(text):
        assert not text.startswith("-") and text.isascii() and not set(text) & set(" \n\t{}'\"$;|&")
