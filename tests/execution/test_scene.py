"""What an attempt is given: data that stays data, hosts whose keys a person approved, a short environment."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_spec import GOOD

from govcloud.errors import InputError
from govcloud.execution import files
from govcloud.execution.ansible import run_playbook
from govcloud.execution.scene import Job, environment, mark_unsafe, prepare, write_private
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.run import MigrationSpec

SPEC = msgspec.convert(GOOD, MigrationSpec)
HOSTS = {
    name: HostAccess(name=name, address=address, port=port, user="ops", key_file="/keys/k 1")
    for name, address, port in (
        ("oa-01", "10.66.1.10", 22),
        ("cloud-01", "10.100.8.10", 2222),
        ("entry-01", "10.66.1.2", 22),
    )
}
KEYS = {
    (h.address, h.port): (HostKey(host=h.address, port=h.port, key_type="ssh-ed25519", key_base64="AAAA" + h.name, approved_by="li"),)
    for h in HOSTS.values()
}  # fmt: skip


def test_ssh_knows_the_approved_keys_and_no_others(tmp_path: Path) -> None:
    prepare(tmp_path, "precheck", SPEC, HOSTS, KEYS, {}, 60)
    known = (tmp_path / "private" / "known_hosts").read_text().splitlines()
    assert "10.66.1.10 ssh-ed25519 AAAAoa-01" in known and "[10.100.8.10]:2222 ssh-ed25519 AAAAcloud-01" in known
    config = (tmp_path / "private" / "ssh_config").read_text()
    for line in (
        "StrictHostKeyChecking yes",
        "GlobalKnownHostsFile /dev/null",
        "BatchMode yes",
        'IdentityFile "/keys/k 1"',
    ):
        assert line in config
    assert (tmp_path / "private" / "env" / "extravars").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "private" / "env").stat().st_mode & 0o777 == 0o700


def test_a_host_without_an_approved_key_stops_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cloud-01"):
        prepare(tmp_path / "a", "precheck", SPEC, HOSTS, {k: v for k, v in KEYS.items() if k[1] == 22}, {}, 60)
    assert not (tmp_path / "a").exists()


def test_the_environment_is_a_short_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner copies all of it into its records."""
    monkeypatch.setenv("SECRET_TOKEN", "canary")
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
    given = environment(tmp_path, "m")
    assert "canary" not in given.values() and "ANSIBLE_HOST_KEY_CHECKING" not in given
    assert given["HOME"].startswith(str(tmp_path))


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))  # fmt: skip


@given(JSON)
def test_no_string_is_left_plain(value: Any) -> None:
    def plain(found: Any) -> list[str]:
        if isinstance(found, str):
            return [found]
        if isinstance(found, dict):
            return [] if set(found) == {"__ansible_unsafe"} else [p for v in found.values() for p in plain(v)]
        return [p for v in found for p in plain(v)] if isinstance(found, list) else []

    marked = mark_unsafe(value)
    assert plain(marked) == [] or isinstance(value, dict)


def test_a_template_in_imported_text_is_shown_and_never_run(tmp_path: Path) -> None:
    """A real playbook: without the mark the lookup would run a command on the controller."""
    canary = tmp_path / "canary"
    bad = "{{ lookup('pipe', 'touch " + str(canary) + "') }}"
    folder = tmp_path / "attempt"
    playbook = tmp_path / "apply.yml"
    task = {"name": "Show", "ansible.builtin.copy": {"content": "{{ spec.name }}", "dest": str(tmp_path / "shown")}}
    playbook.write_text(
        json.dumps([{"name": "controller", "hosts": "controller", "gather_facts": False, "tasks": [task]}])
    )
    groups = {"controller": ("govcloud",)}
    write_private(folder, [], {}, groups, {"spec": {"name": bad}})
    keep = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment(folder, "m"))
    try:
        result = run_playbook(Job(folder=folder, playbook=playbook, groups=groups, timeout_s=60))
    finally:
        os.environ.clear()
        os.environ.update(keep)
    assert result.status == "ok", result.reasons
    assert (tmp_path / "shown").read_text() == bad
    assert not canary.exists()
    files.seal(folder)
    assert not (folder / "private" / "env").exists()
    assert replace(result, facts={}).proven == 1
