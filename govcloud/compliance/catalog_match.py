"""A department's request against the catalog, line by line: what serves it, what it costs, or why it does not conform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from govcloud.model.catalog import Catalog, Offering
from govcloud.model.regulation import Regulation
from govcloud.model.request import (
    OUTCOMES,
    ExceptionRoute,
    LineVerdict,
    Nearest,
    Problem,
    RequestCheck,
    RequestLine,
    Resource,
    ResourceRequest,
)
from govcloud.model.text import Text, same

_NEAREST = 3
_OWN_CLOUD, _OWN_NETWORK = "own_cloud", "dedicated_line"
"""Service classes with a clause of their own; every catalog's `replaces` uses these names."""
_STORAGE = ("block_storage", "file_storage", "object_storage")
_GIB: Mapping[str, int] = {"GiB": 1, "TiB": 1024}
"""Unit of storage -> its size. Others are not totalled."""
_ASKED: Mapping[str, Text] = {
    "quantity": Text("数量", "quantity"), "size": Text("vCPU 和内存", "vCPU and memory"), "arch": Text("架构", "architecture"),
    "zone": Text("网络区域", "zone"), "area": Text("技术分区", "area"), "mlps": Text("等保级别", "protection level"),
}  # fmt: skip
_WORDS: Mapping[object, Text] = {
    "gov_extranet": Text("政务外网区", "extranet zone"), "internet": Text("互联网区", "internet zone"),
    "gov_intranet": Text("政务内网区", "intranet zone"), "xinchuang": Text("信创区", "domestic-technology area"),
    "x86": Text("x86 区", "x86 area"),
}  # fmt: skip


class Matcher:
    """A catalog for looking up, under the office's own document: a thousand requests must not search it line by line.

    Departments ask for the same things over and over, so that what was answered once is known.
    """

    def __init__(self, catalog: Catalog, own: Regulation) -> None:
        self.catalog, self.own, self.route = catalog, own, _route(own)
        self.by_code: dict[str, Offering] = {}
        self.by_class: dict[str, list[Offering]] = {}
        """Those that may be asked for."""
        self._answers: dict[tuple[object, ...], LineVerdict] = {}
        for offering in catalog.offerings:
            self.by_code.setdefault(offering.code, offering)
            if offering.status == "active":
                self.by_class.setdefault(offering.service_class, []).append(offering)

    def check(self, request: ResourceRequest, file: str, sha256: str | None = None) -> RequestCheck:
        """Every line, as of the day of application. The quota is another matter: build_quota_lines."""
        catalog, outdated = self.catalog, _outside_of_its_time(self.catalog, request.applied_on)
        return RequestCheck(
            file=file,
            sha256=sha256,
            request=request,
            catalog_id=catalog.catalog_id,
            catalog_version=catalog.version,
            catalog_title=catalog.title,
            official=catalog.official,
            lines=tuple(self.match(line, outdated) for line in request.lines),
            no_clause=not self.own.requests.use_catalog,
        )

    def match(self, line: RequestLine, outdated: Text | None = None) -> LineVerdict:
        """`outdated`: why the catalog itself does not hold on the day."""
        key = (line.code, line.service_class, line.supply, line.quantity, line.spec, outdated)
        known = self._answers.get(key)
        if known is None:
            known = self._answers[key] = _match(line, self, outdated)
        return known if known.line is line else replace(known, line=line)


def check_request(
    request: ResourceRequest, catalog: Catalog, own: Regulation, file: str, sha256: str | None = None
) -> RequestCheck:
    """One request alone; a Matcher checks many."""
    return Matcher(catalog, own).check(request, file, sha256)


def match_line(line: RequestLine, catalog: Catalog, own: Regulation, on: date) -> LineVerdict:
    return Matcher(catalog, own).match(line, _outside_of_its_time(catalog, on))


def _match(line: RequestLine, shelf: Matcher, outdated: Text | None) -> LineVerdict:
    own, named = shelf.own, shelf.by_code.get(line.code) if line.code else None
    kind = named.service_class if named else line.service_class
    barred = kind is not None and (kind in shelf.catalog.replaces or line.supply == "self_built")
    if barred and kind is not None:
        problems, nearest = _self_built(line, kind, shelf, own)
        offering = None
    elif line.code:
        problems, nearest, offering = _by_code(line, named, shelf, own)
    else:
        problems, nearest, offering = _by_class(line, shelf, own)
    if outdated:
        use = own.requests.use_catalog
        problems = [Problem(outcome="catalog_expired", reason=outdated, clauses=use), *problems]
    uses = {} if barred else _uses(line, offering)
    if not problems and offering is not None:
        monthly, yearly, once = cost(line, offering)
        return LineVerdict(
            line=line, outcome="in_catalog", code=offering.code, offering_name=offering.name,
            monthly_fen=monthly, yearly_fen=yearly, once_fen=once, uses=uses,
        )  # fmt: skip
    problems.sort(key=lambda p: -OUTCOMES.index(p.outcome))
    gravest = problems[0].outcome
    excepted = gravest in ("not_in_catalog", "duplicates_common_service", "self_built")
    return LineVerdict(
        line=line, outcome=gravest, problems=tuple(problems), nearest=nearest, uses=uses,
        exception=shelf.route if excepted else None,
    )  # fmt: skip


def _outside_of_its_time(catalog: Catalog, on: date) -> Text | None:
    if on < catalog.effective_from:
        what = Text(
            "目录 {v} 的有效期自 {day} 起，申请日尚未生效",
            "Catalog {v} is in force from {day}, after the day of application",
        )
        return what.format(v=catalog.version, day=catalog.effective_from)
    if catalog.effective_to is not None and catalog.effective_to < on:
        what = Text(
            "目录 {v} 的有效期至 {day}，早于申请日", "Catalog {v} ended on {day}, before the day of application"
        )
        return what.format(v=catalog.version, day=catalog.effective_to)
    return None


_Found = tuple[list[Problem], tuple[Nearest, ...], Offering | None]


def _self_built(
    line: RequestLine, kind: str, shelf: Matcher, own: Regulation
) -> tuple[list[Problem], tuple[Nearest, ...]]:
    catalog, clauses = shelf.catalog, own.requests
    served = (kind, *catalog.replaces.get(kind, ()))
    common = [o for o in shelf.by_class.get(kind, ()) if o.common]
    instead = common or _one_a_class([o for name in served for o in shelf.by_class.get(name, ())])
    nearest = tuple(_nearest_of(line, o, replaces=o.service_class != kind) for o in instead[:_NEAREST])
    title = catalog.classes[kind]
    if common:
        reason = Text("{k}已有公共支撑，不得重复建设", "{k}: a common service exists; it must not be built again")
        return [
            Problem(outcome="duplicates_common_service", reason=reason.format(k=title), clauses=clauses.no_duplicates)
        ], nearest
    behind = clauses.use_catalog
    if kind == _OWN_CLOUD and own.level == "county" and clauses.own_cloud:
        reason = Text("申请{k}：县级不再单独建云", "{k}: a county builds no cloud of its own")
    elif kind in catalog.replaces:
        reason = Text("申请{k}，应改用目录服务", "{k}: use a catalog service instead")
    else:
        reason = Text("自行建设{k}，应使用目录内的同类服务", "{k} built by the department: use the catalog's own")
    if kind == _OWN_CLOUD:
        behind = tuple(dict.fromkeys((*clauses.use_catalog, *clauses.own_cloud)))
    elif kind == _OWN_NETWORK:
        behind = clauses.own_network
    return [Problem(outcome="self_built", reason=reason.format(k=title), clauses=behind)], nearest


def _one_a_class(offerings: Sequence[Offering]) -> list[Offering]:
    """The first of each class before the others: a machine room is replaced by machines and storage."""
    first: dict[str, Offering] = {}
    for offering in offerings:
        first.setdefault(offering.service_class, offering)
    leading = {offering.code for offering in first.values()}
    return [*first.values(), *(o for o in offerings if o.code not in leading)]


def _by_code(line: RequestLine, offering: Offering | None, shelf: Matcher, own: Regulation) -> _Found:
    use = own.requests.use_catalog
    if offering is None:
        reason = Text("目录中没有编码 {code}", "The catalog has no code {code}").format(code=line.code)
        problem = Problem(outcome="not_in_catalog", reason=reason, clauses=use)
        return [problem], _nearest(line, shelf, line.service_class), None
    problems = _ranged(find_problems(line, offering), own)
    if line.service_class not in (None, offering.service_class):
        classes = shelf.catalog.classes
        reason = Text("编码 {code} 属于{is_}，不是{asked}", "Code {code} is a {is_}, not a {asked}").format(
            code=line.code, is_=classes[offering.service_class], asked=classes[line.service_class or ""]
        )
        problems.append(Problem(outcome="out_of_range", reason=reason, clauses=use))
    if offering.status != "active":
        reason = Text("该服务已停止新开通", "This offering is closed to new requests")
        problems.append(Problem(outcome="catalog_expired", reason=reason, clauses=use))
        successor = shelf.by_code.get(offering.successor) if offering.successor else None
        if successor is not None:
            return problems, (_nearest_of(line, successor, succeeds=True),), offering
    return problems, _nearest(line, shelf, offering.service_class, offering) if problems else (), offering


def _by_class(line: RequestLine, shelf: Matcher, own: Regulation) -> _Found:
    ranked = _ranked(line, shelf, line.service_class)
    if not ranked:
        title = shelf.catalog.classes.get(line.service_class or "", same(line.service_class or ""))
        reason = Text("目录中没有这类服务：{k}", "The catalog has no service of this kind: {k}").format(k=title)
        return [Problem(outcome="not_in_catalog", reason=reason, clauses=own.requests.use_catalog)], (), None
    misfits, offering = ranked[0]
    if not misfits:
        return [], (), offering
    nearest = tuple(_nearest_of(line, found) for _, found in ranked[:_NEAREST])
    return _ranged(find_problems(line, offering), own), nearest, offering


def _ranged(texts: Sequence[Text], own: Regulation) -> list[Problem]:
    return [Problem(outcome="out_of_range", reason=text, clauses=own.requests.use_catalog) for text in texts]


def _ranked(line: RequestLine, shelf: Matcher, kind: str | None) -> list[tuple[list[str], Offering]]:
    """Those of the kind that may be asked for, the best first: fewest misfits, a size that exists, cheapest, as listed."""
    found = [(_misfits(line, offering), offering) for offering in shelf.by_class.get(kind or "", ())]
    return sorted(found, key=lambda pair: _distance(line, *pair)) if len(found) > 1 else found


def _distance(line: RequestLine, misfits: list[str], offering: Offering) -> tuple[int, bool, int]:
    wrong_size = bool(offering.memory_per_vcpu) and line.spec.vcpu not in offering.memory_per_vcpu
    return len(misfits), wrong_size, cost(line, offering)[1] or 0


def _nearest(line: RequestLine, shelf: Matcher, kind: str | None, asked: Offering | None = None) -> tuple[Nearest, ...]:
    ranked = [offering for _, offering in _ranked(line, shelf, kind) if asked is None or offering.code != asked.code]
    return tuple(_nearest_of(line, offering) for offering in ranked[:_NEAREST])


def _nearest_of(line: RequestLine, offering: Offering, *, replaces: bool = False, succeeds: bool = False) -> Nearest:
    """With what fits and what does not. `replaces`: it is of another kind, so that the line's figures say nothing."""
    if replaces:
        return Nearest(code=offering.code, name=offering.name, why=_REPLACES)
    misfits = _misfits(line, offering)
    zh, en = _FITS.zh, _FITS.en
    if misfits:
        wrong = [_problem(name, line, offering) for name in misfits]
        fits = [_ASKED[name] for name in _asked(line, offering) if name not in misfits]
        zh, en = f"不符：{'；'.join([t.zh for t in wrong])}", f"does not fit: {'; '.join([t.en for t in wrong])}"
        if fits:
            zh = f"相符：{'、'.join([t.zh for t in fits])}；{zh}"
            en = f"fits: {', '.join([t.en for t in fits])}; {en}"
    if succeeds:
        zh, en = f"后续服务；{zh}", f"Its successor; {en}"
    yearly = None if misfits else cost(line, offering)[1]
    return Nearest(code=offering.code, name=offering.name, why=Text(zh, en), yearly_fen=yearly)


_REPLACES = Text("目录内可替代的服务", "A catalog service that serves instead")
_FITS = Text("符合全部要求", "Meets every demand")


def find_problems(line: RequestLine, offering: Offering) -> tuple[Text, ...]:
    """Where the line leaves the offering's ranges; empty when it fits."""
    return tuple(_problem(name, line, offering) for name in _misfits(line, offering))


def _asked(line: RequestLine, offering: Offering) -> Iterator[str]:
    """What the line asks of the offering."""
    spec = line.spec
    yield "quantity"
    if offering.memory_per_vcpu:
        yield "size"
    if spec.arch not in (None, "any") and "any" not in offering.arch:
        yield "arch"
    if spec.zone is not None:
        yield "zone"
    if spec.area is not None and offering.area:
        yield "area"
    if spec.mlps_level is not None and offering.mlps_package is not None:
        yield "mlps"


def _misfits(line: RequestLine, offering: Offering) -> list[str]:
    """Which of it the offering does not meet. Without words: whole classes are ranked by it."""
    spec, quantity, top = line.spec, line.quantity, offering.max
    found: list[str] = []
    if quantity < offering.min or (top is not None and quantity > top) or (quantity - offering.min) % offering.step:
        found.append("quantity")
    sizes = offering.memory_per_vcpu
    if sizes and (spec.vcpu is None or spec.memory_gib not in sizes.get(spec.vcpu, ())):
        found.append("size")
    if spec.arch not in (None, "any") and "any" not in offering.arch and spec.arch not in offering.arch:
        found.append("arch")
    if spec.zone is not None and spec.zone not in offering.zone:
        found.append("zone")
    if spec.area is not None and offering.area and spec.area not in offering.area:
        found.append("area")
    if spec.mlps_level is not None and offering.mlps_package is not None and spec.mlps_level > offering.mlps_package:
        found.append("mlps")
    return found


def _problem(name: str, line: RequestLine, offering: Offering) -> Text:
    spec = line.spec
    match name:
        case "quantity":
            return _quantity_problem(line.quantity, offering)
        case "size":
            return _machine_problem(line, offering)
        case "arch":
            return _only("arch", spec.arch, offering.arch)
        case "zone":
            return _only("zone", spec.zone, offering.zone)
        case "area":
            return _only("area", spec.area, offering.area)
    return _only("mlps", spec.mlps_level, (offering.mlps_package,))


def _quantity_problem(n: int, offering: Offering) -> Text:
    if n < offering.min or (offering.max is not None and n > offering.max):
        span, unit = f"{offering.min}—{offering.max if offering.max is not None else '…'}", offering.unit
        return Text(f"数量 {n} 超出 {span}（{unit.zh}）", f"Quantity {n} is outside {span} ({unit.en})")
    low = n - (n - offering.min) % offering.step
    high = low + offering.step
    near = f"{low}/{high}" if offering.max is None or high <= offering.max else str(low)
    return Text(
        f"数量 {n} 不合步长 {offering.step}，最接近 {near}",
        f"Quantity {n} does not fit the step of {offering.step}; the nearest is {near}",
    )


def _only(name: str, asked: object, offered: Sequence[object]) -> Text:
    what, word = _ASKED[name], _word(asked)
    said = [_word(o) for o in offered]
    return Text(
        f"{what.zh} {word.zh} 不提供，仅 {'、'.join(t.zh for t in said)}",
        f"{what.en} {word.en} is not offered, only {', '.join(t.en for t in said)}",
    )


def _word(value: object) -> Text:
    return _WORDS.get(value) or same(value)


def _machine_problem(line: RequestLine, offering: Offering) -> Text:
    pairs, n, memory = offering.memory_per_vcpu, line.spec.vcpu, line.spec.memory_gib
    if n is None or memory is None:
        return Text("须写明 vCPU 和内存", "vCPU and memory must be given")
    if n not in pairs:
        best = min(pairs, key=lambda size: (abs(size - n), size))
        return Text(f"不提供 {n} vCPU，最接近 {best}", f"{n} vCPU is not offered; the nearest is {best}")
    sizes = "/".join(map(str, pairs[n]))
    return Text(f"{n} vCPU 只配内存 {sizes} GiB", f"{n} vCPU goes with {sizes} GiB of memory only")


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


def _uses(line: RequestLine, offering: Offering | None) -> dict[Resource, int]:
    found: dict[Resource, int] = {}
    if line.spec.vcpu is not None:
        found["vcpu"] = line.spec.vcpu * line.quantity
    if line.spec.memory_gib is not None:
        found["memory_gib"] = line.spec.memory_gib * line.quantity
    if offering is not None and offering.service_class in _STORAGE and offering.unit.en in _GIB:
        found["storage_gib"] = _GIB[offering.unit.en] * line.quantity
    return found


def _route(own: Regulation) -> ExceptionRoute:
    """What the office's own document says about things that the catalog lacks."""
    clauses = own.requests
    if clauses.exception_role is None:
        none = Text(
            "本地区条文没有目录外例外的规定（无此条款）",
            "The office's own document has no rule for exceptions (no clause here)",
        )
        return ExceptionRoute(role=None, term=None, clauses=(), text=none)
    term = own.roles.get(clauses.exception_role)
    text = Text(
        "目录外事项报{who}审核（{ids}）{note}", "What the catalog lacks goes to {who} for review ({ids}){note}"
    ).format(
        who=term or clauses.exception_role,
        ids=", ".join(clauses.exception) or Text("无此条款", "no clause here"),
        note=Text("：{n}", ": {n}").format(n=clauses.exception_note) if clauses.exception_note else "",
    )
    return ExceptionRoute(role=clauses.exception_role, term=term, clauses=clauses.exception, text=text)
