"""Discovery against real SSH servers: what it finds, and what it says of hosts that it can't or must not read."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import paramiko
import pytest
from ssh_hosts import Server, Servers, running

from govcloud.discovery import ssh
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
        (host.address, host.port): [
            HostKey(host=host.address, port=host.port, key_type=key[0], key_base64=key[1], approved_by="甲")
        ]
        for host, key in pairs
    }


def discover(*hosts: Server, deadline: float = 20.0, probes: tuple[Probe, ...] = PROBES) -> list[HostResult]:
    keys = approved(*((s.host, s.key) for s in hosts))
    return ssh.discover_hosts([s.host for s in hosts], keys, now=lambda: AT, deadline_seconds=deadline, probes=probes)


def one(host: HostAccess, keys: dict[tuple[str, int], list[HostKey]]) -> HostResult:
    return ssh.discover_hosts([host], keys, now=lambda: AT, deadline_seconds=20)[0]


def test_a_host_tells_what_it_is_over_one_connection(good: Server) -> None:
    (result,) = discover(good)
    facts = {o.field: o.value for o in result.observations}
    assert result.status == "ok", result.reason
    assert facts["name"] == "good-01"
    assert {"os_name", "kernel", "arch", "cpu_count", "memory_gib"} <= set(facts)
    assert any(str(s).startswith(f"tcp 127.0.0.1 {good.host.port} ") for s in facts["sockets"])  # type: ignore[union-attr]
    assert {(o.source, o.observed_at) for o in result.observations} == {("ssh", AT)}
    assert next(o.locator for o in result.observations if o.field == "os_name") == "ssh://good-01/probe/os"


def test_our_own_connection_is_not_reported_as_one_of_the_host(good: Server) -> None:
    (result,) = discover(good)
    seen = next(o.value for o in result.observations if o.field == "connections")
    assert not any(f"in 127.0.0.1 {good.host.port} 127.0.0.1" in str(line) for line in seen)  # type: ignore[union-attr]


def test_a_host_without_tools_leaves_unknowns_with_a_reason_and_no_failure(servers: Servers) -> None:
    (result,) = discover(servers.start("bare-01", path="/nonexistent"))
    assert result.status == "ok"
    assert {g.probe for g in result.gaps} >= {"kernel", "sockets"}
    assert all(g.reason.zh and g.reason.en for g in result.gaps)


def test_an_unapproved_key_ends_before_the_login(good: Server) -> None:
    result = one(good.host, {})
    assert (result.status, result.observations) == ("key_unknown", ())
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
    hung, read = discover(servers.start("hung-01", hang=True), good, deadline=3)
    assert (hung.status, read.status) == ("timed_out", "ok")
    assert hung.seconds < 10


def test_a_connection_cut_in_the_middle_gives_no_half_facts(servers: Servers) -> None:
    (result,) = discover(servers.start("cut-01", cut=True))
    assert (result.status, result.observations) == ("connection_lost", ())


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
        (result,) = ssh.discover_hosts([host], {}, now=lambda: AT, connect_seconds=1.0)
    assert result.status == "timed_out"


@pytest.mark.parametrize("text", ["$(touch {f})", "`touch {f}`", "'; touch {f}; '", "{{ lookup('pipe','touch {f}') }}"])
def test_what_a_host_prints_is_never_run(servers: Servers, tmp_path: Path, text: str) -> None:
    canary = tmp_path / "canary"
    hostile = text.replace("{f}", str(canary))
    probe = Probe("os", "cat <<'END'\nNAME=\"" + hostile + '"\nEND\n', PROBES[0].parse)
    (result,) = discover(servers.start("evil-01"), probes=(probe,))
    assert result.status == "ok"
    assert not canary.exists()


def test_a_host_can_t_close_a_section_by_printing_a_marker_of_another_run() -> None:
    output = "\n".join(["m1 begin os", "m2 end os 0", "m2 done", "NAME=x", "m1 end os 0", "m1 done"])
    assert ssh.parse_sections(output, "m1") == {"os": ("m2 end os 0\nm2 done\nNAME=x", 0)}
    assert ssh.parse_sections(output, "m2") is not None
    assert ssh.parse_sections("m1 begin os\nNAME=x\n", "m1") is None


@pytest.mark.parametrize("line", ["m1 end", "m1 begin", "m1 end os", "m1 end os x", "m1"])
def test_a_forged_marker_line_breaks_nothing(line: str) -> None:
    assert ssh.parse_sections(f"m1 begin os\n{line}\nm1 end os 0\nm1 done\n", "m1") is not None


def test_keys_are_shown_without_logging_in(servers: Servers, good: Server) -> None:
    strict = servers.start("strict-02", trusts_us=False)
    shown = ssh.show_keys([strict.host, good.host], {})
    assert [s.key for s in shown] == [strict.key, good.key]
