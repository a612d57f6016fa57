"""What differs between two catalogs, and which lines of running requests that reaches. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from govcloud.compliance.catalog_match import cost, find_problems
from govcloud.model.catalog import Catalog, CatalogDiff, ChangeKind, Offering, OfferingChange, TouchedLine
from govcloud.model.request import LineVerdict, RequestCheck

_END = ("active", "closed_to_new", "retired")
_LEFT_ALONE = frozenset[ChangeKind]({"added", "reopened", "text"})
"""Changes that a running request need not do anything about."""
_FITTING = frozenset[ChangeKind]({"range", "memory", "arch", "zone", "package"})
"""Changes that reach a line only where it no longer fits."""
_ASPECTS: Mapping[ChangeKind, Callable[[Offering], object]] = {
    "price": lambda o: o.price,
    "unit": lambda o: o.unit,
    "range": lambda o: (o.min, o.max, o.step),
    "memory": lambda o: {n: tuple(sorted(sizes)) for n, sizes in o.memory_per_vcpu.items()},
    "arch": lambda o: frozenset(o.arch),
    "zone": lambda o: (frozenset(o.zone), frozenset(o.area)),
    "sla": lambda o: o.sla,
    "package": lambda o: (o.service_class, o.layer, o.mlps_package, o.included_in, o.domestic, o.common),
    "text": lambda o: (o.name, o.description),
}


def build_diff(before: Catalog, after: Catalog) -> CatalogDiff:
    """One change a code and kind, in the order of the later catalog; what was removed comes last."""
    old, new = ({o.code: o for o in catalog.offerings} for catalog in (before, after))
    codes = [*new, *(code for code in old if code not in new)]
    return CatalogDiff(
        before=before, after=after, changes=tuple(c for code in codes for c in _changes(code, old.get(code), new.get(code)))
    )  # fmt: skip


def _changes(code: str, before: Offering | None, after: Offering | None) -> Iterator[OfferingChange]:
    def change(kind: ChangeKind) -> OfferingChange:
        return OfferingChange(code=code, kind=kind, before=before, after=after)

    if before is None or after is None:
        yield change("added" if before is None else "removed")
        return
    was, now = _end(before), _end(after)
    if was != now:
        yield change("reopened" if now < was else "retired" if _END[now] == "retired" else "closed")
    elif _lifecycle(before) != _lifecycle(after):
        yield change("lifecycle")
    for kind, aspect in _ASPECTS.items():
        if aspect(before) != aspect(after):
            yield change(kind)


def _end(offering: Offering) -> int:
    """How far it is on its way out, announced days included: an offering that closes next month is to be told of now."""
    announced = "retired" if offering.retired_on else "closed_to_new" if offering.closed_on else "active"
    return max(_END.index(offering.status), _END.index(announced))


def _lifecycle(offering: Offering) -> object:
    return offering.status, offering.closed_on, offering.retired_on, offering.successor


def build_touched(diff: CatalogDiff, requests: Sequence[RequestCheck]) -> CatalogDiff:
    """With the lines that the changes reach, by department and system: of running requests for offerings of the earlier
    catalog, unless they were checked against the later one already.
    """
    kinds: dict[str, list[ChangeKind]] = {}
    for change in diff.changes:
        kinds.setdefault(change.code, []).append(change.kind)
    old = {o.code: o for o in diff.before.offerings}
    later = (diff.after.catalog_id, diff.after.version)
    running = [
        check
        for check in requests
        if check.catalog_id == diff.before.catalog_id and (check.catalog_id, check.catalog_version) != later
    ]
    touched = [
        line
        for check in running
        for verdict in check.lines
        if verdict.conforms and verdict.code in kinds and verdict.code in old
        if (line := _touched(check, verdict, old[verdict.code], diff.after, kinds[verdict.code])) is not None
    ]
    touched.sort(key=lambda t: (t.department, t.system_id or "", t.file, t.line))
    return replace(diff, touched=tuple(touched), requests=len(running))


def _touched(
    check: RequestCheck, verdict: LineVerdict, before: Offering, catalog: Catalog, kinds: Sequence[ChangeKind]
) -> TouchedLine | None:
    """None where the line may go on as it is at the same price."""
    after = catalog.offering(before.code)
    problems = find_problems(verdict.line, after) if after else ()
    gone = after is None or after.status == "retired"
    leaving = gone or "closed" in kinds or "retired" in kinds
    successor = (after or before).successor if leaving else None
    served_by = catalog.offering(successor or "") if gone else after
    if served_by is not after and served_by is not None and find_problems(verdict.line, served_by):
        served_by = None
    before_fen = cost(verdict.line, before)[0]
    after_fen = cost(verdict.line, served_by)[0] if served_by else None
    reached = [
        k
        for k in kinds
        if k not in _LEFT_ALONE and (k not in _FITTING or problems) and (k != "price" or before_fen != after_fen)
    ]
    if not reached:
        return None
    request = check.request
    return TouchedLine(
        department=request.department, system_id=request.system_id, system_name=request.system_name, file=check.file,
        line=verdict.line.line, what=verdict.line.what, code=before.code, kinds=tuple(reached), before_fen=before_fen,
        after_fen=after_fen, successor=successor, problems=tuple(problems),
    )  # fmt: skip
