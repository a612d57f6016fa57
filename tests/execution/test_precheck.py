"""Every reason to stop is found before the window, all of them at once, and says which host and what to do."""

from __future__ import annotations

import copy
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from module_run import SYSTEM, run_module, said
from namespaces import Hosts

from govcloud.execution.precheck import LOOK, Reach, judge, judge_reach

SPEC: dict[str, Any] = {
    "system_id": "SL-OA-01", "machines": [{"name": "main"}, {"name": "web"}],
    "databases": [{"kind": "postgresql", "method": "dump"}],
}  # fmt: skip
TREE = {"index": 0, "path": "/srv/oa/app", "there": True, "empty": False, "bytes": 1000, "files": 3, "special": []}
DB = {"index": 0, "kind": "postgresql", "name": "oa", "problems": [], "missing_programs": [], "client": [16, 1]}
SERVICE = {
    "index": 0,
    "name": "oa.service",
    "state": "running",
    "boot": "enabled",
    "starters": [],
    "cron": [],
    "user": "oa",
}
CARRY = {"path": "/etc/systemd/system/oa.service", "kind": "file", "owners": ["root"], "groups": ["root"]}
SOURCE: dict[str, Any] = {
    "host": "oa-01", "machine": "main", "python": [3, 9, 2], "problems": [], "missing_tools": [], "marker": None, "ours": False,
    "files": [TREE], "services": [SERVICE], "databases": [{**DB, "version": [16, 1], "bytes": 5000, "space_at": ""}], "carry": [CARRY],
}  # fmt: skip
TARGET: dict[str, Any] = {
    **SOURCE, "host": "cloud-01", "files": [{**TREE, "there": False, "empty": True, "bytes": 0, "files": 0}], "carry": [],
    "services": [{**SERVICE, "state": "absent", "user": ""}], "users": ["root", "oa"], "groups": ["root"], "tls": {},
    "databases": [{**DB, "version": [16, 2], "bytes": 0, "space_at": "/srv/pg"}],
    "space": {"/srv/oa/app": {"bytes": 10**9, "inodes": 1000, "device": 1}, "/srv/pg": {"bytes": 10**9, "inodes": -1, "device": 2}},
}  # fmt: skip
OURS = {"system_id": "SL-OA-01", "state": "rolled_back", "run_id": "r0", "token": 1}


def problems(source: dict[str, Any] = SOURCE, target: dict[str, Any] | None = TARGET) -> list[str]:
    return [p.en for p in judge(SPEC, [source], [target])[0]]


def having(facts: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(facts)
    place: Any = made
    *parents, last = path.split("|")
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[last] = value
    return made


def test_two_good_ends_have_no_problems_and_the_amounts_are_told() -> None:
    facts = {"data_bytes": 6000, "source_bytes": 1000, "database_bytes": 5000, "source_files": 3}
    assert judge(SPEC, [SOURCE], [TARGET]) == ([], facts)
    web = {**SOURCE, "machine": "web", "host": "oa-02", "databases": []}
    assert judge(SPEC, [SOURCE, web], [TARGET, None])[1]["data_bytes"] == 7000, "every machine counts"


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("missing_tools", ["python3"], "oa-01 lacks programs: python3"),
        ("files|0|there", False, "no source directory /srv/oa/app"),
        ("files|0|special", ["'/srv/oa/app/pipe'"], "can't be copied"),
        ("services|0|state", "stopped", "not running"),
        ("services|0|held", ["/etc/cron.d/oa"], "still held"),
        ("services|0|starters", ["oa.socket"], "started again by oa.socket"),
        ("services|0|problem", {"zh": "问不到", "en": "tells no state"}, "oa-01: tells no state"),
        ("databases|0|missing_programs", ["pg_dump"], "lacks programs of postgresql: pg_dump"),
        ("databases|0|problems", [{"zh": "连不上", "en": "no connection"}], "oa-01: no connection"),
        ("carry|0|kind", "absent", "no file /etc/systemd/system/oa.service"),
        ("databases|0|version", [17, 0], "16"),
    ],
)
def test_a_source_that_is_not_ready(path: str, value: Any, told: str) -> None:
    (found,) = problems(source=having(SOURCE, path, value))
    assert told in found


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("files|0|empty", False, "not empty"),
        ("services|0|state", "running", "running on target cloud-01 already"),
        ("marker", {**OURS, "system_id": "SL-XX"}, "holds a copy"),
        ("problems", [{"zh": "证书", "en": "TLS file /etc/ssl/oa.key can't be used"}], "cloud-01: TLS file"),
        ("space|/srv/oa/app|bytes", 1099, "Too little space on target cloud-01"),
        ("space|/srv/oa/app|inodes", 2, "Too few inodes"),
        ("space|/srv/pg|bytes", 10999, "Too little space"),
        ("users", ["root"], "does not know this user: oa"),
        ("services|0|name", "other.service", "the migration file does not bring it"),
    ],
)
def test_a_target_that_is_not_ready(path: str, value: Any, told: str) -> None:
    (found,) = problems(target=having(TARGET, path, value))
    assert told in found


def test_two_copies_of_a_database_and_the_files_share_one_disk() -> None:
    target = having(having(TARGET, "space|/srv/pg|device", 1), "space|/srv/pg|inodes", 1000)
    for free, enough in ((12_100, True), (12_099, False)):
        tight = having(having(target, "space|/srv/pg|bytes", free), "space|/srv/oa/app|bytes", free)
        assert (problems(target=tight) == []) == enough


def test_a_copy_that_is_ours_may_be_used_again_and_needs_less_space() -> None:
    again = having(having(having(TARGET, "marker", OURS), "ours", True), "files", [{**TREE, "bytes": 900}])
    assert problems(target=again) == []
    assert problems(target=having(again, "space|/srv/oa/app|bytes", 250)) == []


def test_a_target_that_is_made_later_is_judged_later() -> None:
    assert problems(target=None) == []


def test_everything_is_told_at_once() -> None:
    source = having(having(SOURCE, "services|0|state", "stopped"), "missing_tools", ["python3"])
    assert len(problems(source=source, target=having(TARGET, "services|0|state", "running"))) == 3


def reach(text: str, took: float = 0.2) -> list[str]:
    return [p.en for p in judge_reach([Reach(host="oa-01", said=text, asked_at=1000.0, answered_at=1000.0 + took)])]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1000\n/usr/bin/python3 3.9\n", ""), ("1000\n/usr/bin/python3.12 3.12\n", ""),
        ("1000\n/usr/bin/python3 3.6\n", "Python on oa-01 is 3.6 (/usr/bin/python3), 3.8 or newer is needed"),
        ("1000\nnone\n", "no Python on oa-01, 3.8 or newer"),
        ("1000\n/opt/my tools/python3.13 broken\n", "/opt/my tools/python3.13 on oa-01 does not work"),
        ("880\n/usr/bin/python3 3.11\n", "off by 119 s"), ("1120\n/usr/bin/python3 3.11\n", "off by 120 s"),
        ("Last login: never\n", "did not answer as expected"), ("", "did not answer"),
    ],
)  # fmt: skip
def test_a_host_on_which_ansible_could_not_work(text: str, told: str) -> None:
    found = reach(text)
    assert told in "".join(found) and bool(found) == bool(told)


def test_a_slow_answer_is_no_wrong_clock() -> None:
    assert reach("1050\n/usr/bin/python3 3.11\n", took=90.0) == []


def look(folder: Path) -> str:
    """What the script says on a host whose PATH is this folder only."""
    done = subprocess.run(["/bin/sh", "-c", LOOK.replace("/usr/bin/python3", str(folder / "usr-bin-python3"))], env={"PATH": f"{folder}"}, capture_output=True, text=True, check=True)  # fmt: skip
    return done.stdout


def test_the_python_that_ansible_would_take_is_the_one_that_is_judged(tmp_path: Path) -> None:
    """F42: a shim that can't run, found first, breaks every task although a good Python is there too."""
    (tmp_path / "date").symlink_to("/bin/date")
    assert look(tmp_path).endswith("\nnone\n")
    (tmp_path / "python3").symlink_to(sys.executable)
    version = ".".join(map(str, sys.version_info[:2]))
    assert look(tmp_path).split()[1:] == [str(tmp_path / "python3"), version]
    shim = tmp_path / "python3.9"
    shim.write_text("#!/bin/sh\necho not installed >&2\nexit 127\n")
    shim.chmod(0o755)
    assert look(tmp_path).split()[1:] == [str(shim), "broken"]
    clock = int(look(tmp_path).split()[0])
    assert abs(clock - time.time()) < 5


def test_the_probe_counts_what_is_there_and_names_what_can_not_be_copied(tmp_path: Path) -> None:
    app = tmp_path / "app"
    (app / "sub").mkdir(parents=True)
    (app / "a").write_bytes(b"x" * 100)
    (app / os.fsdecode("中文".encode("gbk"))).write_bytes(b"y" * 11)
    (app / "sub" / "link").symlink_to("/etc")
    os.mkfifo(app / "sub" / "pipe")
    state = tmp_path / "state"
    end = {"host": "oa-01", "machine": "main", "exists": True, "side": "target", "state_dir": str(state), "marker": f"{state}/SL-OA-01.json",
           "files": [{"index": 0, "path": str(app), "other": "/x"}, {"index": 1, "path": str(tmp_path / "not" / "yet"), "other": "/y"}],
           "databases": [{"index": 0, "kind": "sqlite", "method": "dump", "path": str(tmp_path / "gone.db")}],
           "services": [{"index": 0, "script": str(tmp_path / "ctl"), "systemd": None, "carry": ["/etc/passwd"], "tls": [str(tmp_path / "no.pem")]}]}  # fmt: skip
    facts = run_module("gov_probe", end=end, system=SYSTEM, side="target")["facts"]
    tree, absent = facts["files"]
    assert (tree["bytes"], tree["files"], tree["empty"]) == (111, 5, False) and tree["special"][0].endswith("pipe'")
    assert not absent["there"] and absent["empty"]
    assert facts["space"][absent["path"]]["bytes"] > 0 and "root" in facts["users"]
    assert facts["services"][0]["state"] == "absent" and facts["carry"][0] == {
        "path": "/etc/passwd",
        "kind": "file",
        "owners": ["root"],
        "groups": ["root"],
    }
    assert "no.pem" in facts["problems"][0]["en"] and facts["marker"] is None and not facts["ours"]
    (tmp_path / "file").write_text("")
    faulty = run_module(
        "gov_probe", end={**end, "state_dir": str(tmp_path / "file/notes")}, system=SYSTEM, side="source"
    )["facts"]
    assert "may not write to" in faulty["problems"][0]["en"], "the freeze would find it out in the middle of the night"
    assert run_module("gov_probe", end={**end, "exists": False}, system=SYSTEM, side="target")["facts"] is None


def test_the_judge_repeats_what_entrance_and_source_said_when_asked() -> None:
    told = [{"told": [{"zh": "入口不对", "en": "Entrance oa points to nowhere"}]}, {"told": []}]
    results: dict[str, Any] = {"source": [{"facts": SOURCE}], "target": [{"facts": TARGET}]}
    assert (
        said(run_module("gov_precheck", action="judge", spec=SPEC, system=SYSTEM, told=told, **results))
        == "Entrance oa points to nowhere"
    )


@pytest.mark.root
def test_hosts_without_a_usable_python_are_all_named_before_ansible_fails_on_the_first(tmp_path: Path) -> None:
    """F42 over real SSH: none at all, one that is too old, a shim that can't run; a host that is away is Ansible's to report."""
    names = ["bare", "old", "shim", "good"]
    links = [(name, f"10.66.{i}.10/24", "ctl", f"10.66.{i}.1/24") for i, name in enumerate(names)]
    with Hosts(tmp_path / "hosts", links, {name: f"10.66.{i}.10" for i, name in enumerate(names)}, "ctl") as hosts:
        real = Path("/usr/bin/python3").resolve()
        for name, shim in (("bare", None), ("old", "#!/bin/sh\necho 3.6\n"), ("shim", "#!/bin/sh\nexit 127\n")):
            if shim is None:
                hosts.on(
                    name,
                    "mkdir /run/bin; cp /usr/bin/sh /usr/bin/bash /usr/bin/date /run/bin; mount --bind /run/bin /usr/bin",
                )
            else:
                hosts.on(
                    name, f"printf {shlex.quote(shim)} > /run/shim; chmod 755 /run/shim; mount --bind /run/shim {real}"
                )
        config = hosts.config.read_text().replace("Host bare", "Host away\n  HostName 10.66.0.99\nHost bare")
        hosts.config.write_text(config)
        ends = [{"host": name, "exists": True} for name in (*names, "away")]
        answer = run_module("gov_precheck", prefix=hosts.prefix, action="reach", spec=SPEC, system=SYSTEM, source=ends[:3], target=ends[3:],
                            entrance=[{"host": "govcloud"}], ssh_config=str(hosts.config))  # fmt: skip
    lines = said(answer).splitlines()
    assert len(lines) == 3 and answer["gov"] == {"hosts": 5}
    assert (
        "no Python on bare" in lines[0] and "Python on old is 3.6" in lines[1] and "on shim does not work" in lines[2]
    )
