"""A dedicated network moves into the extranet: what was declared must go on, the rest must end, and all of it must go back."""

from __future__ import annotations

import itertools
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cell import wait_until
from hypothesis import given
from hypothesis import strategies as st
from module_run import SYSTEM, run_module, said
from namespaces import PYTHON, Hosts

from govcloud.execution import network_rules as rules
from govcloud.model.migration import NetworkSpec

PREFIX = "172.31.5.0/24"
NETWORK: dict[str, Any] = msgspec.to_builtins(NetworkSpec(
    network_id="NET-示例-01", router="router-01", prefix=PREFIX, zone_from="民政专网", zone_to="政务外网", routes=("192.168.77.0/24",),
    tunnels=("l3",),
    flows=("tcp 10.100.8.10 172.31.5.10 8080", "tcp 172.31.5.10 10.100.8.10 5432", "icmp 10.100.8.0/24 172.31.5.10", "udp 172.31.5.10 10.100.8.10 53"),
))  # fmt: skip


@pytest.mark.parametrize("text", ["tcp 10.0.0.1 10.0.0.2", "sctp 10.0.0.1 10.0.0.2 1", "tcp 10.0.0.1 ::1 80", "tcp a b 80", "tcp 10.0.0.1 10.0.0.2 70000", ""])  # fmt: skip
def test_what_is_no_flow_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        rules.parse_flow(text)


ADDRESSES = st.one_of(st.ip_addresses(v=4, network="172.31.5.0/24"), st.ip_addresses(v=4, network="10.0.0.0/8")).map(
    str
)
FLOWS = st.lists(
    st.builds("{} {} {} {}".format, st.sampled_from(["tcp", "udp"]), ADDRESSES, ADDRESSES, st.integers(1, 65535)).map(rules.parse_flow), max_size=6
)  # fmt: skip


@given(FLOWS, st.dictionaries(st.sampled_from("abcd"), ADDRESSES, max_size=4))
def test_the_matrix_tries_what_is_declared_and_what_is_not(flows: list[rules.Flow], hosts: dict[str, str]) -> None:
    """Without the second half a router that lets everything through would look right."""
    cells = rules.build_matrix(NETWORK, flows, hosts)
    here = rules.ipaddress.ip_network(PREFIX)
    for cell in cells:
        assert cell.source == hosts[cell.host] != cell.destination
        assert any(rules.ipaddress.ip_address(end) in here for end in (cell.source, cell.destination))
        assert any(c.port not in {f.port for f in flows} for c in cells if c.destination == cell.destination)
    open_all = dict.fromkeys(cells, "open")
    told = rules.judge_matrix("target", flows, open_all, {})  # type: ignore[arg-type]
    assert len(told) == sum(not any(f.covers(c) for f in flows) for c in cells)
    assert rules.judge_matrix("source", flows, open_all, open_all) == []  # type: ignore[arg-type]


def cell(port: int, protocol: str = "tcp") -> rules.Cell:
    return rules.Cell("c", "10.100.8.10", protocol, "172.31.5.10", port)


@pytest.mark.parametrize(
    ("port", "now", "before", "said_"),
    [
        (8080, "open", "open", ""), (8080, "refused", "open", "Declared and not"), (8080, "refused", "refused", ""),
        (8080, "prohibited", "silent", "Declared and not"), (9090, "refused", "open", "not declared"), (9090, "silent", "open", ""),
        (9090, "unknown", "open", "Can't be measured"),
    ],
)  # fmt: skip
def test_the_judgement_after_the_move(port: int, now: rules.Answer, before: rules.Answer, said_: str) -> None:
    flows = [rules.parse_flow(NETWORK["flows"][0])]
    told = rules.judge_matrix("target", flows, {cell(port): now}, {cell(port): before})
    assert bool(told) == bool(said_) and said_ in "".join(text.en for text in told)


@pytest.mark.parametrize(("now", "before", "right"), [("open", "open", True), ("silent", "prohibited", True), ("silent", "open", False), ("open", "silent", False), ("refused", "open", False), ("unknown", "silent", False)])  # fmt: skip
def test_the_judgement_after_the_way_back(now: rules.Answer, before: rules.Answer, right: bool) -> None:
    assert (not rules.judge_matrix("source", [], {cell(1): now}, {cell(1): before})) == right


@pytest.mark.servers
@pytest.mark.parametrize("prefix", [PREFIX, "2001:db8:5::/64"])
def test_nft_takes_the_rules_in_both_families(prefix: str, tmp_path: Path) -> None:
    ends = ("172.31.5.10", "10.0.0.0/8") if "." in prefix else ("2001:db8:5::10", "2001:db8:9::/48")
    flows = [
        rules.parse_flow(f"{p} {ends[1]} {ends[0]}{port}") for p, port in (("tcp", " 80"), ("udp", " 53"), ("icmp", ""))
    ]
    script = tmp_path / "rules.nft"
    script.write_text(rules.render_rules({**NETWORK, "prefix": prefix}, flows))
    twice = f"nft -f {script} && nft -f {script} && nft list ruleset"
    listed = subprocess.run(
        ["unshare", "-Urn", "sh", "-c", f"PATH=$PATH:/usr/sbin; {twice}"], capture_output=True, text=True, check=True
    ).stdout
    assert listed.count(" accept") == 6 and "admin-prohibited" in listed


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    """ctl — router — old-01 (the department's prefix) and cloud-01; a dedicated line from the router to far."""
    links = [
        ("router", "10.77.0.1/24", "ctl", "10.77.0.100/24"), ("router", "172.31.5.1/24", "old", "172.31.5.10/24"),
        ("router", "10.100.8.1/24", "cloud", "10.100.8.10/24"), ("router", "10.250.0.1/30", "far", "10.250.0.2/30"),
    ]  # fmt: skip
    ssh = {"router": "10.77.0.1", "old": "172.31.5.10", "cloud": "10.100.8.10"}
    with Hosts(tmp_path_factory.mktemp("net") / "hosts", links, ssh, "ctl") as made:
        made.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for name, gateway in (
            ("ctl", "10.77.0.1"),
            ("old", "172.31.5.1"),
            ("cloud", "10.100.8.1"),
            ("far", "10.250.0.1"),
        ):
            made.run(name, "ip", "route", "add", "default", "via", gateway)
        made.run("router", "ip", "route", "add", "192.168.77.0/24", "via", "10.250.0.2", "metric", "50")
        made.run("far", "ip", "address", "add", "192.168.77.1/24", "dev", "lo")
        for name, port in (("old", 8080), ("old", 9090), ("cloud", 5432)):
            made.start(name, PYTHON, "-m", "http.server", str(port), "-d", str(made.folder / "hosts"))
            wait_until(lambda name=name, port=port: made.run(name, "ss", "-Hltn", f"sport = {port}").strip())
        text = (
            made.config.read_text()
            .replace("Host router", "Host router-01")
            .replace("Host old", "Host old-01")
            .replace("Host cloud", "Host cloud-01")
        )
        made.config.write_text(text)
        yield made


TOKENS = itertools.count(1)


class Move:
    def __init__(self, hosts: Hosts, evidence: Path, run_id: str, **network: Any) -> None:
        addresses = {
            "router-01": "10.77.0.1",
            "old-01": "172.31.5.10",
            "cloud-01": "10.100.8.10",
            "unlisted": "10.100.8.99",
        }
        spec = {
            "network": {**NETWORK, **network},
            "hosts": {n: {"address": a, "zone": None} for n, a in addresses.items()},
        }
        self.hosts, self.evidence = hosts, evidence
        self.given = {
            "spec": spec,
            "system": {**SYSTEM, "run_id": run_id},
            "evidence": str(evidence),
            "ssh_config": str(hosts.config),
        }

    def act(self, action: str, **more: Any) -> dict[str, Any]:
        self.given["system"]["token"] = next(TOKENS)
        return run_module("gov_network", prefix=self.hosts.prefix, action=action, wait_s=0, **more, **self.given)

    def matrix(self, name: str) -> dict[str, str]:
        found = json.loads((self.evidence / f"reachability_{name}.json").read_text("utf-8"))
        return {f"{c['source']} {c['protocol']} {c['destination']} {c['port']}": c["answer"] for c in found["cells"]}


def state(hosts: Hosts) -> tuple[str, ...]:
    return (
        hosts.run("router", "ip", "route"),
        hosts.run("router", "ip", "-br", "address"),
        hosts.run("router", "nft", "list", "ruleset"),
    )


@pytest.mark.root
def test_a_prefix_moves_and_comes_back(hosts: Hosts, tmp_path: Path) -> None:
    move, untouched = Move(hosts, tmp_path, "r-move"), state(hosts)
    unrelated = [
        "cloud",
        "python3",
        "-c",
        "import socket; socket.create_connection(('172.31.5.10', 9090), 3).send(b'x'); print('in')",
    ]
    assert "in" in hosts.run(*unrelated)
    measured = move.act("measure")
    assert not said(measured) and measured["gov"]["flows"] == 5 and measured["gov"]["not_measured"] == 1, (
        "4 declared, our own way in"
    )
    applied = move.act("apply")
    assert applied["changed"]
    rules_file = applied["gov"]["rules_file"]
    assert "jump moved" in hosts.on("router-01", "cat", rules_file), "what is to be loaded at boot is there as a file"
    checked = move.act("check", side="target")
    assert not said(checked), said(checked)
    after = move.matrix("after")
    assert after["10.100.8.10 tcp 172.31.5.10 8080"] == after["172.31.5.10 tcp 10.100.8.10 5432"] == "open"
    assert after["10.100.8.10 icmp 172.31.5.10 None"] == "open"
    assert (
        after["10.100.8.10 tcp 172.31.5.10 9"] == "prohibited"
        and move.matrix("before")["10.100.8.10 tcp 172.31.5.10 9"] == "refused"
    )
    assert "in" not in hosts.run(*unrelated, code=1)
    assert "192.168.77.0/24" not in hosts.run("router", "ip", "route") and "l3" not in hosts.run(
        "router", "ip", "-br", "link", "show", "up"
    )
    assert not move.act("apply")["changed"], "a second attempt finds it done"
    assert not said(move.act("measure")) and move.matrix("before")["10.100.8.10 tcp 172.31.5.10 9"] == "refused", (
        "the first record stands"
    )

    assert not said(move.act("undo")) and not said(move.act("undo"))
    restored = move.act("check", side="source")
    assert not said(restored), said(restored)
    assert state(hosts) == untouched and not hosts.on("router-01", "ls", rules_file, code=2)
    assert "in" in hosts.run(*unrelated)


@pytest.mark.root
def test_an_undeclared_connection_that_was_open_ends_with_the_move(hosts: Hosts, tmp_path: Path) -> None:
    """`ct state established accept` would let it live for days."""
    hosts.start(
        "old",
        PYTHON,
        "-c",
        "import socket; s = socket.create_server(('172.31.5.10', 7070)); c, _ = s.accept()\nwhile True: c.send(c.recv(1))",
    )
    wait_until(lambda: hosts.run("old", "ss", "-Hltn", "sport = 7070").strip())
    hosts.start(
        "cloud",
        PYTHON,
        "-c",
        f"import socket, time; s = socket.create_connection(('172.31.5.10', 7070)); s.settimeout(2)\nwhile True: s.send(b'x'); s.recv(1); open({str(tmp_path / 'beat')!r}, 'a').write('.'); time.sleep(0.1)",
    )
    wait_until(lambda: (tmp_path / "beat").exists())
    move = Move(hosts, tmp_path, "r-open")
    assert not said(move.act("measure")) and not said(move.act("apply"))
    time.sleep(0.5)
    beats = (tmp_path / "beat").stat().st_size
    time.sleep(1)
    assert (tmp_path / "beat").stat().st_size == beats
    assert not said(move.act("undo"))


@pytest.mark.root
def test_what_somebody_changes_behind_our_back_is_seen(hosts: Hosts, tmp_path: Path) -> None:
    move = Move(hosts, tmp_path, "r-seen")
    assert "has not been recorded" in said(move.act("apply"))
    assert not said(move.act("check", side="source")), "nothing was recorded, so there is nothing to restore"
    assert not said(move.act("measure")) and not said(move.act("apply"))
    hosts.run("router", "ip", "route", "add", "192.168.77.0/24", "dev", "l0")
    hosts.run("router", "nft", "insert", "rule", "inet", rules.table_name(NETWORK["network_id"]), "moved", "accept")
    told = said(move.act("check", side="target"))
    assert "was changed" in told
    hosts.run("router", "ip", "route", "del", "192.168.77.0/24")
    assert not said(move.act("undo"))
    assert "is missing or was changed" in said(move.act("check", side="target"))
    hosts.run("router", "ip", "route", "del", "192.168.77.0/24", "metric", "50")
    assert "Route missing" in said(move.act("check", side="source"))
    hosts.run("router", "ip", "route", "add", "192.168.77.0/24", "via", "10.250.0.2", "metric", "50")
    assert not said(move.act("check", side="source"))


@pytest.mark.root
def test_the_move_does_not_begin_where_it_could_not_be_taken_back(hosts: Hosts, tmp_path: Path) -> None:
    untouched = state(hosts)
    sawn = Move(hosts, tmp_path, "r-sawn", routes=["10.77.0.0/24"])
    assert "no way back" in sawn.act("look")["told"][0]["en"], "precheck says so, days before"
    assert Move(hosts, tmp_path, "r-fine").act("look")["told"] == []
    assert not said(sawn.act("measure"))
    assert "no way back" in said(sawn.act("apply"))
    assert state(hosts) == untouched
    assert "no interface gone0" in said(Move(hosts, tmp_path, "r-gone", tunnels=["gone0"]).act("measure"))
    name = rules.table_name(NETWORK["network_id"])
    hosts.run("router", "nft", "add", "table", "inet", name)
    assert "not of this run" in said(Move(hosts, tmp_path, "r-other").act("measure"))
    hosts.run("router", "nft", "delete", "table", "inet", name)
    first = Move(hosts, tmp_path, "r-first")
    assert not said(first.act("measure")) and not said(first.act("apply"))
    assert "was not undone" in said(Move(hosts, tmp_path, "r-second").act("measure"))
    assert not said(first.act("undo")) and state(hosts) == untouched
