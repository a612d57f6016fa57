"""Cells of exports. Missed by a user: 8.192 GiB taken for 8 MiB, an address 0.0.0.0 that joins every machine, `CentOS 4/5/6/7` as
version 4."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud.discovery.exports.layout import Column
from govcloud.discovery.exports.values import PARSERS, read_environment, read_os

COLUMN = Column(field="row.x", type="text", headers=("X",), words={"on": ("poweredOn",)})


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("mib", "16,384", 16.0), ("mib", 16384.0, 16.0), ("mib", "1,048,576", 1024.0), ("mib", 0, 0.0), ("gib", "7.5", 7.5),
        ("bytes", str(2**33), 8.0), ("integer", 4.0, 4), ("integer", "4", 4), ("percent", "35%", 35.0), ("percent", 0.5, 0.5),
        ("flag", True, True), ("flag", "False", False), ("words", "POWEREDON", "on"), ("words", "else", None),
        ("uuid", "{421F245C7FA860FA6AF6A46351000001}", "421f245c-7fa8-60fa-6af6-a46351000001"),
        ("uuid", "00000000-0000-0000-0000-000000000000", None), ("macs", "0050.56A1.0001", ("00:50:56:a1:00:01",)),
        ("macs", "00:00:00:00:00:00", None), ("addresses", "0.0.0.0/0", None), ("addresses", "N/A", None),
        ("addresses", "10.1.1.1/24; fe80::1%eth0, 10.1.1.1", ("10.1.1.1",)),
        ("interface_addresses", "10.1.1.1/24", ("10.1.1.1/24",)), ("prefix", "10.1.1.7/24", "10.1.1.0/24"),
        ("names", '{"A","B"}', ("A", "B")), ("text", " - ", None), ("text", "a\n b", "a b"),
        ("instant", "2026-03-01T08:00:00+08:00", "2026-03-01T00:00:00Z"), ("instant", "2026/03/01 06:00:00", "2026-03-01T06:00:00Z"),
        ("instant", "16-Jul-2026", "2026-07-16T00:00:00Z"),
    ],
)  # fmt: skip
def test_a_cell_is_read(kind: str, cell: Any, value: Any) -> None:
    assert PARSERS[kind](cell, COLUMN) == (value, None)


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("mib", "8.192"), ("mib", "16 GB"), ("mib", -1), ("mib", "1,2"), ("mib", True), ("mib", float("nan")), ("mib", float("inf")),
        ("integer", "2.5"), ("percent", "130"), ("flag", "maybe"), ("uuid", "smbios-1"), ("macs", "00:50:56"), ("addresses", "10.1.1"),
        ("prefix", "10.1.1.0/33"), ("instant", "1/07/2026"), ("instant", "yesterday"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_read_says_what_was_expected(kind: str, cell: Any) -> None:
    value, expected = PARSERS[kind](cell, COLUMN)
    assert value is None and expected is not None and expected.zh and expected.en


@given(
    kind=st.sampled_from(sorted(PARSERS)),
    cell=st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60) | st.datetimes() | st.dates(),
)
def test_no_cell_raises(kind: str, cell: Any) -> None:
    value, expected = PARSERS[kind](cell, COLUMN)
    assert value is None or expected is None


@pytest.mark.parametrize(
    ("texts", "version", "read"),
    [
        (("CentOS 7 (64-bit)",), None, ("CentOS", "7")), (("CentOS 4/5/6/7 (64-bit)",), None, ("CentOS", None)),
        (("CentOS 4/5 or later (64-bit)",), None, ("CentOS", None)),
        (("Microsoft Windows Server 2016 or later (64-bit)",), None, ("Microsoft Windows Server", None)),
        (("", "Ubuntu Linux (64-bit)"), None, ("Ubuntu Linux", None)), (("Other 3.x or later Linux (64-bit)",), None, ("Linux", None)),
        (("Other (32-bit)",), None, (None, None)), (("Windows Server 2012 R2",), "6.3.9600", ("Windows Server", "2012 R2")),
        (("Red Hat Enterprise Linux 7",), "7.9", ("Red Hat Enterprise Linux", "7.9")), (("CentOS",), 7.6, ("CentOS", "7.6")),
        ((), "7", (None, None)),
    ],
)  # fmt: skip
def test_an_operating_system_is_a_product_and_a_version_that_runs(texts: Any, version: Any, read: Any) -> None:
    assert read_os(*texts, version=version) == read


def test_only_a_tag_that_speaks_of_the_environment_says_it() -> None:
    assert read_environment([("env", "PROD"), ("zone", "test")]) == "production"
    assert read_environment([("name", "prod")]) is None
    assert read_environment([("env", "prod"), ("Environment", "dev")]) is None


@given(
    st.ip_addresses(v=4)
    | st.sampled_from(["127.0.0.1", "169.254.1.1", "224.0.0.1", "22.1.1.1", "172.16.0.1"]).map(ipaddress.IPv4Address)
)
def test_an_address_counts_unless_every_machine_has_it(address: ipaddress.IPv4Address) -> None:
    special = address.is_unspecified or address.is_loopback or address.is_link_local or address.is_multicast
    assert PARSERS["addresses"](str(address), COLUMN) == (None if special else (str(address),), None)
