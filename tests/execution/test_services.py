"""Services are stopped for good, started for good, and what belongs to them goes along: units, environment, cron tables."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from booted import Booted
from module_run import SYSTEM, load_util, run_module, said
from namespaces import Hosts

CTL = """#!/bin/sh
cd "$(dirname "$0")" || exit 5
case $1 in
start) nohup sleep 300 & echo $! > pid ;;
stop) kill "$(cat pid)"; rm -f pid ;;
status) [ -e pid ] && kill -0 "$(cat pid)" 2>/dev/null && exit 0; exit ${WEIRD:-3} ;;
esac
"""


def end(state: Path | str, *services: dict[str, Any], side: str = "target") -> dict[str, Any]:
    listed = [
        {"script": None, "systemd": None, "carry": [], "tls": [], "index": i, **s} for i, s in enumerate(services)
    ]
    marker = f"{state}/{SYSTEM['system_id']}.json"
    return {
        "host": "new-01",
        "machine": "main",
        "side": side,
        "state_dir": str(state),
        "marker": marker,
        "services": listed,
    }


def mark(state: Path | str, prefix: list[str] | tuple[()] = (), **other: Any) -> None:
    given = {"end": end(state), "system": {**SYSTEM, **other}, "action": "write", "state": "preparing"}
    assert not said(run_module("gov_marker", prefix=prefix, follows=["none", "preparing"], **given))


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "app" / "ctl"
    path.parent.mkdir()
    path.write_text(CTL)
    path.chmod(0o755)
    yield path
    if (tmp_path / "app" / "pid").exists():
        subprocess.run(["sh", "-c", CTL, str(path), "stop"], check=False, cwd=path.parent)


def service(action: str, one: dict[str, Any], **more: Any) -> dict[str, Any]:
    return run_module("gov_service", end=one, system=more.pop("system", SYSTEM), action=action, wait_s=20, **more)


def test_a_script_that_keeps_its_output_open_holds_nobody(script: Path, tmp_path: Path) -> None:
    mark(tmp_path)
    here = end(tmp_path, {"script": str(script)})
    started = time.monotonic()
    assert service("start", here)["changed"] and time.monotonic() - started < 10
    assert not service("start", here)["changed"]
    assert service("status", here, expect="running")["gov"] == {"services": 1, "running": 1}
    assert "is running" in said(service("status", here, expect="stopped"))
    again = service("stop", here, system={**SYSTEM, "token": 6})
    assert again["changed"] and not said(again), "the next attempt ends our helpers, never the service's own program"
    assert not service("stop", here, system={**SYSTEM, "token": 6})["changed"]


def test_a_started_program_outlives_the_attempt_that_started_it(script: Path, tmp_path: Path) -> None:
    """The next attempt ends what an older one left running: a service must not be among it."""
    mark(tmp_path)
    here = end(tmp_path, {"script": str(script)})
    service("start", here)
    mark(tmp_path, token=9)
    assert not said(service("status", here, expect="running"))


def test_nothing_is_touched_that_the_marker_does_not_name(script: Path, tmp_path: Path) -> None:
    here = end(tmp_path, {"script": str(script)})
    assert service("stop", here)["gov"] == {"services": 0}, "no marker: nothing here is ours, and nothing is stopped"
    assert "no marker" in said(service("start", here))
    mark(tmp_path, run_id="another")
    for action in ("start", "stop", "disable"):
        assert "another run" in said(service(action, here))
    mark_path = tmp_path / f"{SYSTEM['system_id']}.json"
    mark_path.write_text(json.dumps({**json.loads(mark_path.read_text()), "run_id": "r1", "token": 7}))
    assert "superseded" in said(service("start", here))


def test_what_can_not_be_told_is_no_proof(script: Path, tmp_path: Path) -> None:
    """An exit code that LSB does not know must not pass as "stopped": the source might still write."""
    here = end(tmp_path, {"script": str(script)}, side="source")
    assert not said(service("status", here, expect="stopped"))
    os.environ["WEIRD"] = "4"
    try:
        assert "tells no state" in said(service("status", here, expect="stopped"))
    finally:
        del os.environ["WEIRD"]
    script.unlink()
    assert "can't be proven" in said(service("status", here, expect="stopped"))
    assert not said(service("status", end(tmp_path, {"script": str(script)}), expect="stopped")), (
        "a target's comes with the copy"
    )


def test_services_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    mark(tmp_path)
    log, services = tmp_path / "log", []
    for name in ("db", "app", "web"):
        path = tmp_path / name
        path.write_text(
            f"#!/bin/sh\ncase $1 in status) [ -e {path}.on ] || exit 3;; start) echo +{name} >> {log}; touch {path}.on;; stop) echo -{name} >> {log}; rm {path}.on;; esac\n"
        )
        path.chmod(0o755)
        services.append({"script": str(path)})
    here = end(tmp_path, *services)
    assert service("start", here)["gov"]["running"] == 3
    disabled = service("disable", here)
    assert disabled["gov"]["running"] == 0 and disabled["gov"][f"boot {tmp_path}/db"].startswith("script"), (
        "what we can't do is said"
    )
    assert log.read_text().split() == ["+db", "+app", "+web", "-web", "-app", "-db"]


def test_a_script_that_fails_says_what_it_said(tmp_path: Path) -> None:
    path = tmp_path / "ctl"
    path.write_text('#!/bin/sh\n[ "$1" = status ] && exit 3\necho "port 8080 is taken" >&2; exit 1\n')
    path.chmod(0o755)
    mark(tmp_path)
    assert "port 8080 is taken" in said(service("start", end(tmp_path, {"script": str(path)})))


tls = load_util("gov_tls")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    for name in ("good", "other"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", "/CN=oa.example",
                        "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"], check=True, capture_output=True)  # fmt: skip
    subprocess.run(
        [
            "openssl",
            "pkey",
            "-in",
            folder / "good.key",
            "-aes256",
            "-passout",
            "pass:geheim",
            "-out",
            folder / "locked.key",
        ],
        check=True,
    )
    for path in folder.iterdir():
        path.chmod(0o600)
    return folder


@pytest.mark.parametrize(
    ("names", "mode", "days", "why"),
    [
        (("good.pem", "good.key"), 0o600, 0, ""), (("good.pem", "other.key"), 0o600, 0, "belongs to none"), (("good.pem", "good.key"), 0o644, 0, "others can get at it"),
        (("good.pem", "gone.key"), 0o600, 0, "can't be used"), (("good.pem", "good.key"), 0o600, 91, "expired"), (("good.pem", "locked.key"), 0o600, 0, ""),
        (("good.pem", "other.pem", "other.key"), 0o600, 0, ""),
    ],
)  # fmt: skip
def test_tls_that_would_fail_on_saturday_is_found_before(
    certificates: Path, names: tuple[str, ...], mode: int, days: int, why: str
) -> None:
    for path in certificates.glob("*.key"):
        path.chmod(mode)
    problems, facts = tls.look([str(certificates / name) for name in names], time.time() + days * 86400)
    assert (why in "".join(p["en"] for p in problems)) and bool(problems) == bool(why)
    assert facts["tls"] == len(names) and (days or 88 <= facts["tls_days_left"] <= 90)
    assert facts.get("tls_keys_not_compared", 0) == ("locked.key" in names)


UNIT = """[Unit]
Description=OA
[Service]
User=oa
EnvironmentFile=/etc/default/oa
ExecStart=/bin/sh -c 'echo "$WORD" > /run/oa/word; exec sleep 300'
[Install]
WantedBy=test.target
"""
DROP_IN = "[Service]\nRuntimeDirectory=oa\n"
SECRET = "WORD=不可外泄-7f3a\n"
CARRY = ["/etc/systemd/system/oa.service", "/etc/systemd/system/oa.service.d", "/etc/default/oa", "/etc/cron.d/oa"]
OA = {"systemd": "oa.service", "carry": CARRY}


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Hosts, Booted]]:
    folder = tmp_path_factory.mktemp("services")
    links = [("old", "10.66.1.10/24", "ctl", "10.66.1.100/24"), ("ctl", "10.100.8.100/24", "new", "10.100.8.10/24")]
    with (
        Hosts(folder / "hosts", links, {"old": "10.66.1.10"}, "ctl") as hosts,
        Booted(folder / "booted", hosts.space("new")) as new,
    ):
        text = hosts.config.read_text()
        hosts.config.write_text(f"Host new\n  HostName 10.100.8.10\n{text}")
        for name in ("host_key", "authorized_keys"):
            new.put(f"/etc/test/{name}", (hosts.folder / name).read_text(), 0o600)
        config = (
            (hosts.folder / "old.conf")
            .read_text()
            .replace("10.66.1.10:22", "10.100.8.10:22")
            .replace(str(hosts.folder), "/etc/test")
        )
        new.put("/etc/test/sshd_config", config)
        new.run("mkdir", "-p", "/run/sshd")
        new.run("/usr/sbin/sshd", "-f", "/etc/test/sshd_config")
        known = hosts.folder / "known_hosts"
        known.write_text(known.read_text() + known.read_text().replace("10.66.1.10", "10.100.8.10"))
        put(hosts, CARRY[0], UNIT)
        put(hosts, CARRY[1] + "/run.conf", DROP_IN)
        hosts.on("old", "useradd", "-r", "oa")
        put(hosts, CARRY[2], SECRET, "640", "root:oa")
        put(hosts, CARRY[3], "*/5 * * * * root /bin/true\n")
        yield hosts, new


def put(hosts: Hosts, path: str, text: str, mode: str = "644", owner: str = "root:root") -> None:
    script = f"mkdir -p {Path(path).parent}; printf %s {shlex.quote(text)} > {path}; chown {owner} {path}; chmod {mode} {path}"
    hosts.on("old", script)


def carry(hosts: Hosts, evidence: Path, action: str, token: int = 5, **service: Any) -> dict[str, Any]:
    machine = {"name": "main", "source": "old", "target": "new", "state_dir": "/var/lib/govcloud"}
    spec = {"machines": [machine], "services": [{"machine": "main", "carry": CARRY, "tls": [], **service}]}
    return run_module(
        "gov_carry",
        prefix=hosts.prefix,
        spec=spec,
        system={**SYSTEM, "token": token},
        action=action,
        evidence=str(evidence),
        ssh_config=str(hosts.config),
    )


@pytest.mark.root
def test_what_belongs_to_a_service_goes_along_and_back(hosts: tuple[Hosts, Booted], tmp_path: Path) -> None:
    old, new = hosts
    state = "/var/lib/govcloud"
    new.put(CARRY[2], "WORD=before\n", 0o600)
    assert "no marker" in said(carry(old, tmp_path, "carry"))
    mark(state, new.prefix)
    assert "does not know the group oa" in said(carry(old, tmp_path, "carry"))
    assert not (new.root / CARRY[0].lstrip("/")).exists(), "nothing is begun that can't be finished"
    new.run("useradd", "-r", "oa")
    first = carry(old, tmp_path, "carry")
    assert first["changed"] and first["gov"]["carried"] == 4, said(first)
    assert not carry(old, tmp_path, "carry")["changed"] and not said(carry(old, tmp_path, "check"))
    assert "不可外泄" not in json.dumps(first, ensure_ascii=False) + "".join(
        p.read_text() for p in tmp_path.rglob("*") if p.is_file()
    )
    assert new.run("stat", "-c", "%a %U:%G", CARRY[2]).strip() == "640 root:oa" and new.run("cat", CARRY[2]) == SECRET
    assert sorted(p.name for p in (new.root / "etc/default").iterdir() if "oa" in p.name) == ["oa"], (
        "a daemon reads whole folders"
    )
    cron = {p.name for p in (new.root / "etc/cron.d").iterdir() if p.name.endswith("oa")}
    assert cron == {".govcloud-held-oa"}, "no job may run on the copy while the source serves"

    here = end(state, OA)
    rehearsed = service("start", here, prefix=new.prefix, with_cron=False)
    assert rehearsed["gov"]["running"] == 1, said(rehearsed)
    assert new.run("cat", "/run/oa/word") == "不可外泄-7f3a\n"
    assert not (new.root / "etc/cron.d/oa").exists()
    assert not said(service("stop", here, prefix=new.prefix))
    assert not said(service("start", here, prefix=new.prefix, at_boot=True))
    assert (new.root / "etc/cron.d/oa").exists() and new.run(
        "systemctl", "is-enabled", "oa.service"
    ).strip() == "enabled"
    assert not said(carry(old, tmp_path, "check")), "a released cron table is the same file"

    assert not said(service("disable", here, prefix=new.prefix))
    assert (
        new.run("systemctl", "is-enabled", "oa.service", code=1).strip() == "disabled"
        and not (new.root / "etc/cron.d/oa").exists()
    )
    undone = carry(old, tmp_path, "undo")
    assert undone["gov"] == {"carried_back": 4, "left_changed": 0}, said(undone)
    assert new.run("cat", CARRY[2]) == "WORD=before\n" and new.run("stat", "-c", "%a", CARRY[2]).strip() == "600"
    assert "LoadState=not-found" in new.run("systemctl", "show", "-p", "LoadState", "oa.service")
    assert not (new.root / CARRY[1].lstrip("/")).exists() and not (new.root / "etc/cron.d/.govcloud-held-oa").exists()
    assert not carry(old, tmp_path, "undo")["changed"]

    assert carry(old, tmp_path, "carry")["changed"]
    new.put(CARRY[2], "WORD=edited by a colleague\n")
    left = carry(old, tmp_path, "undo")
    assert left["gov"] == {"carried_back": 3, "left_changed": 1} and "colleague" in new.run("cat", CARRY[2])


@pytest.mark.root
def test_systemd_says_more_than_running_or_not(hosts: tuple[Hosts, Booted]) -> None:
    new, state = hosts[1], "/var/lib/govcloud"
    mark(state, new.prefix)

    def act(action: str, unit: str, side: str = "target", **more: Any) -> dict[str, Any]:
        return service(action, end(state, {"systemd": unit}, side=side), prefix=new.prefix, **more)

    assert "no service gone.service" in said(act("start", "gone.service"))
    new.put(
        "/etc/systemd/system/brief.service", "[Service]\nExecStart=/bin/sh -c 'echo no configuration >&2; exit 1'\n"
    )
    new.put(
        "/etc/systemd/system/slow.service", "[Service]\nExecStart=/bin/sleep 300\n[Install]\nWantedBy=test.target\n"
    )
    new.put("/etc/systemd/system/woken.service", "[Service]\nExecStart=/bin/sleep 300\n")
    new.put("/etc/systemd/system/woken.socket", "[Socket]\nListenStream=127.0.0.1:7777\n")
    new.run("systemctl", "daemon-reload")
    ended = said(act("start", "brief.service"))
    assert "ended at once" in ended and "no configuration" in ended, "the reason is there, not only the fact"
    new.run("systemctl", "start", "woken.socket", "woken.service")
    assert "woken.socket would start it again" in said(act("stop", "woken.service", side="source"))
    both = end(state, {"systemd": "woken.service"}, {"systemd": "woken.socket"}, side="source")
    assert not said(service("stop", both, prefix=new.prefix)) and not said(service("start", both, prefix=new.prefix))
    assert not said(service("stop", both, prefix=new.prefix))

    for was in ("enabled", "disabled"):
        new.run("systemctl", "enable" if was == "enabled" else "disable", "slow.service")
        new.run("systemctl", "start", "slow.service")
        assert "is running" in said(act("status", "slow.service", side="source", expect="disabled"))
        new.run("systemctl", "stop", "slow.service")
        told = said(act("status", "slow.service", side="source", expect="disabled"))
        assert ("start at boot" in told) == (was == "enabled"), "stopped is not switched off"
        for _ in range(2):
            assert not said(act("disable", "slow.service", side="source"))
        assert not said(act("status", "slow.service", side="source", expect="disabled"))
        assert new.run("systemctl", "is-enabled", "slow.service", code=None).strip() == "disabled"
        for _ in range(2):
            assert not said(act("enable", "slow.service", side="source"))
            assert new.run("systemctl", "is-enabled", "slow.service", code=None).strip() == was, "as its owner had it"
    new.run("systemctl", "mask", "cron.service")
    new.run("systemctl", "stop", "cron.service")
    assert "is masked" in said(act("start", "cron.service"))
    new.run("systemctl", "unmask", "cron.service")
