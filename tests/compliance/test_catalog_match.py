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
from govcloud.model.catalog import Catalog, Offering, Price
from govcloud.model.regulation import RequestClauses
from govcloud.model.request import LineVerdict, RequestLine, RequestSpec, ResourceRequest
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
        (RequestSpec(vcpu=4, memory_gib=16, zone="gov_intranet"), "政务外网区"),
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
    assert (found.exception.role, found.exception.term) == ("authority", "省政务信息管理局")
    assert found.exception.clauses == ("SX19-11a",)
    assert "省政务信息管理局" in found.exception.text.en and "SX19-11a" in found.exception.text.zh


def test_an_office_whose_document_names_nobody_is_told_so() -> None:
    own = replace(PACKS["SX19"], requests=RequestClauses())
    route = match_line(RequestLine(line=1, what="a", quantity=1, code="NO"), CATALOG, own, ON).exception
    assert route is not None and route.role is None and route.clauses == ()
    assert "无此条款" in route.text.zh and "no clause here" in route.text.en


def test_a_figure_that_can_be_corrected_needs_no_exception() -> None:
    assert match(code="P-BS-STD", quantity=15).exception is None


def test_every_problem_of_a_line_is_told_and_the_gravest_decides() -> None:
    """A department that corrects one thing must not be sent back for the next."""
    expired = replace(CATALOG, effective_to=date(2026, 3, 1))
    found = match(
        catalog=expired, code="P-VM-ARM", quantity=5000, service_class="sms",
        spec=RequestSpec(vcpu=6, memory_gib=16, arch="x86_64", zone="gov_intranet", area="x86"),
    )  # fmt: skip
    assert [p.outcome for p in found.problems] == ["catalog_expired", *["out_of_range"] * 6]
    said = " ".join(r.zh for r in found.reasons)
    for part in (
        "5000 超出 1—200（台）",
        "不提供 6 vCPU",
        "仅 aarch64",
        "政务内网区",
        "信创区",
        "不是短信",
        "有效期至 2026-03-01",
    ):
        assert part in said
    assert match(catalog=expired, service_class="machine_room").outcome == "self_built"
    assert "尚未生效" in match(code="P-ID-01", on=date(2019, 1, 1)).reasons[0].zh


def test_the_nearest_say_what_fits_and_what_does_not_and_what_they_cost() -> None:
    found = match(code="P-VM-X86", quantity=2, spec=RequestSpec(vcpu=4, memory_gib=16, arch="aarch64", zone="internet"))
    fits = next(n for n in found.nearest if n.code == "P-VM-ARM")
    assert fits.why.zh == "符合全部要求" and fits.yearly_fen
    others = match(code="P-VM-X86", spec=RequestSpec(vcpu=4, memory_gib=10, zone="internet")).nearest
    assert others and all("相符：" in n.why.zh and "不符：" in n.why.zh and n.yearly_fen is None for n in others)
    assert all("fits: quantity" in n.why.en and "does not fit:" in n.why.en for n in others)


def test_a_county_builds_no_cloud_of_its_own() -> None:
    found = match("JC22", service_class="own_cloud", supply="self_built")
    assert "县级不再单独建云" in found.reasons[0].zh and "JC22-35b" in found.clauses
    assert "县级" not in match("SX19", service_class="own_cloud").reasons[0].zh


@pytest.mark.parametrize("quantity", [10**6, 10**9])
def test_an_absurd_amount_is_out_of_range_with_the_range(quantity: int) -> None:
    for code in ("P-VM-X86", "P-BS-STD", "P-OS-STD", "P-SMS-01"):
        found = match(code=code, quantity=quantity, spec=RequestSpec(vcpu=4, memory_gib=16))
        assert found.outcome == "out_of_range" and f"数量 {quantity} 超出" in found.reasons[0].zh
        assert found.yearly_fen is None


def test_what_a_line_takes_of_the_quota() -> None:
    machine = RequestSpec(vcpu=4, memory_gib=16)
    assert match(code="P-VM-X86", quantity=3, spec=machine).uses == {"vcpu": 12, "memory_gib": 48}
    assert match(code="P-BS-STD", quantity=100).uses == {"storage_gib": 100}
    assert match(code="P-OS-STD", quantity=2).uses == {"storage_gib": 2048}
    assert match(code="P-BK-01", quantity=50).uses == {}, "backup is no storage of the tenant"
    assert match(service_class="server_hardware", spec=machine).uses == {}, "what is bought is not in the cloud"


def test_the_gravest_line_decides_the_conclusion() -> None:
    def conclusion(own: str, **line: object) -> str:
        request = ResourceRequest(
            department="示例厅", system_id=None, system_name=None, applied_on=ON,
            lines=(RequestLine(line=1, what="a", quantity=1, code="P-ID-01"), RequestLine(**{"line": 2, "what": "b", "quantity": 1, **line})),  # type: ignore[arg-type]
        )  # fmt: skip
        return check_request(request, CATALOG, PACKS[own], "r.yaml").conclusion

    assert conclusion("SX19", code="P-ID-01") == "approve"
    assert conclusion("SX19", code="P-BS-STD", quantity=15) == "approve_with_changes"
    assert conclusion("SX19", code="P-OA-00", quantity=50) == "approve_with_changes"
    assert conclusion("SX19", code="NO") == "approve_with_changes"
    assert conclusion("SX19", service_class="machine_room") == "reject"
    assert conclusion("SX19", service_class="sms", supply="self_built") == "reject"
    assert conclusion("JN19", service_class="machine_room") == "approve_with_changes", "no clause: advice, no refusal"


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
