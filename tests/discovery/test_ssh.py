"""Discovery against real SSH servers: what it finds, and what it says of hosts that it can't or must not read."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paramiko
import pytest
from ssh_hosts import Server, Servers, running

from govcloud.discovery import ssh, ssh_script, ssh_session
from govcloud.discovery.probes import PROBES, Probe
from govcloud.model.access import HostAccess, HostKey
from govcloud.model.collect import HostResult

AT = datetime(2026, 3, 7, tzinfo=UTC)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("ssh")) as found:
        yield found


@pytest.fixture(scope="module")
def good(servers: Servers) -> Server:
    return servers.start("good-01")


def approved(*pairs: tuple[HostAccess, tuple[str, str]]) -> dict[tuple[str, int], list[HostKey]]:
    return {
        (host.key_host, host.port): [
            HostKey(host=host.key_host, port=host.port, key_type=key[0], key_base64=key[1], approved_by="甲")
        ]
        for host, key in pairs
    }


def ask(
    hosts: Sequence[HostAccess],
    keys: dict[tuple[str, int], list[HostKey]],
    *,
    bastions: Mapping[str, HostAccess] | None = None,
    **how: Any,
) -> list[HostResult]:
    """In the order of `hosts`."""
    asking = ssh.Asking(**{"deadline_seconds": 20.0, **how})
    found = {r.host.name: r for r in ssh.discover_hosts(hosts, keys, now=lambda: AT, bastions=bastions, asking=asking)}
    return [found[h.name] for h in hosts]


def discover(*hosts: Server, **how: Any) -> list[HostResult]:
    return ask([s.host for s in hosts], approved(*((s.host, s.key) for s in hosts)), **how)


def one(host: HostAccess, keys: dict[tuple[str, int], list[HostKey]], **how: Any) -> HostResult:
    return ask([host], keys, **how)[0]


def facts_of(result: HostResult) -> Mapping[str, Any]:
    assert result.status == "ok", result.reason
    return result.statements[0].values


def test_a_host_tells_what_it_is_over_one_connection(servers: Servers) -> None:
    server = servers.start("told-01")
    (result,) = discover(server)
    facts, statement = facts_of(result), result.statements[0]
    assert server.logins == [1]
    assert facts["name"] == "told-01"
    assert {
        "os_name", "kernel", "arch", "cpu_count", "memory_gib", "filesystems", "interfaces", "addresses", "routes",
        "dns_servers", "process_count", "units", "scheduled", "packages", "login_users", "container_engine", "booted_at",
    } <= set(facts)  # fmt: skip
    assert any(str(s).startswith(f"tcp 127.0.0.1 {server.host.port} ") for s in facts["sockets"])
    assert (statement.source, statement.place, statement.observed_at) == ("ssh", "ssh://told-01/", AT)
    assert statement.locator("os_name") == "ssh://told-01/probe/os"


def test_what_a_host_does_not_say_is_unknown_with_its_reason_and_never_both(good: Server) -> None:
    (result,) = discover(good)
    statement = result.statements[0]
    asked = {field for probe in PROBES for field in probe.fields} - {"connections"}
    assert set(statement.values) | set(statement.unknown) >= asked
    assert not set(statement.values) & set(statement.unknown)
    assert all(why.zh and why.en for why in statement.unknown.values())


def test_our_own_connection_is_not_reported_as_one_of_the_host(good: Server) -> None:
    (result,) = discover(good)
    seen = result.statements[1].values["connections"]
    assert not any(f"in 127.0.0.1 {good.host.port} 127.0.0.1" in str(line) for line in seen)  # type: ignore[union-attr]


def test_a_host_without_tools_leaves_unknowns_with_a_reason_and_no_failure(servers: Servers) -> None:
    (result,) = discover(servers.start("bare-01", path="/nonexistent"))
    assert result.status == "ok", result.reason
    assert {"process_count", "dns_servers", "filesystems"} <= set(result.statements[0].unknown)
    assert "memory_gib" in result.statements[0].values


def test_the_zone_of_the_host_is_a_fact(good: Server) -> None:
    host = replace(good.host, zone="dept")
    assert facts_of(one(host, approved((host, good.key))))["zone"] == "dept"


def test_connections_are_looked_at_again_over_the_same_connection(servers: Servers) -> None:
    """Short-lived dependencies are seen only so; each look is a statement with its own time."""
    server = servers.start("sampled-01")
    times = iter(AT + timedelta(seconds=n) for n in range(10))
    asking = ssh.Asking(samples=3, every_seconds=0.2)
    (result,) = ssh.discover_hosts(
        [server.host], approved((server.host, server.key)), now=lambda: next(times), asking=asking
    )
    assert server.logins == [1]
    samples = [s for s in result.statements if "connections" in s.values]
    assert [set(s.values) for s in samples] == [{"connections"}] * 3
    assert len({s.observed_at for s in samples}) == 3
    # An ordinary user is told neither the programs nor the cron tables of other accounts.
    assert {g.probe for g in result.gaps} <= {"sockets", "scheduled"}


def test_what_was_seen_stays_when_the_line_breaks_between_two_looks(servers: Servers) -> None:
    (result,) = discover(servers.start("breaks-01", calls=2), samples=4, every_seconds=0.1)
    assert result.status == "ok"
    assert sum("connections" in s.values for s in result.statements) == 2
    assert ["2" in g.reason.zh and "4" in g.reason.zh for g in result.gaps if g.probe == "connections"] == [True]


def test_an_unapproved_key_ends_before_the_login(good: Server) -> None:
    result = one(good.host, {})
    assert (result.status, result.statements) == ("key_unknown", ())
    assert result.fingerprint == ssh.fingerprint(good.key[1])


def test_a_changed_key_ends_before_the_login_and_shows_both_fingerprints(good: Server, servers: Servers) -> None:
    other = servers.start("other-01")
    result = one(good.host, approved((good.host, other.key)))
    assert result.status == "key_changed"
    assert result.reason is not None
    for key in (good.key, other.key):
        assert ssh.fingerprint(key[1]) in result.reason.zh and ssh.fingerprint(key[1]) in result.reason.en


def test_a_key_of_another_type_than_the_approved_one_counts_as_changed(good: Server) -> None:
    rsa = paramiko.RSAKey.generate(2048)
    assert one(good.host, approved((good.host, ("ssh-rsa", rsa.get_base64())))).status == "key_changed"


def test_fingerprints_read_as_openssh_prints_them(good: Server) -> None:
    key = paramiko.Ed25519Key(data=__import__("base64").b64decode(good.key[1]))
    assert ssh.fingerprint(good.key[1]) == key.fingerprint


def test_a_refused_login_is_told(servers: Servers) -> None:
    (result,) = discover(servers.start("strict-01", trusts_us=False))
    assert result.status == "auth_failed"


def test_a_host_that_never_answers_is_given_up_and_the_others_are_read(servers: Servers, good: Server) -> None:
    hung, read = discover(servers.start("hung-01", hang=True), good, deadline_seconds=3)
    assert (hung.status, read.status) == ("timed_out", "ok")
    assert hung.seconds < 10


def test_a_connection_cut_in_the_middle_gives_no_half_facts(servers: Servers) -> None:
    (result,) = discover(servers.start("cut-01", cut=True))
    assert (result.status, result.statements) == ("connection_lost", ())


def test_closed_ports_wrong_services_and_unknown_names_are_told_apart(servers: Servers, tmp_path: Path) -> None:
    def access(address: str, port: int) -> HostAccess:
        return HostAccess(name="x-01", address=address, port=port, key_file=str(servers.key_file))

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    assert one(access("127.0.0.1", closed), {}).status == "refused"
    with socket.create_server(("127.0.0.1", 0)) as web:
        import threading

        def answer() -> None:
            connection, _ = web.accept()
            connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n" * 200)
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        assert one(access("127.0.0.1", web.getsockname()[1]), {}).status == "refused"
    assert one(access("no-such-host.invalid", 22), {}).status == "unreachable"


def test_a_service_that_says_nothing_is_timed_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = HostAccess(name="mute-01", address="127.0.0.1", port=silent.getsockname()[1])
        result = one(host, {}, connect_seconds=1.0)
    assert result.status == "timed_out"


@pytest.mark.parametrize("text", ["$(touch {f})", "`touch {f}`", "'; touch {f}; '", "{{ lookup('pipe','touch {f}') }}"])
def test_what_a_host_prints_is_never_run(servers: Servers, tmp_path: Path, text: str) -> None:
    canary = tmp_path / "canary"
    hostile = text.replace("{f}", str(canary))
    probe = Probe(
        "os", ("os_name",), (), "cat <<'END'\n/etc/os-release:NAME=\"" + hostile + '"\nEND\n', PROBES[0].parse
    )
    (result,) = discover(servers.start("evil-01"), probes=(probe,))
    assert facts_of(result)["os_name"] == hostile
    assert not canary.exists()


def test_a_host_that_prints_without_end_is_stopped_and_a_binary_one_is_read(
    servers: Servers, good: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_session, "MAX_OUTPUT_BYTES", 2**20)
    flood = servers.start("flood-01", prints=b"x" * (2**20 + 1))
    noise = servers.start(
        "noise-01", prints=bytes(range(256)) * 40 + b"\nmarker begin os\n/etc/os-release:NAME=forged\n"
    )
    flooded, noisy, read = discover(flood, noise, good)
    assert (flooded.status, noisy.status, read.status) == ("connection_lost", "ok", "ok")
    assert facts_of(noisy)["os_name"] != "forged"


def test_signs_that_steer_a_terminal_or_hide_a_word_never_reach_our_tables(servers: Servers) -> None:
    probe = Probe(
        "os", ("os_name",), (), "printf '/etc/os-release:NAME=\"a\\033[2Jb\\342\\200\\256c\\000d%0400d\"\\n' 1", PROBES[0].parse
    )  # fmt: skip
    (result,) = discover(servers.start("signs-01"), probes=(probe,))
    name = facts_of(result)["os_name"]
    assert name.isprintable() and len(name) <= 300


def behind(server: Server, bastion: Server) -> HostAccess:
    return replace(server.host, via=bastion.host.name)


def test_hosts_behind_a_bastion_are_read_through_one_login_to_it(servers: Servers) -> None:
    bastion, *rest = (
        servers.start(n, forwards=n == "jump-01") for n in ("jump-01", "inner-01", "inner-02", "inner-03")
    )
    hosts = [behind(s, bastion) for s in rest]
    keys = approved((bastion.host, bastion.key), *((h, s.key) for h, s in zip(hosts, rest, strict=True)))
    found = ask(hosts, keys, bastions={"jump-01": bastion.host})
    assert [r.status for r in found] == ["ok"] * 3
    assert bastion.logins == [1]
    assert sorted(bastion.opened) == sorted((s.host.address, s.host.port) for s in rest)


def test_a_bastion_that_is_not_the_approved_one_is_not_logged_in_to(servers: Servers, good: Server) -> None:
    """A machine in the middle at the bastion would see the way to every host of the department."""
    bastion, other = servers.start("jump-02", forwards=True), servers.start("jump-03")
    host = behind(good, bastion)
    for keys in (approved((host, good.key)), approved((host, good.key), (bastion.host, other.key))):
        result = one(host, keys, bastions={"jump-02": bastion.host})
        assert result.status == "unreachable"
        assert result.reason is not None and "jump-02" in result.reason.zh
        assert ssh.fingerprint(bastion.key[1]) in result.reason.en
    assert bastion.opened == []


def test_the_key_of_a_host_behind_a_bastion_is_its_own(servers: Servers, good: Server) -> None:
    """Departments reuse addresses: what was approved for an address here says nothing of the one behind a bastion."""
    bastion = servers.start("jump-04", forwards=True)
    host = behind(good, bastion)
    known = approved((bastion.host, bastion.key), (good.host, good.key))
    assert one(host, known, bastions={"jump-04": bastion.host}).status == "key_unknown"
    assert one(good.host, known).status == "ok"


def test_a_host_that_the_bastion_can_t_reach_is_told_with_both_names(servers: Servers, good: Server) -> None:
    bastion = servers.start("jump-05", forwards=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = HostAccess(name="closed-01", address="127.0.0.1", port=free.getsockname()[1], via="jump-05")
    reached = behind(good, bastion)
    keys = approved((bastion.host, bastion.key), (reached, good.key))
    first, second = ask([closed, reached], keys, bastions={"jump-05": bastion.host})
    assert (first.status, second.status) == ("unreachable", "ok")
    assert first.reason is not None and "jump-05" in first.reason.zh and str(closed.port) in first.reason.en


def test_closing_the_results_ends_what_is_still_asked(servers: Servers, good: Server) -> None:
    """Ctrl-C must not wait for a host that hangs: if it did, this test would not end."""
    hung = servers.start("hung-02", hang=True)
    keys = approved((good.host, good.key), (hung.host, hung.key))
    asking = ssh.Asking(deadline_seconds=3600)
    results = ssh.discover_hosts([hung.host, good.host], keys, now=lambda: AT, asking=asking)
    assert next(results).host.name == good.host.name
    results.close()


def test_a_key_that_can_t_be_used_is_told_and_not_a_lost_connection(good: Server, tmp_path: Path) -> None:
    for name, text in (("broken", "no key"), ("missing", None)):
        if text is not None:
            (tmp_path / name).write_text(text)
        host = replace(good.host, key_file=str(tmp_path / name))
        result = one(host, approved((host, good.key)))
        assert (result.status, str(tmp_path / name) in str(result.reason)) == ("auth_failed", True)


def parsed(output: str, marker: str) -> dict[str, tuple[str, int]] | None:
    found = ssh_script.parse_sections(output, marker, PROBES[:1])
    return None if found is None else dict(found)


def test_a_host_can_t_close_a_section_by_printing_a_marker_of_another_run() -> None:
    output = "\n".join(["m1 begin os", "m2 end os 0", "m2 done", "NAME=x", "m1 end os 0", "m1 done"])
    assert parsed(output, "m1") == {"os": ("m2 end os 0\nm2 done\nNAME=x", 0)}
    assert parsed(output, "m2") is not None
    assert parsed("m1 begin os\nNAME=x\n", "m1") is None


@pytest.mark.parametrize("line", ["m1 end", "m1 begin", "m1 end os", "m1 end os x", "m1", "m1 end os 9999"])
def test_a_forged_marker_line_breaks_nothing(line: str) -> None:
    assert parsed(f"m1 begin os\n{line}\nm1 end os 0\nm1 done\n", "m1") is not None


SHELLS = [name for name in ("sh", "dash", "bash", "ksh", "mksh", "yash", "busybox") if shutil.which(name)]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_runs_in_the_shells_that_stand_behind_sh(shell: str) -> None:
    """A construct that one of them does not know would leave every host of that kind unread."""
    path = str(shutil.which(shell))
    script = ssh_script.build_script(PROBES, "mark", AT)
    argv = [path, "sh", "-s"] if shell == "busybox" else [path, "-s"]
    done = subprocess.run(argv, input=script, capture_output=True, text=True, errors="replace", timeout=30)
    sections = ssh_script.parse_sections(done.stdout, "mark", PROBES)
    assert sections is not None and done.stderr == ""
    assert {"os_name", "memory_gib", "cpu_count"} <= {
        f for v in ssh_script.parse_answers(sections, PROBES).values.values() for f in v
    }


def test_keys_are_shown_without_logging_in(servers: Servers, good: Server) -> None:
    strict = servers.start("strict-02", trusts_us=False)
    shown = ssh.show_keys([strict.host, good.host], {})
    assert [s.key for s in shown] == [strict.key, good.key]
