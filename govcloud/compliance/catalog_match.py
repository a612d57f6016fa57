"""A department's request against the catalog, line by line: what serves it, what it costs, or why it does not conform."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from govcloud.model.catalog import (
    Catalog,
    LineVerdict,
    Nearest,
    Offering,
    Outcome,
    RequestCheck,
    RequestLine,
    ResourceRequest,
)
from govcloud.model.regulation import Regulation, RequestClauses
from govcloud.model.text import Text, same

_NEAREST = 3
_OWN_CLOUD, _OWN_NETWORK = "own_cloud", "dedicated_line"
"""Service classes with a clause of their own; every catalog's `replaces` uses these names."""


def check_request(request: ResourceRequest, catalog: Catalog, own: Regulation, file: str) -> RequestCheck:
    """Every line against the catalog as of the day of application, under the office's own document."""
    lines = tuple(match_line(line, catalog, own, request.applied_on) for line in request.lines)
    return RequestCheck(
        file=file,
        request=request,
        catalog_id=catalog.catalog_id,
        catalog_title=catalog.title,
        official=catalog.official,
        lines=lines,
        no_clause=not own.requests.use_catalog,
    )


def match_line(line: RequestLine, catalog: Catalog, own: Regulation, on: date) -> LineVerdict:
    if on < catalog.effective_from or (catalog.effective_to is not None and catalog.effective_to < on):
        span = f"{catalog.effective_from}—{catalog.effective_to or '…'}"
        return _verdict(line, "catalog_expired", own, (
            Text("申请日不在目录有效期 {span} 内", "The catalog is valid {span}, not on the day of application").format(span=span),
        ))  # fmt: skip
    named = catalog.offering(line.code) if line.code is not None else None
    kind = named.service_class if named else line.service_class
    if kind is not None and (kind in catalog.replaces or line.supply == "self_built"):
        return _self_built(line, kind, catalog, own)
    if line.code is not None:
        return _by_code(line, named, catalog, own)
    return _by_class(line, catalog, own)


def _self_built(line: RequestLine, kind: str, catalog: Catalog, own: Regulation) -> LineVerdict:
    served = (kind, *catalog.replaces.get(kind, ()))
    instead = [o for o in catalog.offerings if o.service_class in served and o.status == "active"]
    instead.sort(key=lambda o: served.index(o.service_class))
    common = [o for o in instead if o.common and o.service_class == kind]
    why = Text("目录内可替代的服务", "A catalog service that serves instead")
    nearest = tuple(Nearest(code=o.code, name=o.name, why=why) for o in _one_a_class(common or instead)[:_NEAREST])
    title = catalog.classes[kind]
    if common:
        reason = Text("{k}已有公共支撑，不得重复建设", "{k} exists as a common service; it must not be built again")
        return _verdict(line, "duplicates_common_service", own, (reason.format(k=title),), nearest)
    reason = (
        Text("申请{k}，应改用目录服务", "{k}: use a catalog service instead")
        if kind in catalog.replaces
        else Text("自行建设{k}，应使用目录内的同类服务", "{k} built by the department: use the catalog's own")
    )
    return _verdict(line, "self_built", own, (reason.format(k=title),), nearest, kind)


def _one_a_class(offerings: Sequence[Offering]) -> list[Offering]:
    first: dict[str, Offering] = {}
    for offering in offerings:
        first.setdefault(offering.service_class, offering)
    rest = [o for o in offerings if o not in first.values()]
    return [*first.values(), *rest]


def _by_code(line: RequestLine, offering: Offering | None, catalog: Catalog, own: Regulation) -> LineVerdict:
    if offering is None:
        reason = Text("目录中没有编码 {code}", "The catalog has no code {code}").format(code=line.code)
        return _verdict(line, "not_in_catalog", own, (reason,), _nearest(line, catalog))
    if offering.status != "active":
        successor = catalog.offering(offering.successor) if offering.successor else None
        nearest = _nearest(line, catalog) if successor is None else (
            Nearest(code=successor.code, name=successor.name, why=Text("后续服务", "Its successor")),
        )  # fmt: skip
        reason = Text("该服务已停止新开通", "This offering is closed to new requests")
        return _verdict(line, "catalog_expired", own, (reason,), nearest)
    problems = find_problems(line, offering)
    if problems:
        return _verdict(line, "out_of_range", own, problems, _nearest(line, catalog, offering))
    return _served(line, offering)


def _by_class(line: RequestLine, catalog: Catalog, own: Regulation) -> LineVerdict:
    ranked = _ranked(line, catalog, line.service_class)
    if not ranked:
        title = catalog.classes.get(line.service_class or "", same(line.service_class or ""))
        reason = Text("目录中没有这类服务：{k}", "The catalog has no service of this kind: {k}").format(k=title)
        return _verdict(line, "not_in_catalog", own, (reason,))
    problems, offering = ranked[0]
    if problems:
        return _verdict(line, "out_of_range", own, problems, _nearest(line, catalog))
    return _served(line, offering)


def _ranked(line: RequestLine, catalog: Catalog, kind: str | None) -> list[tuple[tuple[Text, ...], Offering]]:
    """Active offerings of the kind, the best first: fewest problems, a size that exists, cheapest, as listed."""
    found = [(find_problems(line, o), o) for o in catalog.offerings if o.service_class == kind and o.status == "active"]
    return sorted(found, key=lambda pair: _distance(line, *pair))


def _distance(line: RequestLine, problems: tuple[Text, ...], offering: Offering) -> tuple[int, bool, int]:
    wrong_size = bool(offering.memory_per_vcpu) and line.spec.vcpu not in offering.memory_per_vcpu
    return len(problems), wrong_size, cost(line, offering)[1] or 0


def _nearest(line: RequestLine, catalog: Catalog, asked: Offering | None = None) -> tuple[Nearest, ...]:
    kind = asked.service_class if asked else line.service_class
    ranked = [pair for pair in _ranked(line, catalog, kind) if asked is None or pair[1].code != asked.code]
    fits = Text("符合全部要求", "Meets every demand")
    return tuple(
        Nearest(code=o.code, name=o.name, why=problems[0] if problems else fits) for problems, o in ranked[:_NEAREST]
    )


def find_problems(line: RequestLine, offering: Offering) -> tuple[Text, ...]:
    """Where the line leaves the offering's ranges; empty when it fits."""
    problems: list[Text] = []
    if line.quantity < offering.min or (offering.max is not None and line.quantity > offering.max):
        span = f"{offering.min}—{offering.max if offering.max is not None else '…'}"
        problems.append(
            Text("数量 {n} 超出 {span}", "Quantity {n} is outside {span}").format(n=line.quantity, span=span)
        )
    elif (line.quantity - offering.min) % offering.step:
        problems.append(
            Text("数量 {n} 不合步长 {step}", "Quantity {n} does not fit the step of {step}").format(
                n=line.quantity, step=offering.step
            )
        )
    problems += _machine_problems(line, offering)
    spec = line.spec
    if spec.arch not in (None, "any") and "any" not in offering.arch and spec.arch not in offering.arch:
        problems.append(_only(Text("架构", "Architecture"), spec.arch, offering.arch))
    if spec.zone is not None and spec.zone not in offering.zone:
        problems.append(_only(Text("网络区域", "Zone"), spec.zone, offering.zone))
    if spec.mlps_level is not None and offering.mlps_package is not None and spec.mlps_level > offering.mlps_package:
        problems.append(_only(Text("等保级别", "Protection level"), spec.mlps_level, (str(offering.mlps_package),)))
    return tuple(problems)


def _only(what: Text, asked: object, offered: Sequence[str]) -> Text:
    return Text("{what} {asked} 不提供，仅 {offered}", "{what} {asked} is not offered, only {offered}").format(
        what=what, asked=asked, offered=", ".join(offered)
    )


def _machine_problems(line: RequestLine, offering: Offering) -> list[Text]:
    pairs, spec = offering.memory_per_vcpu, line.spec
    if not pairs:
        return []
    if spec.vcpu is None or spec.memory_gib is None:
        return [Text("须写明 vCPU 和内存", "vCPU and memory must be given")]
    if spec.vcpu not in pairs:
        best = min(pairs, key=lambda n: (abs(n - (spec.vcpu or 0)), n))
        return [
            Text("不提供 {n} vCPU，最接近 {best}", "{n} vCPU is not offered; the nearest is {best}").format(
                n=spec.vcpu, best=best
            )
        ]
    sizes = pairs[spec.vcpu]
    if spec.memory_gib in sizes:
        return []
    return [
        Text("{n} vCPU 只配内存 {sizes} GiB", "{n} vCPU goes with {sizes} GiB of memory only").format(
            n=spec.vcpu, sizes="/".join(map(str, sizes))
        )
    ]


def _served(line: RequestLine, offering: Offering) -> LineVerdict:
    monthly, yearly, once = cost(line, offering)
    return LineVerdict(
        line=line,
        outcome="in_catalog",
        reasons=(),
        code=offering.code,
        offering_name=offering.name,
        monthly_fen=monthly,
        yearly_fen=yearly,
        once_fen=once,
    )


def cost(line: RequestLine, offering: Offering) -> tuple[int | None, int | None, int | None]:
    """(monthly, yearly, once) in fen; a yearly price is shared out over twelve months, rounded half up.

    All None where the catalog gives no price. The quantity of a per-use service is uses a month.
    """
    price = offering.price
    if price is None:
        return None, None, None
    machine = price.vcpu_fen * (line.spec.vcpu or 0) + price.memory_gib_fen * (line.spec.memory_gib or 0)
    amount = (price.fen + machine) * line.quantity
    if price.period == "once":
        return 0, 0, amount
    if price.period == "year":
        return (amount * 2 + 12) // 24, amount, 0
    return amount, amount * 12, 0


def _verdict(
    line: RequestLine, outcome: Outcome, own: Regulation, reasons: tuple[Text, ...],
    nearest: tuple[Nearest, ...] = (), kind: str | None = None,
) -> LineVerdict:  # fmt: skip
    return LineVerdict(
        line=line,
        outcome=outcome,
        reasons=reasons,
        clauses=_clauses(outcome, own.requests, kind),
        exception=_exception(own),
        nearest=nearest,
    )


def _clauses(outcome: Outcome, clauses: RequestClauses, kind: str | None) -> tuple[str, ...]:
    if outcome == "duplicates_common_service":
        return clauses.no_duplicates
    if outcome == "self_built" and kind == _OWN_CLOUD:
        return tuple(dict.fromkeys((*clauses.use_catalog, *clauses.own_cloud)))
    if outcome == "self_built" and kind == _OWN_NETWORK:
        return clauses.own_network
    return clauses.use_catalog


def _exception(own: Regulation) -> Text | None:
    clauses = own.requests
    if clauses.exception_note is None or clauses.exception_role is None:
        return None
    who = own.roles.get(clauses.exception_role) or clauses.exception_role
    ids = ", ".join(clauses.exception)
    return Text(
        "目录外事项报{who}审核（{ids}）：{note}", "What the catalog lacks goes to {who} for review ({ids}): {note}"
    ).format(who=who, ids=ids, note=clauses.exception_note)
