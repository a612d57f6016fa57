"""What a playbook run is given: data that stays data, hosts whose keys a person approved, a short environment."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_place import RUN, SYSTEM
from sample_spec import FULL, GOOD

from govcloud.execution.masks import mask
from govcloud.execution.scene import (
    Job,
    NotTrusted,
    Place,
    environment,
    mark_unsafe,
    prepare,
    verify_host_keys,
    write_private,
)
from govcloud.execution.steps import load_steps
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.attempt import Attempt, AttemptKey
from govcloud.model.migration import MigrationSpec
from govcloud.model.resource import Resource
from govcloud.model.step import Phase, StepName

SPEC = msgspec.convert(GOOD, MigrationSpec)
BIG = msgspec.convert(FULL, MigrationSpec)
AT = datetime(2026, 3, 7, 20, tzinfo=UTC)
HOSTS = {
    name: HostAccess(name=name, address=address, port=port, user="ops", key_file="/keys/k 1", via=via, zone="部门网")
    for name, address, port, via in (
        ("oa-01", "10.66.1.10", 22, None), ("cloud-01", "10.100.8.10", 2222, None), ("entry-01", "10.66.1.2", 22, None),
        ("db-01", "10.0.0.5", 22, "jump-01"), ("router-01", "10.66.1.1", 22, None), ("jump-01", "10.66.1.3", 22, None),
    )
}  # fmt: skip
KEYS = {
    (h.key_host, h.port): (HostKey(host=h.key_host, port=h.port, key_type="ssh-ed25519", key_base64="AAAA" + h.name, approved_by="li"),)
    for h in HOSTS.values()
}  # fmt: skip
MADE = Resource(
    resource_id=f"{RUN}/SL-OA-02/db/server", run_id=RUN, system_id="SL-OA-02", machine="db", kind="server", driver="openstack",
    cloud="gov", name="govcloud-1", intent_at=AT, external_id="uuid", address="10.100.8.20", created_at=AT,
)  # fmt: skip


def spot(folder: Path, spec: MigrationSpec = SPEC, step: StepName = "prepare", phase: Phase = "apply") -> Place:
    key = AttemptKey(run_id=RUN, system_id=spec.system_id, step=step, phase=phase, number=3)
    attempt = Attempt(
        key=key, token=7, executor="m/cli", machine_id="m", state="claimed", claimed_at=AT, heartbeat_at=AT
    )
    return Place(attempt=attempt, folder=folder / RUN / spec.system_id / step / phase / "3", rerun=True)


def scene(folder: Path, *specs: MigrationSpec, step: StepName = "prepare", phase: Phase = "apply", made: tuple[Resource, ...] = (), keys: Any = None) -> Job:  # fmt: skip
    places = [spot(folder, spec, step, phase) for spec in specs]
    known = {spec.system_id: spec for spec in specs}
    given = KEYS if keys is None else keys
    resources = {"SL-OA-02": made}
    return prepare(
        folder / "play", load_steps()[step], phase, places, known, HOSTS, given, resources, workspace=folder / "w"
    )


def inventory(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((job.folder / "private" / "inventory" / "hosts.json").read_text())["all"]
    return found


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return (
            value["__ansible_unsafe"] if set(value) == {"__ansible_unsafe"} else {k: plain(v) for k, v in value.items()}
        )
    return [plain(v) for v in value] if isinstance(value, list) else value


def test_each_system_has_its_own_variables(tmp_path: Path) -> None:
    job = scene(tmp_path, SPEC, BIG, made=(MADE,), keys={**KEYS, ("10.100.8.20", 22): KEYS["10.66.1.10", 22]})
    found = inventory(job)
    systems = found["children"]["systems"]["hosts"]
    assert set(systems) == {SYSTEM, "SL-OA-02"}
    one = plain(systems[SYSTEM])
    assert one["system"] == {
        "system_id": SYSTEM, "run_id": RUN, "attempt": 3, "token": 7, "rerun": True, "phase": "apply", "zone": "部门网",
    }  # fmt: skip
    (source,), (target,) = one["source"], one["target"]
    assert (source["host"], source["side"], source["files"]) == ("oa-01", "source", [{"index": 0, "path": "/srv/oa/app", "other": "/srv/oa/app"}])  # fmt: skip
    assert target["marker"] == f"/var/lib/govcloud/{SYSTEM}.json" and target["databases"][0]["data_dir"] == "/srv/pg"
    assert source["services"][0]["script"] == "/srv/oa/ctl" and target["services"][0]["systemd"] == "oa.service"
    assert [e["host"] for e in one["ends"]] == ["cloud-01", "entry-01", "oa-01"]
    two = plain(systems["SL-OA-02"])
    assert [item["machine"] for item in two["target"]] == ["web", "db"]
    assert [d["kind"] for d in two["target"][1]["databases"]] == ["postgresql", "mysql"]
    assert [e["kind"] for e in two["entrance"][0]["entrances"]] == ["nginx", "hosts", "dns"]
    assert two["spec"]["hosts"]["db-01"] == {"address": "10.0.0.5", "zone": "部门网"}
    assert Path(one["evidence"]).stat().st_mode & 0o777 == 0o700 and one["evidence"] != two["evidence"]
    assert job.folders[SYSTEM] == Path(one["evidence"]).parent and job.timeouts_s["SL-OA-02"] == 3600


def test_hosts_at_the_beginning_of_a_flow_are_reached_too(tmp_path: Path) -> None:
    """Whether a network that moves is still reached is measured from there."""
    hosts = {
        **HOSTS,
        "pc-01": HostAccess(name="pc-01", address="10.66.1.77"),
        "pc-02": HostAccess(name="pc-02", address="10.9.9.9"),
    }
    keys = {**KEYS, ("10.66.1.77", 22): KEYS["10.66.1.10", 22], ("10.9.9.9", 22): KEYS["10.66.1.10", 22]}
    job = prepare(
        tmp_path / "play", load_steps()["provision"], "apply", [spot(tmp_path, BIG, "provision")], {"SL-OA-02": BIG}, hosts, keys,
        {}, workspace=tmp_path,
    )  # fmt: skip
    config = (job.folder / "private" / "ssh_config").read_text()
    assert "Host pc-01\n" in config and "pc-02" not in config


def test_only_our_own_machine_has_connection_variables(tmp_path: Path) -> None:
    found = inventory(scene(tmp_path, SPEC))
    assert {name for name, given in found["hosts"].items() if given} == {"govcloud"}
    assert not any("ansible_" in key for given in found["children"]["systems"]["hosts"].values() for key in given)


def test_a_target_that_is_not_made_yet_has_nothing_on_it(tmp_path: Path) -> None:
    """Whoever looks at it in the precheck must not find our own machine instead."""
    (_, item) = plain(inventory(scene(tmp_path, BIG, step="provision"))["children"]["systems"]["hosts"]["SL-OA-02"])[
        "target"
    ]
    assert (item["exists"], item["host"]) == (False, "govcloud")
    assert item["databases"] == [] and item["files"] == [] and item["services"] == []


def test_a_made_target_is_reached_by_its_own_key_once_that_is_approved(tmp_path: Path) -> None:
    with pytest.raises(NotTrusted) as error:
        scene(tmp_path, BIG, made=(MADE,))
    assert error.value.made and "cloud-02" in error.value.message("zh")
    keys = {**KEYS, ("10.100.8.20", 22): KEYS["10.66.1.10", 22]}
    config = (scene(tmp_path, BIG, made=(MADE,), keys=keys).folder / "private" / "ssh_config").read_text()
    assert (
        f'HostName 10.100.8.20\n  Port 22\n  User root\n  HostKeyAlias cloud-02\n  IdentityFile "{tmp_path}/w/keys/new"'
        in config
    )


def test_ssh_knows_the_approved_keys_and_no_others(tmp_path: Path) -> None:
    private = scene(tmp_path, BIG, step="provision").folder / "private"
    known = (private / "known_hosts").read_text().splitlines()
    # By our names: the same address behind two bastions is two machines.
    assert "db-01 ssh-ed25519 AAAAdb-01" in known and "jump-01 ssh-ed25519 AAAAjump-01" in known
    assert (private / "known_hosts").stat().st_mode & 0o777 == 0o600
    done = subprocess.run(
        ["ssh", "-F", private / "ssh_config", "-G", "db-01"], capture_output=True, text=True, check=True
    )
    told = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    assert (told["hostname"], told["hostkeyalias"], told["proxyjump"]) == ("10.0.0.5", "db-01", "jump-01")
    assert (told["stricthostkeychecking"], told["batchmode"], told["updatehostkeys"]) == ("true", "yes", "false")
    assert told["globalknownhostsfile"] == "/dev/null" and told["ciphers"].startswith("aes128-gcm@openssh.com")
    assert len(told["controlpath"]) < 90, "a socket's name has room for 107 bytes, 17 of them ssh's own"
    assert (told["forwardagent"], told["controlmaster"]) == ("no", "auto")


def test_a_host_without_an_approved_key_stops_what_changes_something(tmp_path: Path) -> None:
    few = {k: v for k, v in KEYS.items() if k[1] == 22}
    assert verify_host_keys(SPEC, HOSTS, few) == ["cloud-01"]
    with pytest.raises(NotTrusted, match="cloud-01"):
        scene(tmp_path, SPEC, keys=few)
    assert not (tmp_path / "play").exists()


def test_the_way_back_does_not_wait_for_a_key_of_the_target(tmp_path: Path) -> None:
    """The source must serve again whatever became of the target: ssh refuses that one host."""
    few = {k: v for k, v in KEYS.items() if k[1] == 22}
    job = scene(tmp_path, SPEC, step="freeze", phase="rollback", keys=few)
    assert "cloud-01" not in (job.folder / "private" / "known_hosts").read_text()


def test_many_systems_on_one_host_take_turns(tmp_path: Path) -> None:
    """sshd takes ten sessions on a connection and drops new connections beyond ten."""
    shared = [replace(SPEC, system_id=f"SL-{n:02}") for n in range(12)]
    assert "forks = 10\n" in (scene(tmp_path, *shared).folder / "private" / "ansible.cfg").read_text()
    assert "forks = 2\n" in (scene(tmp_path / "b", *shared[:2]).folder / "private" / "ansible.cfg").read_text()


def test_the_environment_is_a_short_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner copies all of it into its records."""
    monkeypatch.setenv("SECRET_TOKEN", "canary")
    monkeypatch.setenv("OS_PASSWORD", "canary")
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    (tmp_path / "clouds.yaml").touch()
    given = environment(tmp_path, "m")
    assert "canary" not in given.values() and "ANSIBLE_HOST_KEY_CHECKING" not in given
    assert given["HOME"].startswith(str(tmp_path)) and given["OS_CLIENT_CONFIG_FILE"].endswith("clouds.yaml")


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))  # fmt: skip


@given(JSON)
def test_no_string_is_left_plain(value: Any) -> None:
    def found(given: Any) -> list[str]:
        if isinstance(given, str):
            return [given]
        if isinstance(given, dict):
            return [] if set(given) == {"__ansible_unsafe"} else [p for v in given.values() for p in found(v)]
        return [p for v in given for p in found(v)] if isinstance(given, list) else []

    assert found(mark_unsafe(value)) == [] or isinstance(value, dict)


def test_every_file_of_the_private_folder_is_ours_alone(tmp_path: Path) -> None:
    folder = tmp_path / "play"
    write_private(folder, list(HOSTS.values()), KEYS, {"systems": {}})
    for path in (folder / "private").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.is_dir()
    assert (folder / "private").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "secret",
    [
        "password=c4nary", "PGPASSWORD=c4nary psql", '{"password": "c4nary"}', '{\\"db_password\\": \\"c4nary\\"}',
        "postgresql://oa:c4nary@10.0.0.1/oa", "IDENTIFIED BY 'c4nary'", "Authorization: Bearer c4narytoken123",
        "口令：c4nary", "--password c4nary", "-----BEGIN OPENSSH PRIVATE KEY-----\nc4nary\n-----END OPENSSH PRIVATE KEY-----",
        "SCRAM-SHA-256$4096:c4nary==$c4nary=:c4nary=", "secret: 'c4nary'", "aws_secret_access_key = c4nary",
        "ALTER ROLE oa PASSWORD 'c4nary'", "DB_TOKEN: c4nary",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_covered(secret: str) -> None:
    assert "c4nary" not in mask(secret)
    assert "c4nary" not in mask(f"before {secret} after")
    assert mask(mask(secret)) == mask(secret)


@pytest.mark.parametrize(
    "text",
    ['{"token": 17, "attempt": 2}', "password_file: /srv/oa/db.pass", "(token 4 < 5)", "10.66.1.10:8080", "passed: 12",
     '"password_file": "/srv/oa/db.pass"', "http://10.66.1.2:8000/oa", "令牌 4 < 5"],
)  # fmt: skip
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert mask(text) == text


@given(JSON)
def test_masked_json_is_still_json(value: Any) -> None:
    for ascii_only in (True, False):
        json.loads(mask(json.dumps({"password": value, "a": [value]}, ensure_ascii=ascii_only)))
