"""Trust and discover as verbs: stored once, recorded in the ledger, nothing lost by running twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from clock import Clock

from govcloud.cli.main import run
from govcloud.errors import InputError
from govcloud.model.access import HostAccess
from govcloud.store import ledger as ledger_store
from govcloud.workflow.collect import import_files
from govcloud.workflow.discover import Asking, discover_ssh, trust_hosts
from govcloud.workflow.inventory import read_inventory
from govcloud.workflow.session import Session
from govcloud.workflow.targets import Selection, select_hosts

# pytest's importlib mode puts no folder on the path.
sys.path.insert(0, str(Path(__file__).parent.parent / "discovery"))

from books import CENSUS, write_book
from ssh_hosts import Servers, running

OA = ["SL-1", "办公系统", "示例厅", "二级", "oa-01", "10.1.1.1", "CentOS 7.6", "8核16G"]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    (tmp_path / "ssh").mkdir()
    with running(tmp_path / "ssh") as found:
        yield found


def records(session: Session, kind: str) -> list[dict[str, object]]:
    with session.store.read() as tx:
        found = [json.loads(r.canonical) for r in ledger_store.records(tx)]
    return [r["body"] for r in found if r["kind"] == kind]


def write_hosts(folder: Path, servers: Servers, *hosts: HostAccess) -> Path:
    path = folder / "hosts.yaml"
    entries = [
        {
            "name": h.name, "address": h.address, "port": h.port, "user": h.user, "key_file": str(servers.key_file),
            **({"via": h.via} if h.via else {}), **({"zone": h.zone} if h.zone else {}),
        }
        for h in hosts
    ]  # fmt: skip
    path.write_text(yaml.safe_dump({"hosts": entries}), "utf-8")
    return path


def test_keys_are_shown_first_approved_on_demand_and_recorded_with_the_approver(
    session: Session, servers: Servers
) -> None:
    server = servers.start("oa-01")
    (shown,) = trust_hosts(session, [server.host])
    assert (shown.state, records(session, "host_keys")) == ("new", [])
    (approved,) = trust_hosts(session, [server.host], approve=True)
    assert approved.state == "approved"
    (again,) = trust_hosts(session, [server.host], approve=True)
    assert (again.state, again.approved_by) == ("trusted", ("甲",))
    (body,) = records(session, "host_keys")
    assert body["keys"][0]["fingerprint"] == shown.shown  # type: ignore[index]


def test_a_changed_key_is_replaced_only_when_the_host_is_named(session: Session, servers: Servers) -> None:
    old = servers.start("oa-01")
    trust_hosts(session, [old.host], approve=True)
    servers.stop(old)
    new = servers.start("oa-01", port=old.host.port)
    (changed,) = trust_hosts(session, [new.host], approve=True)
    assert changed.state == "changed"
    assert changed.shown not in changed.approved
    assert discover_ssh(session, [new.host]).hosts[0].status == "key_changed"
    (replaced,) = trust_hosts(session, [new.host], approve=True, replaced=["oa-01"])
    assert replaced.state == "replaced"
    assert discover_ssh(session, [new.host]).hosts[0].status == "ok"
    assert records(session, "host_keys")[1]["keys"][0]["replaces"] == list(changed.approved)  # type: ignore[index]


def test_a_key_that_is_not_the_expected_one_is_not_approved(session: Session, servers: Servers, tmp_path: Path) -> None:
    right, wrong = servers.start("right-01"), servers.start("wrong-01")
    from govcloud.discovery.ssh import fingerprint

    listed = tmp_path / "fingerprints.txt"
    listed.write_text(
        f"# from the console\nright-01 ssh-ed25519 {fingerprint(right.key[1])}\nwrong-01 {fingerprint(right.key[1])}\n"
    )
    found = trust_hosts(session, [right.host, wrong.host], approve=True, expect=listed)
    assert [t.state for t in found] == ["approved", "not_expected"]
    assert len(records(session, "host_keys")[0]["keys"]) == 1  # type: ignore[arg-type]
    listed.write_text("right-01 no-fingerprint\n")
    with pytest.raises(InputError, match=r":1"):
        trust_hosts(session, [right.host], expect=listed)


def test_discovery_stores_what_the_good_hosts_say_and_tells_of_the_others(
    session: Session, folder: Path, servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_files(session, [write_book(tmp_path / "a.xlsx", [CENSUS, [*OA[:6], "AIX 5.3", ""]])])
    # Two doors of this machine, whose network cards tell that it is one.
    good, other = servers.start("oa-01"), servers.start("oa-02")
    strict = servers.start("strict-01", trusts_us=False)
    path = write_hosts(folder, servers, good.host, other.host, strict.host)
    at = ["-w", str(folder), "--user", "甲"]
    assert run([*at, "discover", "trust", "--approve"]) == 0
    assert run([*at, "--lang", "zh", "discover", "ssh", "--hosts", str(path)]) == 1
    assert "登录被拒" in capsys.readouterr().out
    servers_ = [s for s in read_inventory(session).servers if s.seen]
    assert len(servers_) == (1 if any(Path("/sys/class/net").glob("*/device")) else 2)
    assert any(s.declared and "10.1.1.1" in s.addresses for s in servers_)
    assert [c.field for c in read_inventory(session).conflicts] == ["os_name"]
    (body,) = records(session, "discover")
    assert [(h["host"], h["status"]) for h in body["hosts"]] == [  # type: ignore[attr-defined]
        ("oa-01", "ok"), ("oa-02", "ok"), ("strict-01", "auth_failed"),
    ]  # fmt: skip


def test_discovering_twice_keeps_the_inventory_and_both_records(session: Session, servers: Servers) -> None:
    host = servers.start("oa-01").host
    trust_hosts(session, [host], approve=True)
    ids = []
    for _ in range(2):
        discover_ssh(session, [host])
        ids.append([s.server_id for s in read_inventory(session).servers])
    assert ids[0] == ids[1]
    assert len(records(session, "discover")) == 2


STOPPED = """
import sys
from pathlib import Path
from govcloud.access import load_hosts
from govcloud.settings import open_workspace
from govcloud.workflow.discover import Portion, discover_ssh
from govcloud.workflow.session import open_session
folder = Path(sys.argv[1])
class Watch:
    def on_event(self, event):
        print(event.subject, flush=True)
with open_session(open_workspace(folder), actor="甲", observer=Watch()) as session:
    discover_ssh(session, load_hosts(folder / "hosts.yaml"), portion=Portion(hosts=int(sys.argv[2])))
"""


@pytest.mark.parametrize(
    ("how", "portion", "kept"), [(signal.SIGINT, 50, 2), (signal.SIGKILL, 1, 2), (signal.SIGKILL, 50, 0)]
)
def test_a_run_that_is_stopped_loses_at_most_a_portion_and_resume_asks_only_the_rest(
    session: Session,
    folder: Path,
    servers: Servers,
    capsys: pytest.CaptureFixture[str],
    how: int,
    portion: int,
    kept: int,
) -> None:
    """Four hours on Saturday night: a run that was stopped must not begin anew, nor count what was never stored."""
    good = [servers.start("oa-01").host, servers.start("oa-02").host]
    hosts = [*good, servers.start("hung-01", hang=True).host]
    write_hosts(folder, servers, *hosts)
    trust_hosts(session, hosts, approve=True)
    child = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(folder), str(portion)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert {child.stdout.readline().strip(), child.stdout.readline().strip()} == {"oa-01", "oa-02"}
        _until(lambda: sum(len(b["hosts"]) for b in records(session, "discover")) >= (kept if portion == 1 else 0))
        child.send_signal(how)
        assert child.wait(20) != 0
    finally:
        child.kill()
        child.wait()
    assert sum(len(b["hosts"]) for b in records(session, "discover")) == kept  # type: ignore[arg-type]
    argv = ["-w", str(folder), "--user", "甲", "--lang", "zh", "--format", "json"]
    assert run([*argv, "discover", "ssh", "--resume", "--limit", "oa-*"]) == 0
    facts = json.loads(capsys.readouterr().out)["hosts"]
    assert (facts["ok"], len(facts["left_out"])) == (2 - kept, kept)


def _until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_host_that_answered_is_asked_again_after_half_a_day_only(
    session: Session, folder: Path, servers: Servers
) -> None:
    host = servers.start("oa-01").host
    write_hosts(folder, servers, host)
    trust_hosts(session, [host], approve=True)
    discover_ssh(session, [host])
    assert select_hosts(session, Selection(resume=True)).left_out == ("oa-01",)
    assert isinstance(session.now, Clock)
    session.now.at += timedelta(hours=12)
    assert select_hosts(session, Selection(resume=True)).left_out == ()


def test_hosts_behind_a_bastion_are_approved_and_discovered_by_name(
    session: Session, folder: Path, servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    """The department's servers are reached through one machine only, and its key is approved before anything else."""
    bastion, inner = servers.start("jump-01", forwards=True), servers.start("inner-01")
    write_hosts(folder, servers, bastion.host, replace(inner.host, via="jump-01"))
    argv = ["-w", str(folder), "--user", "甲", "--lang", "zh"]
    assert run([*argv, "discover", "trust", "--limit", "inner-01"]) == 1
    shown = capsys.readouterr().out
    assert "jump-01" in shown and "尚未认可" in shown
    assert inner.logins == [0]
    assert run([*argv, "discover", "trust", "--approve"]) == 0
    assert run([*argv, "discover", "ssh"]) == 0
    assert "jump-01 → 127.0.0.1" in capsys.readouterr().out
    keys = [(k["host"], k["via"]) for body in records(session, "host_keys") for k in body["keys"]]  # type: ignore[attr-defined]
    assert keys == [("jump-01", None), ("inner-01", "jump-01")]


def test_a_bastion_can_be_named_on_the_command_line(
    session: Session, folder: Path, servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    bastion, inner = servers.start("jump-01", forwards=True), servers.start("inner-01")
    write_hosts(folder, servers, inner.host)
    via = ["--via", f"root@127.0.0.1:{bastion.host.port}", "--key", str(servers.key_file)]
    argv = ["-w", str(folder), "--user", "甲", "--format", "json", "discover"]
    assert run([*argv, "trust", "--approve", *via]) == 0
    assert run([*argv, "ssh", *via]) == 0
    assert bastion.opened
    capsys.readouterr()
    for wrong in ("-oProxyCommand=x", "a b", "root@", "root@h:0", "root@h:x", "root@h;id"):
        assert run([*argv, "ssh", "--via", wrong, "--key", str(servers.key_file)]) == 2


def test_every_look_at_the_connections_is_kept_with_its_time(session: Session, servers: Servers) -> None:
    host = servers.start("oa-01").host
    trust_hosts(session, [host], approve=True)
    result = discover_ssh(session, [host], asking=Asking(samples=3, every_seconds=0.1))
    assert result.hosts[0].status == "ok"
    (body,) = records(session, "discover")
    assert body["statements"] == 4


def test_what_a_host_could_not_say_is_shown_with_the_reason(
    session: Session, folder: Path, servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    host = servers.start("bare-01", path="/nonexistent").host
    write_hosts(folder, servers, host)
    trust_hosts(session, [host], approve=True)
    for lang, word in (("zh", "没有问到的"), ("en", "What stayed unknown")):
        assert run(["-w", str(folder), "--user", "甲", "--lang", lang, "discover", "ssh"]) == 0
        assert word in capsys.readouterr().out
