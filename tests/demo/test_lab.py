"""The lab's hosts are real: what a user of the demo relies on, tried through ssh, HTTP and the process table."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from govcloud.access import load_hosts
from govcloud.demo.lab import Lab, Mode, namespaces_work, start_lab, write_workspace_files
from govcloud.errors import OutsideError, UsageError
from govcloud.model.text import Text

MODES: list[Mode] = ["namespaces", "loopback"]
needs_namespaces = pytest.mark.skipif(not namespaces_work(), reason="this kernel lets users make no namespaces")


@pytest.fixture(scope="module")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Mode], Lab]]:
    """At most one lab a mode for this file: a start takes seconds."""
    with ExitStack() as stack:

        @cache
        def start(mode: Mode) -> Lab:
            running = stack.enter_context(start_lab(tmp_path_factory.mktemp(mode), mode=mode))
            write_workspace_files(running, running.folder)
            return running

        yield start


@pytest.fixture(params=[pytest.param("namespaces", marks=needs_namespaces), "loopback"])
def lab(request: pytest.FixtureRequest, labs: Callable[[Mode], Lab]) -> Lab:
    return labs(request.param)


@pytest.fixture(params=[pytest.param("namespaces", marks=needs_namespaces)])
def spaced(request: pytest.FixtureRequest, labs: Callable[[Mode], Lab]) -> Lab:
    return labs(request.param)


def ssh(
    lab: Lab, name: str, command: str, *, key: Path | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """A login that insists on the host key which the lab told: a wrong one would fail every test."""
    place = lab.places[name]
    known = lab.folder / "known_hosts"
    known.write_text(f"{name} {lab.public_keys[name]}\n")
    argv = ["ssh", "-F", "none", "-i", str(key or lab.key_file), "-p", str(place.ssh_port), "-o", "IdentitiesOnly=yes",
            "-o", "BatchMode=yes", "-o", f"HostKeyAlias={name}", "-o", f"UserKnownHostsFile={known}", f"root@{place.address}", command]  # fmt: skip
    done: subprocess.CompletedProcess[str] = lab.run(argv, capture_output=True, text=True, timeout=60, **options)
    return done


def fetch(lab: Lab, path: str, body: object = None) -> tuple[int, str, Any]:
    """Status, X-Served-By and body of a request through the department's entrance, made on the lab's network."""
    entry = lab.places["entry-01"]
    program = (
        "import sys, urllib.request, urllib.error\n"
        "try: r = urllib.request.urlopen(urllib.request.Request(sys.argv[1], sys.argv[2].encode() or None), timeout=20)\n"
        "except urllib.error.HTTPError as e: r = e\n"
        "print(r.status, r.headers.get('X-Served-By'), r.read().decode(), sep='\\n')"
    )
    url = f"http://{entry.address}:{entry.app_port}{path}"
    sent = "" if body is None else json.dumps(body)
    done = lab.run([sys.executable, "-c", program, url, sent], capture_output=True, text=True, check=True, timeout=60)
    status, served_by, text = done.stdout.split("\n", 2)
    return int(status), served_by, json.loads(text) if text.startswith(("{", "[")) else text


def lab_processes(folder: Path) -> list[str]:
    """Processes of any lab whose command line names `folder`, seen from outside."""
    listed = subprocess.run(["ps", "axww", "-o", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if str(folder) in line and "ps axww" not in line]


def wait_for(condition: Callable[[], object], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_every_host_has_its_own_name_address_route_and_processes(spaced: Lab) -> None:
    for name, place in spaced.places.items():
        told = ssh(
            spaced, name, "hostname; ip -4 -o addr show scope global; ip route; ps ax | wc -l; cat /etc/hostname"
        )
        assert told.returncode == 0, told.stderr
        lines = told.stdout.splitlines()
        assert lines[0] == lines[-1] == name
        assert f" {place.address}/24 " in told.stdout
        assert f"default via {place.address.rpartition('.')[0]}.254 dev eth0" in told.stdout
        assert int(lines[-2]) < 30, "a host must not see the machine's own processes"


def test_the_carriers_line_is_a_second_leg_that_the_controller_can_not_reach(spaced: Lab) -> None:
    told = ssh(spaced, "civil-01", "ip -4 -o addr show eth1; ip route get 172.30.77.1; ss -Htln")
    assert "172.30.5.10/24" in told.stdout
    assert "172.30.77.1 via 172.30.5.1 dev eth1" in told.stdout
    assert ":8080" in told.stdout
    assert "172.30" not in spaced.run(["ip", "route"], capture_output=True, text=True).stdout


def test_the_forgotten_backup_server_is_seen_on_the_databases_port(spaced: Lab) -> None:
    seen = ssh(spaced, "oa-01", "ss -Htnp state established").stdout
    assert re.search(r"10\.66\.1\.10:5432\s+10\.66\.1\.77:\d+\s+users:\(\(\"postgres\"", seen), seen


def test_hosts_do_not_see_the_machines_secrets_or_the_users_files(spaced: Lab) -> None:
    told = ssh(spaced, "cloud-01", f"ls /etc/shadow /etc/ssh {spaced.folder}; touch /usr/x; ls -A /srv /home /mnt")
    assert told.stdout.split() == ["/home:", "/mnt:", "/srv:", "oa"]
    assert "Read-only file system" in told.stderr


def test_a_command_of_the_toolkit_keeps_its_own_pid_and_files_on_the_labs_network(spaced: Lab, tmp_path: Path) -> None:
    """A crash is tried with kill -9 on that pid, so it must not be the pid of a wrapper."""
    out = tmp_path / "pid"
    program = f"import os, time; open({str(out)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    process = spaced.popen([sys.executable, "-c", program])
    assert wait_for(lambda: out.exists() and out.read_text() == str(process.pid))
    process.kill()
    assert process.wait(5) == -signal.SIGKILL


def test_short_output_is_never_lost(lab: Lab) -> None:
    for turn in range(20):
        told = ssh(lab, "cloud-01", f"echo out-{turn}; echo err-{turn} >&2; exit {turn}")
        assert (told.stdout, told.stderr, told.returncode) == (f"out-{turn}\n", f"err-{turn}\n", turn)


def test_much_data_goes_through_both_ways_unchanged(lab: Lab) -> None:
    sent = "0123456789abcdef" * 2**19
    assert ssh(lab, "cloud-02", "cat", input=sent).stdout == sent


def test_a_command_ends_with_all_its_children_when_the_client_goes_away(lab: Lab) -> None:
    mark = f"{7000 + os.getpid() % 1000}.25"
    place = lab.places["cloud-01"]
    client = lab.popen(
        ["ssh", "-F", "none", "-i", str(lab.key_file), "-p", str(place.ssh_port), "-o", "BatchMode=yes",
         "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", f"root@{place.address}", f"sleep {mark} & sleep {mark}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def running() -> str:
        return ssh(lab, "cloud-01", f"ps axww -o args | grep '^sleep {mark}' || true").stdout

    assert wait_for(lambda: running().count(mark) == 2)
    client.kill()
    client.wait()
    assert wait_for(lambda: not running())


def test_a_changed_authorized_keys_counts_from_the_next_login_on(lab: Lab, tmp_path: Path) -> None:
    """Taking maintenance over replaces the keys for real."""
    new = tmp_path / "new"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(new)], check=True)
    assert ssh(lab, "bak-77", "true", key=new).returncode == 255
    old = ssh(lab, "bak-77", "cat $HOME/.ssh/authorized_keys").stdout
    put = "cat > $HOME/.ssh/k && mv $HOME/.ssh/k $HOME/.ssh/authorized_keys"
    assert ssh(lab, "bak-77", put, input=new.with_suffix(".pub").read_text()).returncode == 0
    assert ssh(lab, "bak-77", "true").returncode == 255
    assert ssh(lab, "bak-77", put, key=new, input=old).returncode == 0
    assert ssh(lab, "bak-77", "true").returncode == 0


def test_sftp_and_commands_agree_on_paths(lab: Lab, tmp_path: Path) -> None:
    place = lab.places["cloud-01"]
    file = tmp_path / "文件 一.txt"
    file.write_text("内容\n", "utf-8")
    batch = f'put "{file}" up.txt\nput "{file}" {place.at("/srv/up.txt")}\n'
    argv = ["sftp", "-F", "none", "-i", str(lab.key_file), "-P", str(place.ssh_port), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", "-b", "-", f"root@{place.address}"]  # fmt: skip
    done = lab.run(argv, input=batch, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert ssh(lab, "cloud-01", f"cat $HOME/up.txt {place.at('/srv/up.txt')}").stdout == "内容\n" * 2


def test_the_office_system_answers_through_the_entrance_and_takes_documents(lab: Lab) -> None:
    status, served_by, health = fetch(lab, "/oa/health")
    assert (status, served_by, health["ok"]) == (200, "oa-01", True)
    assert health["documents"] >= 2000
    status, _, made = fetch(lab, "/oa/doc", {"title": "关于演练的通知", "body": "正文", "attachment": "aGVsbG8="})
    assert status == 201
    status, _, read = fetch(lab, f"/oa/doc/{made['id']}")
    assert (status, read["title"], len(read["attachments"])) == (200, "关于演练的通知", 1)
    assert fetch(lab, "/oa/doc/999999")[0] == 404
    assert fetch(lab, "/oa/doc", {"body": "no title"})[0] == 400


@pytest.mark.parametrize("app", ["oa", "petition"])
def test_selftest_is_green_on_the_source_and_finds_a_lost_or_altered_attachment(lab: Lab, app: str) -> None:
    host = {"oa": "oa-01", "petition": "petition-01"}[app]
    status, served_by, found = fetch(lab, f"/{app}/selftest")
    assert (status, served_by, found["ok"]) == (200, host, True)
    assert found["attachments"] >= 20
    folder = lab.places[host].at(f"/srv/{app}/uploads/扫描件")
    ssh(lab, host, f"cd {folder} && mv '附件 01.pdf' 01 && cp -p '附件 02.pdf' 02 && echo x >> '附件 02.pdf'")
    status, _, found = fetch(lab, f"/{app}/selftest")
    assert (status, found["ok"]) == (500, False)
    assert found["missing"] == ["uploads/扫描件/附件 01.pdf"]
    assert found["wrong"] == ["uploads/扫描件/附件 02.pdf"]
    ssh(lab, host, f"cd {folder} && mv 01 '附件 01.pdf' && mv 02 '附件 02.pdf'")
    assert fetch(lab, f"/{app}/selftest")[0] == 200


def test_ctl_is_repeatable_and_answers_like_an_init_script(lab: Lab) -> None:
    ctl = lab.places["petition-01"].at("/srv/petition/ctl")
    codes = ssh(
        lab, "petition-01", f"for x in stop stop status start start status; do {ctl} $x >/dev/null; echo $?; done"
    )
    assert codes.stdout.split() == ["0", "0", "3", "0", "0", "0"]
    assert fetch(lab, "/petition/health")[0] == 200
    assert ssh(lab, "petition-01", f"{ctl} restart").returncode == 2


def test_the_entrance_switches_with_the_next_request_and_says_when_nobody_answers(lab: Lab) -> None:
    place = lab.places["entry-01"]
    file = place.at("/srv/entry/upstreams.json")
    before = ssh(lab, "entry-01", f"cat {file}").stdout
    switched = json.loads(before) | {"oa": json.loads(before)["petition"]}
    put = f"cat > {file}.new && mv {file}.new {file}"
    ssh(lab, "entry-01", put, input=json.dumps(switched))
    assert fetch(lab, "/oa/health")[1] == "petition-01"
    ssh(lab, "entry-01", put, input=json.dumps(switched | {"oa": "http://127.0.0.1:9"}))
    assert fetch(lab, "/oa/health")[0] == 502
    ssh(lab, "entry-01", put, input=before)
    assert fetch(lab, "/oa/health")[1] == "oa-01"
    assert fetch(lab, "/nothing/")[0] == 404


def test_a_database_that_is_read_only_or_away_is_an_answer_not_a_crash(lab: Lab) -> None:
    place = lab.places["petition-01"]
    login = f'PGPASSWORD="$(cat {place.at("/srv/petition/db.pass")})" {place.pgsql}/psql -qX -h 127.0.0.1 -p {place.database_port} -U petition petition'
    assert (
        ssh(
            lab, "petition-01", f"{login} -c 'ALTER DATABASE petition SET default_transaction_read_only = on'"
        ).returncode
        == 0
    )
    assert fetch(lab, "/petition/doc", {"title": "t"})[0] == 503
    assert fetch(lab, "/petition/health")[0] == 200
    undo = "SET default_transaction_read_only = off; ALTER DATABASE petition RESET default_transaction_read_only"
    assert ssh(lab, "petition-01", login, input=undo).returncode == 0
    database = place.at("/srv/database/ctl")
    assert ssh(lab, "petition-01", f"{database} stop && ! {database} status").returncode == 0
    assert fetch(lab, "/petition/health")[0] == 503
    assert ssh(lab, "petition-01", f"{database} start").returncode == 0
    assert fetch(lab, "/petition/health")[0] == 200


def test_targets_hold_no_program_and_no_data_yet(lab: Lab) -> None:
    for target, app in (("cloud-01", "oa"), ("cloud-02", "petition")):
        place = lab.places[target]
        told = ssh(
            lab,
            target,
            f"ls -A {place.at('/srv/' + app)}; test ! -e {place.at('/srv/pgdata')} && {place.pgsql}/pg_dump --version",
        )
        assert told.stdout.splitlines()[0] == "db.pass"
        assert told.stdout.splitlines()[1].startswith("pg_dump (PostgreSQL) ")


def test_workspace_files_fit_the_hosts(lab: Lab) -> None:
    hosts = load_hosts(lab.folder / "hosts.yaml")
    assert {h.name for h in hosts} == set(lab.places)
    fingerprints = dict(
        line.split(" ssh-ed25519 ") for line in (lab.folder / "fingerprints.txt").read_text().splitlines()
    )
    assert fingerprints == lab.host_keys
    for system, forgotten in (("SL-OA-01", None), ("SL-XF-02", "archive")):
        spec = yaml.safe_load((lab.folder / "migration" / f"{system}.yaml").read_text("utf-8"))
        (machine,), (database,), (service,) = spec["machines"], spec["databases"], spec["services"]
        source = machine["source"]
        folders = " ".join(f["source"] for f in spec["files"])
        files = f"{folders} {database['source']['password_file']}"
        listed = ssh(lab, source, f"ls -d {files} && {service['source']['script']} status")
        assert listed.returncode == 0, listed.stderr
        assert (forgotten or "archive") not in folders
        beside = Path(spec["files"][0]["source"]).parent
        assert not forgotten or ssh(lab, source, f"ls {beside}/{forgotten}").returncode == 0


def test_ansible_works_on_the_hosts(spaced: Lab, tmp_path: Path) -> None:
    hosts = {
        name: {"ansible_host": place.address} for name, place in spaced.places.items() if name in ("oa-01", "cloud-01")
    }
    common = (
        f"-F none -i {spaced.key_file} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
    )
    inventory = {"all": {"hosts": hosts, "vars": {"ansible_user": "root", "ansible_ssh_common_args": common}}}
    (tmp_path / "hosts.json").write_text(json.dumps(inventory))
    play = [{"hosts": "all", "gather_facts": False, "tasks": [
        {"copy": {"content": "{{ inventory_hostname }} 你好", "dest": "~/greeting"}, "register": "made"},
        {"command": {"argv": ["cat", "/root/greeting"]}, "register": "read"},
        {"assert": {"that": ["read.stdout == inventory_hostname ~ ' 你好'", "made.changed"]}},
    ]}]  # fmt: skip
    (tmp_path / "play.json").write_text(json.dumps(play))
    argv = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        str(tmp_path / "hosts.json"),
        str(tmp_path / "play.json"),
    ]
    done = spaced.run(
        argv, capture_output=True, text=True, timeout=120, env=os.environ | {"ANSIBLE_LOCAL_TEMP": str(tmp_path)}
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("mode", [pytest.param("namespaces", marks=needs_namespaces), "loopback"])
def test_nothing_is_left_when_the_lab_ends_however_it_ends(mode: Mode, tmp_path: Path) -> None:
    """kill -9 and Ctrl-C of the process that holds it, with a command still running on the lab's network."""
    for sig, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 0)):
        holder = subprocess.Popen(
            [sys.executable, "-m", "govcloud.demo.lab", str(tmp_path), "--mode", mode, "--json"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout
        told = json.loads(holder.stdout.readline())
        assert lab_processes(tmp_path)
        stray = subprocess.Popen([*told["prefix"], "sh", "-c", "echo; exec sleep 300"], stdout=subprocess.PIPE)
        assert stray.stdout and stray.stdout.readline() == b"\n"
        holder.send_signal(sig)
        assert holder.wait(30) == code
        if mode == "namespaces":
            assert stray.wait(10) == -signal.SIGKILL
        else:  # there is no network of its own by which the lab could know it
            stray.kill()
        assert wait_for(lambda: not lab_processes(tmp_path)), lab_processes(tmp_path)
        assert wait_for(lambda: not (tmp_path / ".govcloud-lab" / "live").exists())
        assert str(tmp_path) not in Path("/proc/mounts").read_text()


def test_a_second_lab_in_the_same_folder_is_refused_and_the_first_goes_on(spaced: Lab) -> None:
    with pytest.raises(UsageError) as refused:
        start_lab(spaced.folder, mode="loopback")
    assert str(spaced.folder) in refused.value.message("zh")
    assert ssh(spaced, "cloud-01", "true").returncode == 0


def test_a_missing_program_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutsideError) as error:
        start_lab(tmp_path / "lab")
    assert "openssh-client" in error.value.message("en")
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize("mode", [pytest.param("namespaces", marks=needs_namespaces), "loopback"])
def test_a_host_that_does_not_boot_is_named_with_its_reason_and_the_rest_is_ended(mode: Mode, tmp_path: Path) -> None:
    """Files may not grow beyond 1 MB here, so no database can be made: initdb's own reason must reach the user."""
    argv = ["prlimit", "--fsize=1000000", sys.executable, "-m", "govcloud.demo.lab", str(tmp_path), "--mode", mode]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=90)
    assert done.returncode == OutsideError.exit_code, done.stderr
    assert re.search(r"(oa-01|petition-01): .*initdb", done.stderr, re.DOTALL), done.stderr
    assert "Traceback" not in done.stderr
    assert wait_for(lambda: not lab_processes(tmp_path)), lab_processes(tmp_path)
    assert not (tmp_path / ".govcloud-lab" / "live").exists()


def test_an_interrupt_while_the_lab_starts_leaves_nothing(tmp_path: Path) -> None:
    class Impatient:
        def on_event(self, event: object) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start_lab(tmp_path, Impatient())
    assert wait_for(lambda: not lab_processes(tmp_path)), lab_processes(tmp_path)
    assert not (tmp_path / ".govcloud-lab" / "live").exists()


def test_notes_say_in_both_languages_what_the_mode_means(lab: Lab) -> None:
    assert lab.notes
    assert all(isinstance(note, Text) and note.zh and note.en for note in lab.notes)
