"""What departments ask for together against what they may use: an unknown quota is said, never taken for enough."""

from __future__ import annotations

from datetime import date

import pytest

from govcloud import resources
from govcloud.compliance.catalog_match import check_request
from govcloud.compliance.catalog_source import load_catalog
from govcloud.compliance.load import load_packs
from govcloud.compliance.request_quota import build_quota_lines, parse_quotas
from govcloud.errors import InputError
from govcloud.model.inventory import Tenant
from govcloud.model.request import QuotaLine, RequestCheck, RequestLine, RequestSpec, ResourceRequest

CATALOG = load_catalog(resources.folder("service_catalog"), "sample-provincial")
(OWN,) = load_packs(resources.folder("regulations"), ["SX19"])


def asks(department: str, machines: int, gib: int = 0) -> RequestCheck:
    lines = [RequestLine(line=1, what="a", quantity=machines, code="P-VM-X86", spec=RequestSpec(vcpu=4, memory_gib=16))]
    if gib:
        lines.append(RequestLine(line=2, what="b", quantity=gib, code="P-BS-STD"))
    request = ResourceRequest(
        department=department, system_id=None, system_name=None, applied_on=date(2026, 3, 2), lines=tuple(lines)
    )
    return check_request(request, CATALOG, OWN, "r.yaml")


def tenant(number: int, **facts: object) -> Tenant:
    return Tenant(tenant_id=f"T-{number}", name="t", department="示例厅", **facts)  # type: ignore[arg-type]


def lines(check: RequestCheck) -> dict[str, QuotaLine]:
    return {line.resource: line for line in check.quota}


def test_the_settings_decide_and_requests_are_added_up() -> None:
    quotas = parse_quotas({"示例厅": {"vcpu": 20, "memory_gib": 64}}, [tenant(1, vcpu_quota=1000, vcpu_used=0)])
    first, second, other = build_quota_lines([asks("示例厅", 2), asks("示例厅", 3), asks("示例局", 9)], quotas)
    assert (lines(first)["vcpu"].asked, lines(first)["vcpu"].together, lines(first)["vcpu"].limit) == (8, 20, 20)
    assert not lines(first)["vcpu"].over and lines(first)["memory_gib"].over and lines(second)["memory_gib"].over
    assert first.over_quota and not first.conforms and first.conclusion == "approve_with_changes"
    assert lines(other)["vcpu"].limit is None and not other.over_quota and other.conforms


def test_tenants_count_what_is_left() -> None:
    """The quota of a cloud that was discovered holds where the office wrote none."""
    tenants = [tenant(1, vcpu_quota=30, vcpu_used=10), tenant(2, vcpu_quota=10, vcpu_used=8)]
    (fits,) = build_quota_lines([asks("示例厅", 5)], parse_quotas({}, tenants))
    assert (lines(fits)["vcpu"].limit, lines(fits)["vcpu"].used, lines(fits)["vcpu"].source) == (40, 18, "tenants")
    assert not fits.over_quota
    (over,) = build_quota_lines([asks("示例厅", 6)], parse_quotas({}, tenants))
    assert over.over_quota


def test_one_tenant_without_a_limit_makes_the_quota_unknown() -> None:
    tenants = [tenant(1, vcpu_quota=30, vcpu_used=10), tenant(2)]
    (check,) = build_quota_lines([asks("示例厅", 500)], parse_quotas({}, tenants))
    assert lines(check)["vcpu"].limit is None and lines(check)["vcpu"].used is None and not check.over_quota


def test_a_resource_that_nobody_asks_for_is_left_out() -> None:
    (check,) = build_quota_lines([asks("示例厅", 1)], parse_quotas({"示例厅": {"storage_gib": 0}}, []))
    assert "storage_gib" not in lines(check) and not check.over_quota
    (check,) = build_quota_lines([asks("示例厅", 1, 10)], parse_quotas({"示例厅": {"storage_gib": 0}}, []))
    assert check.over_quota


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ({"示例厅": 5}, "quotas.示例厅"), ({"示例厅": {"cpu": 5}}, "quotas.示例厅.cpu"),
        ({"示例厅": {"vcpu": "many"}}, "quotas.示例厅.vcpu"), ({"示例厅": {"vcpu": -1}}, "quotas.示例厅.vcpu"),
        ({"示例厅": {"vcpu": True}}, "quotas.示例厅.vcpu"), ({"示例厅": {"vcpu": float("nan")}}, "quotas.示例厅.vcpu"),
    ],
)  # fmt: skip
def test_a_faulty_quota_is_named(raw: dict[str, object], where: str) -> None:
    with pytest.raises(InputError) as error:
        parse_quotas(raw, [])
    assert error.value.where.zh == f"govcloud.yaml:{where}"
