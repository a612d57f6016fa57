"""What stands in the way of closing a dedicated network."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from govcloud.compliance.networks import build_remaining_networks
from govcloud.model.inventory import Inventory

AS_OF = date(2026, 3, 2)


def test_a_network_names_its_systems_and_the_server_that_nobody_owns(estate: Inventory) -> None:
    (row,) = build_remaining_networks(estate, ("SX19-11e",), AS_OF)
    assert row.systems == ("SL-MZ-03 社会救助业务系统",)
    assert row.servers == ("bak-77",)
    blockers = " ".join(text.zh for text in row.blockers)
    assert "SL-MZ-03" in blockers
    assert "bak-77" in blockers
    assert "去向未确定" in blockers
    assert row.clauses == ("SX19-11e",)


def test_a_system_is_found_by_the_address_of_its_server_alone(estate: Inventory) -> None:
    """The workbook forgot to name the network; the probe saw the server on it."""
    quiet = replace(estate, systems=tuple(replace(s, networks=()) for s in estate.systems))
    (row,) = build_remaining_networks(quiet, (), AS_OF)
    assert row.systems == ("SL-MZ-03 社会救助业务系统",)


def test_a_closed_network_is_gone_from_its_day_on(estate: Inventory) -> None:
    closed = tuple(replace(n, closed_on=date(2026, 3, 2)) for n in estate.networks)
    assert build_remaining_networks(replace(estate, networks=closed), (), AS_OF) == ()
    assert len(build_remaining_networks(replace(estate, networks=closed), (), date(2026, 3, 1))) == 1


def test_an_exception_and_a_running_contract_are_named(estate: Inventory) -> None:
    kept = tuple(
        replace(
            n, legal_basis="示例依据", consent_body="示例主管部门", consent_document="示例函", target="keep",
            contract_ends_on=date(2027, 1, 1), servers=(),
        )
        for n in estate.networks
    )  # fmt: skip
    systems = tuple(replace(s, networks=()) for s in estate.systems)
    (row,) = build_remaining_networks(replace(estate, networks=kept, systems=systems), (), AS_OF)
    assert row.consent == "示例主管部门，示例函"
    assert [("复核" in t.zh, "2027-01-01" in t.zh) for t in row.blockers] == [(True, False), (False, True)]
