"""Who needs whom by what was seen on the wire: what a connection is for, both programs, first and last time.

A wrong class costs a weekend: a monitoring agent taken for business binds systems that have nothing to do with each
other, a database taken for noise parts two that can't be apart.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.discovery.facts import render_connection
from govcloud.discovery.flows import Addresses, Talk, build_dependencies, build_flows, build_measured, build_use
from govcloud.discovery.merge import build_inventory
from govcloud.discovery.traffic import BINDING, port_kind, serves, traffic_of
from govcloud.model.inventory import Dependency, System
from govcloud.model.observation import Statement
from govcloud.model.server import Connection, Server, Socket

NOON = datetime(2026, 3, 7, 12, tzinfo=UTC)


def sample(subject_id: str, *lines: Connection, day: int = 0) -> Statement:
    return Statement(
        subject_kind="server", subject_id=subject_id, source="ssh", place=f"ssh://{subject_id}/",
        observed_at=NOON + timedelta(days=day), values={"connections": tuple(render_connection(c) for c in lines)},
    )  # fmt: skip


def out(local: str, remote: str, port: int, process: str | None = None) -> Connection:
    return Connection(local_address=local, local_port=0, remote_address=remote, remote_port=port, process=process)


def into(local: str, port: int, remote: str, process: str | None = None) -> Connection:
    return Connection(
        local_address=local, local_port=port, remote_address=remote, remote_port=0, process=process, inbound=True
    )


def talk(server: Server, *samples: Statement) -> Talk:
    return Talk(server, list(enumerate(samples)))


APP = Server(server_id="V-app", name="app", addresses=("10.1.1.1",))
DB = Server(
    server_id="V-db", name="db", addresses=("10.1.1.2",), sockets=(Socket(address="::", port=5432, process="postgres"),)
)  # fmt: skip


@pytest.mark.parametrize(
    ("port", "client", "server", "expected"),
    [
        (22, None, None, "management"), (2222, "ssh", "sshd", "management"), (60022, None, "sshd-session", "management"),
        (22, "java", "sshd", "file_share"), (3389, "mstsc", None, "management"), (3389, None, "xrdp", "management"),
        (10050, None, None, "monitoring"), (20050, "zabbix_server", "zabbix_agentd", "monitoring"),
        (39100, "prometheus", "node_exporter", "monitoring"), (8080, "prometheus", "java", "monitoring"),
        (18161, None, "snmpd", "monitoring"), (9200, "filebeat", "java", "monitoring"), (601, "rsyslogd", None, "monitoring"),
        (5514, "syslog-ng", None, "monitoring"), (9187, None, "postgres_export", "monitoring"),
        (3306, "zabbix_server", "mysqld", "business"), (9090, None, "java", "business"), (9090, None, None, "monitoring"),
        (13724, None, None, "management"), (45000, "bpbkar", None, "management"), (9102, None, "bacula-fd", "management"),
        (53, None, None, "naming"), (5353, None, "avahi-daemon", "naming"), (123, None, None, "time"), (11123, None, "chronyd", "time"),
        (2049, None, None, "file_share"), (40445, None, "smbd", "file_share"), (21, None, "vsftpd", "file_share"),
        (5432, "java", "postgres", "business"), (15432, None, "postgres", "business"), (50123, None, None, "ephemeral"),
        (50000, None, None, "business"), (8443, None, "nginx", "business"), (80, None, "docker-proxy", "business"),
        (22, None, "systemd", "management"), (10050, None, "docker-proxy", "monitoring"), (389, "sssd_be", "slapd", "business"),
    ],
)  # fmt: skip
def test_what_a_connection_is_for(port: int, client: str | None, server: str | None, expected: str) -> None:
    """Also on ports that nobody would guess, and not by the port where the program says otherwise."""
    assert traffic_of(port, False, client, server) == expected


def test_a_high_port_that_somebody_listens_on_is_no_noise() -> None:
    assert traffic_of(45678, False) == "ephemeral"
    assert traffic_of(45678, True) == "business"


def test_names_are_told_with_path_version_and_state() -> None:
    assert port_kind(15432, "/usr/lib/postgresql/15/bin/postgres") == "database"
    assert port_kind(8000, "php-fpm7.4") == "interface"
    assert traffic_of(9999, True, None, "nginx:_worker") == "business"
    assert traffic_of(9999, True, None, "zabbix_agent2") == "monitoring"
    assert [serves(p, name) for p, name in ((111, "rpcbind"), (631, "cupsd"), (22, "sshd"), (8080, "java"), (7777, None))] == [
        False, False, False, True, True,
    ]  # fmt: skip


def test_a_flow_has_both_programs_first_and_last_time_and_its_samples() -> None:
    """Each end tells its half; the same connection told by both is one, not two."""
    talks = [
        talk(APP, sample("V-app", out("10.1.1.1", "10.1.1.2", 5432, "java")), sample("V-app", out("10.1.1.1", "10.1.1.2", 5432), day=3)),
        talk(DB, sample("V-db", into("10.1.1.2", 5432, "10.1.1.1", "postgres"), day=1)),
    ]  # fmt: skip
    (flow,) = build_flows(talks, Addresses([APP, DB]))
    assert (flow.client_id, flow.server_id, flow.port, flow.traffic) == ("V-app", "V-db", 5432, "business")
    assert (flow.client_process, flow.server_process) == ("java", "postgres")
    assert (flow.first_seen_at, flow.last_seen_at, flow.samples) == (NOON, NOON + timedelta(days=3), 2)


def test_the_program_that_listens_classifies_also_what_only_the_client_saw() -> None:
    agent = Server(
        server_id="V-x", name="x", addresses=("10.1.1.3",), sockets=(Socket(address="::", port=40050, process="zabbix_agentd"),)
    )  # fmt: skip
    talks = [talk(APP, sample("V-app", out("10.1.1.1", "10.1.1.3", 40050, "java"))), talk(agent, sample("V-x"))]
    assert [f.traffic for f in build_flows(talks, Addresses([APP, agent]))] == ["monitoring"]


class TestDependencies:
    def test_everything_is_listed_and_only_business_binds(self) -> None:
        systems = [System(system_id=f"S-{s.name}", name=s.name, servers=(s.server_id,)) for s in (APP, DB)]
        seen = (
            out("10.1.1.1", "10.1.1.2", 22, "ssh"), out("10.1.1.1", "10.1.1.2", 5432, "java"), out("10.1.1.1", "10.1.1.2", 49999)
        )  # fmt: skip
        flows = build_flows([talk(APP, sample("V-app", *seen))], Addresses([APP, DB]))
        assert {f.traffic for f in flows} == {"management", "business", "ephemeral"}
        ((dependency, _),) = build_measured(flows, systems)
        assert (dependency.port, dependency.kind, dependency.traffic, dependency.strength) == (
            5432,
            "database",
            "business",
            None,
        )
        only_ssh = [f for f in flows if f.traffic == "management"]
        ((noise, _),) = build_measured(only_ssh, systems)
        assert (noise.kind, noise.strength, noise.traffic in BINDING) == ("management", "weak", False)

    def test_ssh_between_two_systems_does_not_confirm_what_was_declared_of_them(self) -> None:
        """Or a plan would treat a paper dependency as measured because an administrator hopped across."""
        declared = Dependency(dependency_id="L-1", source_id="S-a", target_id="S-b", kind="interface")
        noise = Dependency(
            dependency_id="L-1", source_id="S-a", target_id="S-b", measured=True, traffic="management", strength="weak", port=22
        )  # fmt: skip
        (kept,) = build_dependencies([declared], [noise])
        assert (kept.measured, kept.strength, kept.kind, kept.port, kept.traffic) == (
            False,
            None,
            "interface",
            None,
            "management",
        )
        business = Dependency(
            dependency_id="L-1", source_id="S-a", target_id="S-b", measured=True, traffic="business", port=8080
        )
        (shown,) = build_dependencies([declared], [business])
        assert (shown.measured, shown.kind, shown.port) == (True, "interface", 8080)


class TestUse:
    def test_callers_are_those_of_services_not_of_agents_or_administrators(self) -> None:
        server = Server(
            server_id="V-app", name="app", addresses=("10.1.1.1",),
            sockets=(
                Socket(address="::", port=8080, process="java"), Socket(address="::", port=22, process="sshd"),
                Socket(address="::", port=111, process="rpcbind"),
            ),
        )  # fmt: skip
        use = build_use(
            talk(
                server,
                sample("V-app", into("10.1.1.1", 22, "10.9.9.9", "sshd"), into("10.1.1.1", 8080, "10.9.9.8", "java")),
                sample("V-app", into("10.1.1.1", 10050, "10.9.9.7", "zabbix_agentd"), day=40),
            )
        )  # fmt: skip
        assert (use.samples, use.callers, use.last_called_at, use.services) == (2, 1, NOON, 1)

    def test_a_server_whose_sockets_nobody_saw_has_an_unknown_number_of_services(self) -> None:
        assert build_use(talk(APP, sample("V-app"))).services is None


ADDRESSES = [f"10.1.1.{n}" for n in range(1, 5)]
connection = st.builds(
    lambda inbound, a, b, port, process: into(a, port, b, process) if inbound else out(a, b, port, process),
    st.booleans(), st.sampled_from(ADDRESSES), st.sampled_from(ADDRESSES), st.sampled_from([22, 5432, 8080, 50505]),
    st.sampled_from([None, "java", "sshd", "postgres"]),
)  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from(range(4)), st.lists(connection, max_size=4), st.integers(0, 3)), max_size=6),
    st.randoms(),
)
def test_flows_do_not_depend_on_the_order_of_samples_and_lose_no_pair(
    told: list[tuple[int, list[Connection], int]], random: object
) -> None:
    statements = [
        Statement(
            subject_kind="server", subject_id=f"V-{n}", source="ssh", place=f"ssh://{n}/", observed_at=NOON + timedelta(hours=hour),
            values={"addresses": (ADDRESSES[n],), "name": f"h{n}", "connections": tuple(render_connection(c) for c in lines)},
        )
        for n, lines, hour in told
    ]  # fmt: skip
    found = build_inventory(statements).dependencies
    mixed = list(statements)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    again = build_inventory(mixed).dependencies
    assert [(d.dependency_id, d.port, d.traffic, d.samples) for d in again] == [
        (d.dependency_id, d.port, d.traffic, d.samples) for d in found
    ]
    known = {ADDRESSES[n] for n, _, _ in told}
    names = {address: f"V-{n}" for n, address in enumerate(ADDRESSES)}
    pairs = {
        (names[c.remote_address], names[c.local_address]) if c.inbound else (names[c.local_address], names[c.remote_address])
        for n, lines, _ in told for c in lines
        if c.local_address == ADDRESSES[n] and c.remote_address in known and c.remote_address != c.local_address
    }  # fmt: skip
    assert pairs <= {(d.source_id, d.target_id) for d in found}
