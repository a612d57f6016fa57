"""What the modules of the proofs read on a host: recorded outputs of the programs that they ask, and backups made here."""

from __future__ import annotations

import gzip
import io
import os
import socketserver
import sqlite3
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parents[1] / "execution"))

from module_run import load_util, run_module, said

keys, passwords, vendor, bastion, monitoring, clock, patches = (
    load_util(f"gov_takeover_{name}")
    for name in ("keys", "passwords", "vendor_access", "bastion", "monitoring", "clock_dns", "patches")
)
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJ9Zd3lYc0m8p4zv0e1q0m5sZ2b1Qm5wZ2J5cG9pbnRz"
HASH = "$y$j9T$canaryhash$QQQQ"


# --- keys and passwords


def test_keys_are_found_whatever_stands_before_them(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(
        f'# AAAAx\n\nssh-ed25519 {KEY} a b\ncommand="echo hi",no-pty ssh-ed25519 {KEY}\ncert-authority ssh-ed25519 {KEY}\nrubbish\n'
    )
    found = list(keys.keys_of(str(path)))
    assert [authority for _, authority in found] == [False, False, True]
    assert {fingerprint[:7] for fingerprint, _ in found} == {"SHA256:"}
    assert list(keys.keys_of(str(tmp_path / "none"))) == []


def test_sshds_own_tokens_say_where_an_accounts_keys_are() -> None:
    class Entry:
        pw_name, pw_dir, pw_uid = "oa", "/home/oa", 1001

    config = {"authorizedkeysfile": [".ssh/authorized_keys /etc/ssh/keys/%u %h/k none"]}
    assert keys.key_files(config, Entry) == ["/home/oa/.ssh/authorized_keys", "/etc/ssh/keys/oa", "/home/oa/k"]


def test_of_a_shadow_file_days_and_states_are_read_and_never_a_hash() -> None:
    found = passwords.shadow([
        f"root:{HASH}:20000:0:99999:7:::", f"old:!{HASH}:18000::::::", "daemon:*:19000::::::", "new:!:19000::::::", "open::19000::::::",
        f"soon:{HASH}:0::::::", "broken",
    ])  # fmt: skip
    assert {name: about["state"] for name, about in found.items()} == {
        "root": "set", "old": "locked", "daemon": "none", "new": "none", "open": "empty", "soon": "set"
    }  # fmt: skip
    assert found["root"]["changed_on"] == "2024-10-04"
    assert found["soon"]["changed_on"] is None, "a password that must change at the next login still lets in"
    assert "canaryhash" not in str(found)


# --- the old vendor


def test_sudo_rules_are_read_through_includes_and_aliases(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "vendor").write_text("vendor ALL=(ALL) NOPASSWD: ALL\n")
    (tmp_path / "d" / "left.bak").write_text("ghost ALL=(ALL) ALL\n")
    main = tmp_path / "sudoers"
    main.write_text(
        "Defaults env_reset\nUser_Alias OPS = anna, \\\n  ben\n%wheel ALL=(ALL) ALL\nOPS ALL=(root) /bin/systemctl\n#includedir d\n# x ALL=(ALL) ALL\n"
    )
    rules = vendor.sudo_rules(list(vendor.sudoers_lines(str(main))))
    assert rules == [("%wheel", False), ("anna", False), ("ben", False), ("vendor", True)]


def test_of_timed_jobs_owner_and_program_are_told_and_nothing_that_may_hold_a_password() -> None:
    system = vendor.cron_jobs(
        ["MAILTO=x", "# c", "0 3 * * * root /usr/bin/curl -u a:canary http://x", "@daily oa /opt/run.sh canary"],
        "/etc/crontab",
        None,
    )
    assert [(job["owner"], job["runs"]) for job in system] == [("root", "curl"), ("oa", "run.sh")]
    own = vendor.cron_jobs(["*/5 * * * * PASSWORD=canary /opt/x"], "/var/spool/cron/vendor", "vendor")
    assert own == [{"file": "/var/spool/cron/vendor", "owner": "vendor", "runs": "?"}]
    assert "canary" not in str(system + own)


def test_a_running_remote_control_tool_is_red_and_one_of_the_builders_own_is_not() -> None:
    tools = [{"name": "python3", "title": "示例远程"}]
    given = {"vendor_accounts": [], "tools": [], "accepted_tools": []}
    running = {name for _, name, _ in load_util("gov_takeover_host").processes()}
    name = next(n for n in sorted(running) if len(n) < 15)
    red = run_module(
        "gov_takeover_proof", kind="vendor_access", given=given | {"tools": [{"name": name, "title": "示例远程"}]}
    )
    assert f"A remote-control or tunnel tool is here: {name}" in said(red) and red["gov"]["verdict"] == "red"
    ok = run_module(
        "gov_takeover_proof", kind="vendor_access", given=given | {"tools": tools, "accepted_tools": [name, "python3"]}
    )
    assert name not in said(ok)


# --- bastion


def rule(
    *matches: dict[str, Any], verdict: str = "accept", chain: str = "in", target: str | None = None
) -> dict[str, Any]:
    word = {verdict: {"target": target} if target else None}
    return {"rule": {"family": "inet", "table": "t", "chain": chain, "expr": [*({"match": m} for m in matches), word]}}


def chain(name: str = "in", policy: str = "accept", hook: str | None = "input") -> dict[str, Any]:
    return {
        "chain": {"family": "inet", "table": "t", "name": name, "policy": policy, **({"hook": hook} if hook else {})}
    }


def payload(field: str, right: Any, protocol: str = "ip", op: str = "==") -> dict[str, Any]:
    return {"op": op, "left": {"payload": {"protocol": protocol, "field": field}}, "right": right}


PORT = payload("dport", 22, "tcp")
FROM = payload("saddr", "10.0.0.9")
STATE = {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}
LO = {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "lo"}


@pytest.mark.parametrize(
    ("ruleset", "closed", "sources"),
    [
        ([chain(policy="drop"), rule(STATE), rule(LO), rule(FROM, PORT)], True, {"10.0.0.9"}),
        ([chain(), rule(FROM, PORT), rule(PORT, verdict="drop"), rule(PORT)], True, {"10.0.0.9"}),
        ([chain(), rule(FROM, PORT)], False, {"10.0.0.9"}),
        ([chain(policy="drop"), rule(PORT)], True, {"any"}),
        ([chain(policy="drop"), rule(FROM, PORT), rule(payload("dport", {"range": [1, 1024]}, "tcp"))], True, {"10.0.0.9", "any"}),
        ([chain(policy="drop"), rule(FROM, PORT), rule(payload("dport", 80, "tcp"))], True, {"10.0.0.9"}),
        ([chain(policy="drop"), rule(payload("dport", 22, "tcp", "!="))], True, set()),
        ([chain(policy="drop"), rule(payload("saddr", {"set": ["10.0.0.9", {"prefix": {"addr": "10.8.0.0", "len": 16}}]}), PORT)], True, {"10.0.0.9", "10.8.0.0/16"}),
        ([{"set": {"name": "b", "elem": ["10.0.0.9"]}}, chain(policy="drop"), rule(payload("saddr", "@b"), PORT)], True, {"10.0.0.9"}),
        ([chain(policy="drop"), rule(payload("saddr", "10.0.0.9", op="!="), PORT)], True, {"not 10.0.0.9"}),
        ([chain(policy="drop"), rule(PORT, verdict="jump", target="ssh"), chain("ssh", hook=None), rule(FROM, chain="ssh")], True, {"10.0.0.9"}),
        ([chain(policy="drop", hook="forward"), rule(FROM, PORT)], False, set()),
        ([chain(policy="drop"), rule(payload("type", "echo-request", "icmp")), rule(payload("dport", 22, "udp"))], True, set()),
        ([], False, set()),
    ],
)  # fmt: skip
def test_a_packet_filter_keeps_ssh_to_the_bastion_only_where_nothing_else_is_let_in(
    ruleset: list[dict[str, Any]], closed: bool, sources: set[str]
) -> None:
    assert bastion.judge_rules(ruleset, 22) == (closed, sources)


# --- monitoring


METRICS = """# TYPE node_uname_info gauge
node_uname_info{domainname="(none)",machine="x86_64",nodename="%s",release="6"} 1
node_boot_time_seconds %d
node_time_seconds %.3f
"""


@contextmanager
def serving(text: str) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def ask(port: int, agent: str = "node_exporter", **changes: Any) -> dict[str, Any]:
    told = {"address": "127.0.0.1", "monitoring": {"agent": agent, "port": port, "receiver": "示例值班室"} | changes}
    seen = {"found": {"host": "oa-dst", "started": 1000, "clock": int(time.time()), "ports": [9100]}}
    return run_module("gov_takeover_proof", kind="monitoring_answer", given=told, seen=seen)


def test_an_agent_that_speaks_of_this_host_is_green_and_any_other_is_not() -> None:
    now = time.time()
    with serving(METRICS % ("oa-dst", 1000, now)) as port:
        assert ask(port)["gov"]["verdict"] == "green"
        assert "alarms" in said(ask(port, receiver=None))
    for text, why in (
        (METRICS % ("oa-src", 1000, now), "Another host answers: oa-src"),
        (METRICS % ("oa-dst", 5000, now), "another start time"),
        (METRICS % ("oa-dst", 1000, now - 3600), "not from now"),
        ("<html>login</html>", "does not answer"),
    ):
        with serving(text) as port:
            answer = ask(port)
            assert why in said(answer) and answer["gov"]["verdict"] == "red"
    assert "does not answer" in said(ask(port)), "nobody listens there any more"


def test_a_port_that_only_opens_does_not_say_whose_it_is() -> None:
    with serving("") as port:
        answer = ask(port, agent="tcp")
    assert answer["gov"]["verdict"] == "unknown"


class ZabbixAgent(socketserver.StreamRequestHandler):
    ITEMS = {"system.hostname": "oa-dst", "system.boottime": "1000", "system.localtime": ""}  # noqa: RUF012

    def handle(self) -> None:
        head = self.rfile.read(13)
        key = self.rfile.read(int.from_bytes(head[5:9], "little")).decode()
        value = (self.ITEMS[key] or str(int(time.time()))).encode()
        self.wfile.write(b"ZBXD\x01" + len(value).to_bytes(4, "little") + bytes(4) + value)


def test_a_zabbix_agent_is_asked_in_its_own_words() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), ZabbixAgent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert ask(server.server_address[1], agent="zabbix")["gov"]["verdict"] == "green"
        server.shutdown()


# --- clock, names, patches


TRACKING = "0A4D0035,10.77.0.53,6,1795451037.030026045,0.000008968,0.000000009,0.000001000,0.031,0.001,0.213,0.000044097,0.000001962,1.0,{}\n"
SOURCES = "^,*,10.77.0.53,5,0,377,1,0.000001323,0.000001332,0.000022733\n^,-,ntp.example.test,2,6,377,9,0.1,0.1,0.2\n"


def test_time_services_are_read_in_their_own_words() -> None:
    found = clock.chrony(TRACKING.format("Normal"), SOURCES)
    assert (found["synchronised"], found["used"], found["sources"]) == (
        True,
        "10.77.0.53",
        ["10.77.0.53", "ntp.example.test"],
    )
    assert found["offset_ms"] == "0.009"
    assert not clock.chrony(TRACKING.format("Not synchronised"), SOURCES)["synchronised"]
    assert not clock.chrony("506 Cannot talk to daemon\n", "")["synchronised"]
    shown = "SystemNTPServers=10.1.1.1\nServerName=10.1.1.1\nServerAddress=10.1.1.1\n"
    assert clock.timesyncd(shown, "NTPSynchronized=yes\n")["synchronised"]
    assert not clock.timesyncd(shown, "NTPSynchronized=no\n")["synchronised"]
    peers = "     remote           refid      st t when poll reach   delay   offset  jitter\n====\n*10.1.1.1        10.0.0.1         2 u   35   64  377    0.221   -0.123   0.041\n"
    assert (clock.ntpd(peers)["synchronised"], clock.ntpd(peers)["offset_ms"]) == (True, "-0.123")
    assert not clock.ntpd(peers.replace("*", " "))["synchronised"]


@given(st.text(max_size=200))
def test_whatever_a_time_service_says_no_clock_is_called_synchronised_by_rubbish(text: str) -> None:
    assert not clock.chrony(text, text)["synchronised"] or text.count(",") >= 13
    assert not clock.timesyncd(text, text)["synchronised"] or "NTPSynchronized=yes" in text


def test_an_answer_of_a_name_server_is_read() -> None:
    question = b"\x03app\x03bed\x04test\x00\x00\x01\x00\x01"
    answer = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\x0a\x4d\x01\x1e"
    assert clock._addresses(b"\x00\x01\x85\x00\x00\x01\x00\x01\x00\x00\x00\x00" + question + answer) == ["10.77.1.30"]


APT = """NOTE: This is only a simulation!
Inst libssl3 [3.0.11-1] (3.0.15-1 Debian-Security:12/stable-security [amd64])
Inst tzdata [2024a] (2024b Debian:12.8/stable [all])
Inst new-thing (1.0 Debian-Security:12/stable-security [all])
Conf libssl3 (3.0.15-1 Debian-Security:12/stable-security [amd64])
"""
DNF = """
openssl.x86_64                      1:3.0.7-28.el9                baseos
a-package-with-a-very-long-name.noarch
                                    2.1-4.el9                     appstream
Obsoleting Packages
old.x86_64                          1-1                           baseos
"""
ADVICE = "RHSA-2024:2447 Important/Sec. openssl-1:3.0.7-28.el9.x86_64\nRHBA-2024:1 bugfix tzdata-2024b-1.el9.noarch\n"


def test_package_managers_are_read_in_their_own_words() -> None:
    assert patches.parse_apt(APT) == {"libssl3": True, "tzdata": False}
    assert patches.parse_check_update(DNF) == ["openssl", "a-package-with-a-very-long-name"]
    assert patches.parse_updateinfo(ADVICE) == {"openssl"}
    assert patches.parse_check_update("") == [] and patches.parse_apt("") == {}


def judged(age: int | None, updates: dict[str, bool] | None) -> str:
    answer = load_util("gov_takeover_host").Answer()
    patches._judge_updates(age, updates, 7, answer)
    verdict: str = answer.gov()["verdict"]
    return verdict


def test_old_package_lists_tell_nothing_and_a_missing_security_update_is_red() -> None:
    assert judged(0, {"tzdata": False}) == "green"
    assert judged(8, {}) == "unknown" == judged(None, {}) == judged(0, None)
    assert judged(0, {"libssl3": True}) == "red" == judged(30, {"libssl3": True})


def test_the_end_of_support_is_looked_up_and_unknown_is_not_fine() -> None:
    about = patches.os_release(["ID=debian", 'VERSION_ID="12"', 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"'])
    table = [
        "version,codename,series,created,release,eol,eol-lts",
        "12,Bookworm,bookworm,2021-08-14,2023-06-10,2026-06-10,2028-06-30",
    ]
    assert patches.distro_end(about, table) == "2026-06-10"
    assert patches.distro_end({"VERSION_ID": "99"}, table) is None
    for said_until, verdict in (("2099-01-01", "green"), ("2001-01-01", "red")):
        answer = load_util("gov_takeover_host").Answer()
        patches._support(about, said_until, answer)
        assert answer.gov()["verdict"] == verdict
    answer = load_util("gov_takeover_host").Answer()
    patches._support({"ID": "nothing-known"}, None, answer)
    assert answer.gov()["verdict"] == "unknown"


# --- restore


def restore(tmp_path: Path, **backup: Any) -> dict[str, Any]:
    told = run_module("gov_takeover_proof", kind="restore", given={"backups": [backup], "scratch": str(tmp_path)})
    assert not list(tmp_path.glob("govcloud-restore-*")), "nothing of ours is left"
    return told


def sqlite(path: Path, rows: int, table: str = "records") -> Path:
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, text TEXT)")
        database.executemany(f"INSERT INTO {table} (text) VALUES (?)", [(f"公文 {n}",) for n in range(rows)])  # noqa: S608
    database.close()
    return path


def test_a_sqlite_backup_is_restored_and_compared_and_the_source_stays_as_it_is(tmp_path: Path) -> None:
    source = sqlite(tmp_path / "live.db", 50)
    before = source.read_bytes()
    (tmp_path / "b1.db").write_bytes(before)
    told = {"kind": "sqlite", "path": str(tmp_path / "b*.db"), "end": {"path": str(source)}}
    assert restore(tmp_path, **told, frozen=True)["gov"]["backup_1_rows"] == "50/50"
    assert source.read_bytes() == before
    with sqlite3.connect(source) as database:
        database.execute("INSERT INTO records (text) VALUES ('新')")
    database.close()
    assert restore(tmp_path, **told)["gov"]["verdict"] == "green", "a source that goes on working has more"
    assert "differ" in said(restore(tmp_path, **told, frozen=True))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda p, live: p.write_bytes(live[: len(live) // 2]), "failed"),
        (lambda p, live: sqlite(p, 0), "tables are empty: records"),
        (lambda p, live: sqlite(p, 50, "others"), "lacks tables: records"),
        (lambda p, live: p.write_bytes(b"rubbish"), "failed"),
        (lambda p, live: p.write_bytes(b""), "failed"),
    ],
)
def test_a_backup_that_is_cut_off_empty_or_of_something_else_is_red(tmp_path: Path, make: Any, why: str) -> None:
    source = sqlite(tmp_path / "live.db", 2000)
    make(tmp_path / "b1.db", source.read_bytes())
    answer = restore(tmp_path, kind="sqlite", path=str(tmp_path / "b*.db"), end={"path": str(source)})
    assert why in said(answer) and answer["gov"]["verdict"] == "red"


def test_what_a_proof_that_was_cut_off_left_behind_is_removed_by_the_next_one(tmp_path: Path) -> None:
    left = tmp_path / "govcloud-restore-abc" / "pg"
    left.mkdir(parents=True)
    # The number in it may be another program's by now, here ours: it must live.
    (left / "postmaster.pid").write_text(f"{os.getpid()}\n")
    restore(tmp_path, kind="files", path=str(tmp_path / "*.tar"), source=str(tmp_path))
    assert not left.exists()


def archive(path: Path, files: dict[str, bytes], at: float) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), int(at)
            tar.addfile(member, io.BytesIO(data))


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    for n in range(5):
        (folder / f"{n}.txt").write_text(f"附件 {n}")
        os.utime(folder / f"{n}.txt", (1_700_000_000, 1_700_000_000))
    return folder


def test_an_archive_is_read_to_its_end_and_compared_file_by_file(tmp_path: Path, uploads: Path) -> None:
    there = {f"uploads/{p.name}": p.read_bytes() for p in uploads.iterdir()}
    told = {"kind": "files", "path": str(tmp_path / "*.tar.gz"), "source": str(uploads)}
    path = tmp_path / "b.tar.gz"
    assert "There is no backup" in said(restore(tmp_path, **told))
    archive(path, there, 1_700_000_000)
    assert restore(tmp_path, **told)["gov"]["backup_1_equal"] == "5"
    archive(path, {**there, "uploads/1.txt": b"other"}, 1_700_000_000)
    assert "1 files of" in said(restore(tmp_path, **told))
    archive(path, dict(list(there.items())[:3]), 1_700_000_000)
    assert "lacks 2 files" in said(restore(tmp_path, **told))
    archive(path, {}, 1_700_000_000)
    assert "No file of" in said(restore(tmp_path, **told))
    archive(path, there, 1_700_000_000)
    path.write_bytes(path.read_bytes()[:-20])
    assert "can't be read to its end" in said(restore(tmp_path, **told))


def test_a_hostile_archive_writes_nothing_and_reads_nothing_outside(tmp_path: Path, uploads: Path) -> None:
    there = {f"uploads/{p.name}": p.read_bytes() for p in uploads.iterdir()}
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as tar:
        for name, data in {**there, "../../evil": b"x", "/etc/passwd": b"x"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("uploads/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
        tar.addfile(link)
    answer = restore(tmp_path, kind="files", path=str(tmp_path / "*.tar.gz"), source=str(uploads))
    assert answer["gov"]["backup_1_equal"] == "5"
    assert not (tmp_path / "evil").exists() and not (tmp_path.parent / "evil").exists()


def test_an_old_backup_is_told_with_its_age_and_red_where_a_limit_is_set(tmp_path: Path, uploads: Path) -> None:
    path = tmp_path / "b.tar.gz"
    archive(path, {f"uploads/{p.name}": p.read_bytes() for p in uploads.iterdir()}, 1_700_000_000)
    os.utime(path, (time.time() - 50 * 3600,) * 2)
    told = {"kind": "files", "path": str(path), "source": str(uploads)}
    assert "50 h" in restore(tmp_path, **told)["gov"]["backup_1"]
    assert "50 h old" in said(restore(tmp_path, **told, max_age_h=24))


def test_a_text_dump_without_its_last_line_is_not_taken_for_whole(tmp_path: Path) -> None:
    util = load_util("gov_takeover_restore")
    problem = load_util("gov_db").Problem
    whole, cut = tmp_path / "w.sql.gz", tmp_path / "c.sql.gz"
    whole.write_bytes(gzip.compress(b"SELECT 1;\n-- PostgreSQL database dump complete\n"))
    util._demand_end(gzip.open, str(whole))
    for data in (gzip.compress(b"SELECT 1;\n"), whole.read_bytes()[:-9], b""):
        cut.write_bytes(data)
        with pytest.raises(problem):
            util._demand_end(gzip.open, str(cut))


def test_what_can_not_be_looked_at_is_unknown_and_told_without_what_was_read() -> None:
    answer = run_module("gov_takeover_proof", kind="keys", given={"builder_key": "x"})
    assert answer["gov"]["verdict"] == "unknown" and "IndexError" in said(answer)
