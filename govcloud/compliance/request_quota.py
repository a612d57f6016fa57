"""What departments ask for together, against what they may use of the cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NoReturn

from govcloud.errors import InputError
from govcloud.model.inventory import Tenant
from govcloud.model.request import RESOURCES, QuotaLine, RequestCheck, Resource
from govcloud.model.text import Text

_FIELDS: Mapping[Resource, tuple[str, str]] = {
    "vcpu": ("vcpu_quota", "vcpu_used"),
    "memory_gib": ("memory_gib_quota", "memory_gib_used"),
    "storage_gib": ("storage_gib_quota", "storage_gib_used"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Allowed:
    limit: float | None = None
    used: float | None = None
    source: Literal["settings", "tenants"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """Department -> resource -> limit. The office's own settings go before what the clouds say."""

    stated: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    tenants: Mapping[str, Sequence[Tenant]] = field(default_factory=dict)

    def of(self, department: str, resource: Resource) -> _Allowed:
        quota_field, used_field = _FIELDS[resource]
        tenants = self.tenants.get(department, ())
        used = _sum([getattr(tenant, used_field) for tenant in tenants])
        stated = self.stated.get(department, {}).get(resource)
        if stated is not None:
            return _Allowed(limit=stated, used=used, source="settings")
        limit = _sum([getattr(tenant, quota_field) for tenant in tenants])
        return _Allowed(limit=limit, used=used, source="tenants" if limit is not None else None)


def _sum(values: Sequence[float | None]) -> float | None:
    """Unknown as soon as one part is."""
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None


def parse_quotas(raw: Mapping[str, object], tenants: Sequence[Tenant]) -> Quotas:
    """`quotas:` of the settings, and the discovered tenants. Raises InputError that names the key."""
    stated: dict[str, Mapping[str, float]] = {}
    for department, amounts in raw.items():
        if not isinstance(amounts, Mapping):
            _refuse(department, "", amounts)
        for name, amount in amounts.items():
            if (
                name not in _FIELDS
                or isinstance(amount, bool)
                or not isinstance(amount, int | float)
                or not 0 <= amount < 1e12
            ):
                _refuse(department, f".{name}", amount)
        stated[department] = {str(name): amount for name, amount in amounts.items()}
    owned: dict[str, list[Tenant]] = {}
    for tenant in tenants:
        if tenant.department is not None:
            owned.setdefault(tenant.department, []).append(tenant)
    return Quotas(stated=stated, tenants=owned)


def _refuse(department: str, key: str, value: object) -> NoReturn:
    what = Text(
        "配额应写成 {names}: 不小于零的数；现为 {v}", "A quota is written as {names}: a number from 0; it is {v}"
    )
    raise InputError(
        what.format(names=", ".join(RESOURCES), v=str(value)[:40]), where=f"govcloud.yaml:quotas.{department}{key}",
        next_step=Text("对照 docs/formats.md 改正", "Correct it after docs/formats.md"),
    )  # fmt: skip


def build_quota_lines(checks: Sequence[RequestCheck], quotas: Quotas) -> tuple[RequestCheck, ...]:
    """The checks with what their departments ask for together, resource by resource.

    A resource that nobody asks for is left out; an unknown limit is a line that says so.
    """
    together: dict[tuple[str, Resource], int] = {}
    for check in checks:
        for resource in RESOURCES:
            key = check.request.department, resource
            together[key] = together.get(key, 0) + check.uses(resource)
    return tuple(replace(check, quota=_lines(check, together, quotas)) for check in checks)


def _lines(check: RequestCheck, together: Mapping[tuple[str, Resource], int], quotas: Quotas) -> tuple[QuotaLine, ...]:
    lines = []
    for resource in RESOURCES:
        asked = check.uses(resource)
        if asked:
            allowed = quotas.of(check.request.department, resource)
            lines.append(
                QuotaLine(
                    resource=resource, asked=asked, together=together[check.request.department, resource],
                    limit=allowed.limit, used=allowed.used, source=allowed.source,
                )
            )  # fmt: skip
    return tuple(lines)
