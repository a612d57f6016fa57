"""Requests against the sample catalogs, line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from govcloud import resources
from govcloud.compliance.catalog_match import check_request, cost, find_problems, match_line
from govcloud.compliance.catalog_source import load_catalog
from govcloud.compliance.load import load_packs
from govcloud.compliance.request_source import load_request
from govcloud.model.catalog import Catalog, LineVerdict, Offering, Price, RequestLine, RequestSpec
from govcloud.model.text import same

ON = date(2026, 3, 2)
SAMPLES = resources.folder("inventory") / "sample" / "requests"
CATALOG = load_catalog(resources.folder("service_catalog"), "sample-provincial")
PACKS = {p.regulation_id: p for p in load_packs(resources.folder("regulations"), ["SX19", "JC22", "JN19", "SD"])}


def match(own: str = "SX19", catalog: Catalog = CATALOG, on: date = ON, **line: object) -> LineVerdict:
    usual: dict[str, object] = {"line": 1, "what": "示例", "quantity": 1}
    return match_line(RequestLine(**{**usual, **line}), catalog, PACKS[own], on)  # type: ignore[arg-type]


def test_the_first_sample_request_conforms_in_every_catalog() -> None:
    for name in ("sample-provincial", "sample-municipal"):
        catalog = load_catalog(resources.folder("service_catalog"), name)
        path = SAMPLES / "示例交通厅-合规申请.yaml"
        checked = check_request(load_request(path, catalog), catalog, PACKS["SX19"], path.name)
        assert checked.conforms
        assert all(line.code and line.yearly_fen == (line.monthly_fen or 0) * 12 for line in checked.lines)


def test_the_second_sample_request_asks_for_its_own_machine_room() -> None:
    path = SAMPLES / "示例档案局-自建机房申请.yaml"
    checked = check_request(load_request(path, CATALOG), CATALOG, PACKS["SX19"], path.name)
    assert [line.outcome for line in checked.lines] == [
        "self_built", "self_built", "duplicates_common_service", "out_of_range", "in_catalog",
    ]  # fmt: skip
    assert {line.clauses for line in checked.lines if not line.conforms} == {("SX19-12b",)}
    assert all(line.nearest for line in checked.lines if not line.conforms)


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        (RequestSpec(vcpu=4, memory_gib=10), "4/8/12/16/24/32"),
        (RequestSpec(vcpu=6, memory_gib=16), "最接近 4"),
        (RequestSpec(), "vCPU"),
        (RequestSpec(vcpu=4, memory_gib=16, arch="aarch64"), "x86_64"),
        (RequestSpec(vcpu=4, memory_gib=16, zone="gov_intranet"), "gov_extranet"),
    ],
)
def test_a_machine_outside_the_ranges_is_told_which(spec: RequestSpec, part: str) -> None:
    found = match(code="P-VM-X86", spec=spec)
    assert found.outcome == "out_of_range"
    assert any(part in reason.zh for reason in found.reasons)
    assert found.monthly_fen is None


@pytest.mark.parametrize(
    ("quantity", "outcome"), [(10, "in_catalog"), (15, "out_of_range"), (5, "out_of_range"), (40000, "out_of_range")]
)
def test_quantities_keep_to_minimum_maximum_and_step(quantity: int, outcome: str) -> None:
    assert match(code="P-BS-STD", quantity=quantity).outcome == outcome


def test_the_nearest_of_another_kind_is_offered_when_one_fits() -> None:
    found = match(code="P-VM-X86", spec=RequestSpec(vcpu=4, memory_gib=16, arch="aarch64"))
    assert found.nearest[0].code in ("P-VM-ARM", "P-VM-MEM")
    assert found.nearest[0].why.zh == "符合全部要求"


def test_a_line_without_a_code_takes_the_cheapest_that_fits() -> None:
    found = match(service_class="security_package", spec=RequestSpec(mlps_level=3))
    assert found.code == "P-SEC-L3", "the cheaper package covers level 2 only"
    assert match(service_class="security_package", spec=RequestSpec(mlps_level=2)).code == "P-SEC-L2"


def test_an_unknown_code_is_outside_the_catalog_and_says_who_decides() -> None:
    found = match(code="P-NOPE")
    assert found.outcome == "not_in_catalog"
    assert found.exception is not None
    assert "省政务信息管理局" in found.exception.zh and "SX19-11a" in found.exception.zh


def test_a_kind_without_offerings_is_outside_the_catalog() -> None:
    municipal = load_catalog(resources.folder("service_catalog"), "sample-municipal")
    assert match(catalog=municipal, service_class="data_warehouse", quantity=3).outcome == "not_in_catalog"


def test_an_offering_closed_to_new_requests_names_its_successor() -> None:
    found = match(code="P-OA-00", quantity=50)
    assert found.outcome == "catalog_expired"
    assert [n.code for n in found.nearest] == ["P-OA-01"]


def test_a_catalog_out_of_its_time_serves_nothing() -> None:
    expired = replace(CATALOG, effective_to=date(2026, 3, 1))
    assert match(catalog=expired, code="P-ID-01").outcome == "catalog_expired"
    assert match(catalog=expired, code="P-ID-01", on=date(2026, 3, 1)).outcome == "in_catalog"


@pytest.mark.parametrize(
    ("own", "kind", "clauses"),
    [
        ("SX19", "machine_room", ("SX19-12b",)),
        ("JC22", "database_licence", ("JC22-12",)),
        ("JC22", "own_cloud", ("JC22-12", "JC22-35b")),
        ("SX19", "dedicated_line", ("SX19-11e",)),
        ("JN19", "machine_room", ()),
        ("SD", "own_cloud", ()),
    ],
)
def test_the_clause_behind_a_refusal_is_the_offices_own(own: str, kind: str, clauses: tuple[str, ...]) -> None:
    found = match(own, service_class=kind)
    assert (found.outcome, found.clauses) == ("self_built", clauses)


def test_an_office_without_a_catalog_clause_is_told_so() -> None:
    path = SAMPLES / "示例档案局-自建机房申请.yaml"
    request = load_request(path, CATALOG)
    assert check_request(request, CATALOG, PACKS["JN19"], path.name).no_clause
    assert not check_request(request, CATALOG, PACKS["JC22"], path.name).no_clause


def offering(price: Price, **facts: object) -> Offering:
    return Offering(
        code="X",
        layer="iaas",
        service_class="virtual_machine",
        name=same("x"),
        unit=same("x"),
        price=price,
        **facts,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("price", "quantity", "expected"),
    [
        (Price(fen=12345), 2, (24690, 296280, 0)),
        (Price(fen=10000, period="year"), 1, (833, 10000, 0)),
        (Price(fen=10006, period="year"), 1, (834, 10006, 0)),
        (Price(fen=800000, period="once"), 1, (0, 0, 800000)),
        (Price(vcpu_fen=4200, memory_gib_fen=2100), 2, (100800, 1209600, 0)),
    ],
)
def test_costs_are_exact_to_the_fen(price: Price, quantity: int, expected: tuple[int, int, int]) -> None:
    line = RequestLine(line=1, what="x", quantity=quantity, spec=RequestSpec(vcpu=4, memory_gib=16))
    assert cost(line, offering(price)) == expected


@given(quantity=st.integers(1, 300), low=st.integers(1, 50), steps=st.integers(0, 20), step=st.integers(1, 20))
def test_a_quantity_fits_exactly_when_it_is_one_of_the_steps(quantity: int, low: int, steps: int, step: int) -> None:
    made = offering(Price(), min=low, max=low + steps * step, step=step)
    fits = quantity in range(low, low + steps * step + 1, step)
    assert (find_problems(RequestLine(line=1, what="x", quantity=quantity), made) == ()) == fits
