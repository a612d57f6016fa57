"""`discover ansible`: what Ansible itself reads from an inventory, without anything of it being executed.

Without it an office types its hosts again that it has kept in Ansible for years; read carelessly, a file of another
department runs its commands here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.plugins.inventory import expand_hostname_range
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.discovery.ansible_inventory import read_ansible_inventory
from govcloud.discovery.ansible_syntax import expand, split_port
from govcloud.errors import InputError
from govcloud.model.clouds import AnsibleReading

AT = datetime(2026, 3, 7, 14, 0, tzinfo=UTC)
CASES = Path(__file__).parents[1] / "cases" / "clouds" / "ansible"


def read(path: Path, **options: Any) -> AnsibleReading:
    return read_ansible_inventory(path, observed_at=AT, **options)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def as_ansible_reads(inventory: Path, home: Path) -> dict[str, tuple[str | None, int | None, str | None, set[str]]]:
    """Host -> (address, port, user, groups with those above them), from the real program."""
    program = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(inventory), "--list"]
    environment = {
        **os.environ,
        "HOME": str(home),
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_CONFIG": str(home / "none.cfg"),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(program, capture_output=True, check=True, timeout=120, env=environment)
    found = json.loads(done.stdout)
    variables = found.pop("_meta")["hostvars"]
    groups: dict[str, set[str]] = {}

    def below(group: str) -> set[str]:
        body = found.get(group, {})
        return set(body.get("hosts", ())).union(*map(below, body.get("children", ())))

    for group in found:
        for host in below(group):
            groups.setdefault(host, set()).add(group)
    answer = {}
    for host in below("all"):
        said = variables.get(host, {})
        port = said.get("ansible_port")
        answer[host] = (said.get("ansible_host"), int(port) if port else None, said.get("ansible_user"), groups[host])
    return answer


@pytest.mark.parametrize("name", ["hosts.ini", "site.yml", "folder"])
def test_it_reads_what_ansible_reads(name: str, tmp_path: Path) -> None:
    """Ranges, ports, nested groups, precedence of group_vars and host_vars: the real program is the measure."""
    wanted = as_ansible_reads(CASES / name, tmp_path)
    wanted.pop("localhost", None)
    reading = read(CASES / name)
    assert not reading.refused
    found = {h.name: h for h in reading.hosts}
    assert set(found) == set(wanted) and len(wanted) >= 4
    for host, (address, port, user, groups) in wanted.items():
        mine = found[host]
        assert (mine.port, mine.user) == (port, user), host
        # The name is the address where Ansible is given no other.
        assert mine.address == (address or (host if ":" in host or host[0].isdigit() else None)), host
        assert set(mine.groups) <= groups


def test_facts_are_name_and_address_only() -> None:
    reading = read(CASES / "hosts.ini", department="示例局", zone="政务外网")
    assert "ansible_become_password" in reading.ignored_variables and reading.skipped == ("localhost",)
    said = {str(s.values["name"]): s for s in reading.statements}
    assert said["db01"].values == {
        "name": "db01", "addresses": ("10.1.2.20",), "department": "示例局", "zone": "政务外网",
    }  # fmt: skip
    assert said["db01"].locator("addresses").startswith("ansible://ansible/hosts.ini:")
    everything = repr(reading)
    assert "s3cret" not in everything and "ProxyCommand" not in everything and "6162" not in everything


CANARY = "{{{{ lookup('pipe', 'touch {canary}') }}}}"


def test_hostile_lines_are_listed_and_run_nothing(tmp_path: Path) -> None:
    canary = tmp_path / "CANARY"
    template = CANARY.format(canary=canary)
    path = written(tmp_path / "hosts", f"""
-oProxyCommand=touch\\ {canary} ansible_host=10.0.0.1
"{template}" ansible_host=10.0.0.2
ansible_password=s3cret
web\u202e01 ansible_host=10.0.0.3
web[01:3]
web[9:1]
web[0:99999999999]
good ansible_host="{template}" ansible_ssh_executable="touch {canary}"
fine ansible_host=-oProxyCommand=x ansible_port=70000 ansible_user="a b"
bad "quote
[web:nonsense]
ignored
[web:vars]
not a variable
""")  # fmt: skip
    reading = read(path)
    assert [(h.name, h.address, h.port, h.user) for h in reading.hosts] == [
        ("fine", None, None, None), ("good", None, None, None),
    ]  # fmt: skip
    assert len(reading.refused) == 14 and all(e.where.startswith(f"{tmp_path.name}/hosts:") for e in reading.refused)
    assert all(e.reason.zh and e.reason.en for e in reading.refused)
    assert "s3cret" not in repr(reading) and not canary.exists()


@pytest.mark.parametrize(
    ("name", "text", "mode", "words"),
    [
        ("script.sh", "#!/bin/sh\ntouch CANARY\n", 0o755, "executable"),
        ("script.py", "#!/usr/bin/env python3\n", 0o644, "executable"),
        ("hosts", "web01\n", 0o755, "executable"),
        ("cloud.yml", "plugin: amazon.aws.aws_ec2\nregions: [cn-north-1]\n", 0o644, "plugin"),
        ("hosts.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n", 0o644, "encrypted"),
        ("hosts.toml", "[web]\nhosts = []\n", 0o644, "TOML"),
        ("hosts.bin", "\x7fELF\0\0", 0o644, "text"),
        ("empty", "# nothing\n", 0o644, "no host"),
        ("prose.md", "Dear colleagues, please find\nthe list of servers below\n", 0o644, "no host"),
        ("bomb.yml", "all: &a [x, x]\n" + "".join(f"k{i}: [*a, *a]\n" for i in range(99)), 0o644, "aliases"),
        ("deep.yml", "[" * 2000, 0o644, "deep"),
        ("tag.yml", "all: !!python/object/apply:os.system [touch CANARY]\n", 0o644, "YAML"),
        ("twice.yml", "all:\n  hosts: {a: }\nall:\n  hosts: {b: }\n", 0o644, "duplicate"),
    ],
)
def test_what_is_no_static_inventory_is_refused_with_the_reason(
    tmp_path: Path, name: str, text: str, mode: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path / "inventory" / name, text)
    path.chmod(mode)
    for place in (path, path.parent) if not name.endswith(".md") else (path,):
        with pytest.raises(InputError) as caught:
            read(place)
        assert words in caught.value.what.en and str(place) in caught.value.where.en
    assert not (tmp_path / "CANARY").exists()


def test_places_that_are_no_files_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    for path in (tmp_path / "pipe", tmp_path / "a", tmp_path / "none", Path("/dev/zero")):
        with pytest.raises(InputError):
            read(path)


def test_secrets_beside_the_inventory_stay_closed(tmp_path: Path) -> None:
    inventory = written(tmp_path / "hosts", "web01\n[prod]\nweb01\n")
    written(tmp_path / "group_vars" / "prod" / "vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n6162\n")
    written(
        tmp_path / "group_vars" / "prod" / "main.yml",
        "ansible_host: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nansible_user: !unsafe ops\n",
    )
    reading = read(inventory)
    (host,) = reading.hosts
    assert host.address is None and host.user == "ops"
    assert {e.where for e in reading.refused} == {"group_vars/prod/main.yml: ansible_host", "group_vars/prod/vault.yml"}


def test_groups_in_a_circle_end(tmp_path: Path) -> None:
    text = "[a]\nweb01\n[a:children]\nb\n[b:children]\na\n[b:vars]\nansible_user=ops\n"
    assert read(written(tmp_path / "hosts", text)).hosts[0].user == "ops"


BOUND = st.from_regex(r"[0-9]{1,3}|[a-zA-Z]|", fullmatch=True)


@settings(max_examples=150, deadline=None)
@given(st.text("web-.", max_size=3), BOUND, BOUND, st.sampled_from(["", ":1", ":2", ":7"]), st.text("x", max_size=1))
def test_ranges_are_ansibles(head: str, begin: str, end: str, step: str, tail: str) -> None:
    pattern = f"{head}[{begin}:{end}{step}]{tail}"
    try:
        wanted = expand_hostname_range(pattern)
    except (AnsibleError, ValueError):
        wanted = []
    try:
        found = expand(pattern)
    except ValueError:
        found = []
    # Of a range that Ansible takes for an empty one we say that it is mistaken.
    assert found == wanted


@pytest.mark.parametrize(
    ("pattern", "name", "port"),
    [
        ("web01", "web01", None), ("web01:2222", "web01", 2222), ("web[1:3]:22", "web[1:3]", 22), ("web[1:3]", "web[1:3]", None),
        ("[2001:db8::1]:22", "2001:db8::1", 22), ("2001:db8::1", "2001:db8::1", None), ("10.0.0.1:22", "10.0.0.1", 22),
    ],
)  # fmt: skip
def test_ports_behind_names(pattern: str, name: str, port: int | None) -> None:
    assert split_port(pattern) == (name, port)


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.sampled_from("[]:=a0 \n\"'#;{}%-!|é\u202e\0"), max_size=60))
def test_no_text_makes_it_fall(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = written(tmp_path_factory.mktemp("any") / "hosts", text)
    try:
        reading = read(path)
    except InputError:
        return
    for host in reading.hosts:
        assert host.name[0] != "-" and not set(host.name) & set(" \n\"'{}=")
