"""Views of a request that was checked against the catalog. Money is shown in yuan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govcloud.model.catalog import LineVerdict, Nearest, Outcome, RequestCheck
from govcloud.model.text import Term, Text
from govcloud.report.catalog import SAMPLE, yuan
from govcloud.report.findings import term
from govcloud.report.text import UNKNOWN
from govcloud.report.view import Cell, Column, View

OUTCOME: Mapping[Outcome, Text] = {
    "in_catalog": Text("符合", "conforms"),
    "out_of_range": Text("超出规格", "out of range"),
    "duplicates_common_service": Text("重复建设公共服务", "duplicates a common service"),
    "self_built": Text("自建自购", "self-built"),
    "not_in_catalog": Text("目录外", "not in the catalog"),
    "catalog_expired": Text("目录或服务失效", "catalog or offering expired"),
}


def build_request_view(check: RequestCheck, number: int = 1) -> View:
    """The request line by line; totals are of the lines that conform. `number`: its place among those shown together."""
    good = [line for line in check.lines if line.conforms]
    priced = [line for line in good if line.yearly_fen is not None]
    monthly, yearly = (sum(getattr(line, k) or 0 for line in priced) for k in ("monthly_fen", "yearly_fen"))
    once = sum(line.once_fen or 0 for line in priced)
    return View(
        name=f"request_{number}",
        title=Text("{d}的申请（{f}）", "Request of {d} ({f})").format(d=check.request.department, f=check.file),
        columns=(
            Column("line", Text("行", "Line"), "right"),
            Column("what", Text("申请内容", "Asked for")),
            Column("quantity", Text("数量", "Quantity"), "right"),
            Column("outcome", Text("结论", "Outcome")),
            Column("code", Text("目录编码", "Code")),
            Column("reason", Text("说明", "Why")),
            Column("clauses", Text("条款", "Clauses")),
            Column("nearest", Text("最接近的目录服务", "Nearest offerings")),
            Column("monthly_yuan", Text("元/月", "Yuan a month"), "right"),
            Column("yearly_yuan", Text("元/年", "Yuan a year"), "right"),
        ),
        rows=tuple(_request_row(line) for line in check.lines),
        notes=_request_notes(check, len(good), monthly, yearly, once),
        facts={
            "file": check.file,
            "conforms": check.conforms,
            "catalog": check.catalog_id,
            "official": check.official,
            "system_id": check.request.system_id,
            "monthly_yuan": yuan(monthly),
            "yearly_yuan": yuan(yearly),
            "once_yuan": yuan(once),
            "nearest": {str(v.line.line): [_nearest(n) for n in v.nearest] for v in check.lines if v.nearest},
            "exceptions": {str(v.line.line): v.exception for v in check.lines if v.exception is not None},
        },
    )


def _request_row(verdict: LineVerdict) -> dict[str, Cell]:
    nearest = [f"{n.code} {n.name.zh}" for n in verdict.nearest], [f"{n.code} {n.name.en}" for n in verdict.nearest]
    codes = tuple(n.code for n in verdict.nearest)
    return {
        "line": verdict.line.line,
        "what": verdict.line.what,
        "quantity": verdict.line.quantity,
        "outcome": term(OUTCOME, verdict.outcome),
        "code": verdict.code,
        "reason": _joined(verdict.reasons),
        "clauses": verdict.clauses or None,
        "nearest": Term("；".join(nearest[0]) or UNKNOWN, "; ".join(nearest[1]) or UNKNOWN, codes),
        "monthly_yuan": yuan(verdict.monthly_fen),
        "yearly_yuan": yuan(verdict.yearly_fen),
    }


def _nearest(nearest: Nearest) -> dict[str, object]:
    return {"code": nearest.code, "name": nearest.name, "why": nearest.why}


def _joined(texts: Sequence[Text]) -> Text | None:
    return Text("；".join(t.zh for t in texts), "; ".join(t.en for t in texts)) if texts else None


def _request_notes(check: RequestCheck, good: int, monthly: int, yearly: int, once: int) -> tuple[Text, ...]:
    notes = [
        Text(
            "{n} 项中 {good} 项符合目录。符合项合计 {m} 元/月、{y} 元/年，另一次性 {o} 元。",
            "{good} of {n} lines conform. Those cost {m} yuan a month, {y} yuan a year and {o} yuan once.",
        ).format(n=len(check.lines), good=good, m=yuan(monthly), y=yuan(yearly), o=yuan(once))
    ]
    if any(v.conforms and v.line.code is None for v in check.lines):
        notes.append(
            Text(
                "没有写编码的行，取同类中最便宜且合规格的一项。",
                "A line without a code takes the cheapest offering of its kind that fits.",
            )
        )
    if check.no_clause:
        notes.append(
            Text(
                "本地区无服务目录条款，结论只是与目录的比较，不是违规。",
                "There is no catalog clause here: the outcome compares with the catalog and is no violation.",
            )
        )
    notes += dict.fromkeys(v.exception for v in check.lines if not v.conforms and v.exception is not None)
    if not check.official:
        notes.append(SAMPLE)
    return tuple(notes)
