"""What each kind of machine prints, and what we read in it. Cases named `.recorded` come from a real machine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.discovery.facts import (
    parse_connection,
    parse_route,
    parse_socket,
    render_connection,
    render_route,
    render_socket,
)
from govcloud.discovery.probes import PROBES
from govcloud.model.inventory import Connection, Route, Socket

CASES = Path(__file__).parent.parent / "cases" / "probes"
BY_NAME = {probe.name: probe for probe in PROBES}


def sections(path: Path) -> dict[str, str]:
    parts = re.split(r"^=== (\w+)\n", path.read_text("utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(
    ("case", "probe"),
    [(path.stem, name) for path in sorted(CASES.glob("*.txt")) for name in sections(path)],
)
def test_a_machine_s_output_is_read_as_what_it_says(case: str, probe: str) -> None:
    expected = json.loads((CASES / f"{case}.json").read_text("utf-8"))
    found = BY_NAME[probe].parse(sections(CASES / f"{case}.txt")[probe])
    assert json.loads(json.dumps(found)) == expected[probe]


def test_every_probe_has_a_recorded_case_and_a_silent_one() -> None:
    recorded = {name for path in CASES.glob("*.recorded.txt") for name in sections(path)}
    assert recorded == set(BY_NAME) == set(sections(CASES / "nothing.written.txt"))


@pytest.mark.parametrize("probe", PROBES, ids=lambda p: p.name)
@given(text=st.text(max_size=400) | st.lists(st.sampled_from([
    "LISTEN 0 1 [::]:99999999 x", "0 0 [fe80::1%eth0]:1 *:2", "default via x dev y", "999.1.1.1/99 dev eth0",
    "tcp 0: 00:0016 FF:AF0C 01 ", "inet 300.1.2.3/8", "cpus 0", "cpus 99999999999999", "MemTotal: x kB", "NAME='",
    "tcp    3: 0A01420A:0016 FE01420A:AF0C 01 x", "eth0\t0\tFE01420A", "udp UNCONN 0 0 *:0 *:*",
])).map("\n".join))  # fmt: skip
def test_no_output_of_a_host_breaks_a_probe(probe: object, text: str) -> None:
    """A broken or hostile host must not end the discovery of the others."""
    for value in probe.parse(text).values():  # type: ignore[attr-defined]
        assert value is None or isinstance(value, (str, int, float, bool, tuple))


words = st.text("abcdefgh-.1", min_size=1, max_size=8).filter(lambda t: t != "-")
ports = st.integers(0, 65535)


@given(words, ports, st.none() | words, st.sampled_from(["tcp", "udp"]))
def test_a_socket_survives_being_a_line(address: str, port: int, process: str | None, protocol: str) -> None:
    socket = Socket(address=address, port=port, process=process, protocol=protocol)  # type: ignore[arg-type]
    assert parse_socket(render_socket(socket)) == socket


@given(words, ports, words, ports, st.none() | words, st.booleans())
def test_a_connection_survives_being_a_line(a: str, p: int, b: str, q: int, process: str | None, inbound: bool) -> None:
    connection = Connection(
        local_address=a, local_port=p, remote_address=b, remote_port=q, process=process, inbound=inbound
    )
    assert parse_connection(render_connection(connection)) == connection


@given(words, st.none() | words, st.none() | words)
def test_a_route_survives_being_a_line(destination: str, gateway: str | None, interface: str | None) -> None:
    route = Route(destination=destination, gateway=gateway, interface=interface)
    assert parse_route(render_route(route)) == route
