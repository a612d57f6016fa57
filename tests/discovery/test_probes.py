"""What each kind of machine prints, and what we read in it. Cases named `.recorded` come from a real machine."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from govcloud.discovery.facts import (
    parse_connection,
    parse_disk,
    parse_filesystem,
    parse_interface,
    parse_package,
    parse_route,
    parse_socket,
    render_connection,
    render_route,
    render_socket,
)
from govcloud.discovery.probes import CONNECTIONS, PROBES, Probe
from govcloud.model.server import Connection, Route, Server, Socket

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


def test_the_machines_of_the_trade_are_all_there() -> None:
    said = [case for path in CASES.glob("*.json") for case in [json.loads(path.read_text("utf-8"))] if "os" in case]
    assert {"x86_64", "aarch64", "loongarch64"} <= {case["os"].get("arch") for case in said}
    names = " ".join(case["os"].get("os_name", "") for case in said)
    for name in ("Debian", "Ubuntu", "CentOS", "Red Hat", "Rocky", "openEuler", "Kylin", "UnionTech", "Alpine", "SUSE"):
        assert name in names


HINTS = {**get_type_hints(Server), "connections": tuple[str, ...]}
"""Connections are kept as samples, beside the server."""


def fits(field: str, value: object) -> bool:
    """Whether a value may stand in a statement for this field of Server: nouns and instants are text there."""
    hint = str(HINTS[field])
    if "tuple" in hint:
        return isinstance(value, tuple) and all(isinstance(v, str) for v in value)
    if isinstance(value, bool):
        return "bool" in hint
    if isinstance(value, int):
        return "int" in hint or "float" in hint
    if isinstance(value, float):
        return "float" in hint and math.isfinite(value)
    if "datetime" in hint:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    return isinstance(value, str) and "str" in hint


NOUNS = {
    "sockets": parse_socket, "connections": parse_connection, "routes": parse_route, "disks": parse_disk,
    "filesystems": parse_filesystem, "interfaces": parse_interface, "packages": parse_package,
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(CASES.glob("*.json")), ids=lambda p: p.stem)
def test_what_a_machine_says_can_be_read_back_as_the_nouns_of_a_server(case: Path) -> None:
    """A line that the merge can't read again would stop every later import."""
    for fields in json.loads(case.read_text("utf-8")).values():
        for field, value in fields.items():
            assert fits(field, tuple(value) if isinstance(value, list) else value)
            for line in value if field in NOUNS else ():
                NOUNS[field](line)


def lines_of(probe: str) -> list[str]:
    read = "sockets" if probe == "connections" else probe
    texts = [text for path in CASES.glob("*.txt") for name, text in sections(path).items() if name == read]
    return [line for text in texts for line in text.splitlines()]


LINES = {probe.name: lines_of(probe.name) for probe in (*PROBES, CONNECTIONS)}


def broken(line: str, at: int, sign: str) -> str:
    return line[:at] + sign + line[at + 1 :]


def hostile(probe: str) -> st.SearchStrategy[str]:
    known = st.sampled_from(LINES[probe])
    other = st.sampled_from([line for lines in LINES.values() for line in lines])
    sign = st.sampled_from(["", "9" * 30, "\0", " ", "/", ":", "é", "-", "0", "f"])
    line = known | st.builds(broken, known, st.integers(0, 90), sign) | other | st.text(max_size=60)
    return st.lists(line, max_size=15).map("\n".join)


@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("probe", (*PROBES, CONNECTIONS), ids=lambda p: p.name)
@given(data=st.data())
def test_no_output_of_a_host_breaks_a_probe_or_changes_a_type(probe: Probe, data: st.DataObject) -> None:
    """A broken or hostile host must not end the discovery of the others, nor put text where the merge wants a number."""
    text = data.draw(hostile(probe.name))
    for field, value in probe.parse(text).items():
        assert field in probe.fields
        assert fits(field, value), (field, value)
        for line in value if field in NOUNS and isinstance(value, tuple) else ():
            NOUNS[field](str(line))


def test_secrets_of_command_lines_and_crontabs_go_nowhere() -> None:
    text = "looked\nown oa\n0 3 * * * PGPASSWORD=geheim1 /opt/oa/sync.sh --password geheim2 'geheim3'\n"
    text += "/etc/cron.d/oa:5 4 * * * root sh -c '/opt/x geheim4' geheim5\n"
    for probe in PROBES:
        assert "geheim" not in str(probe.parse(text))


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
