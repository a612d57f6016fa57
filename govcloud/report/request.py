"""Views of requests that were checked against the catalog. Money is shown in yuan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from govcloud.model.request import (
    Conclusion,
    FaultyRequest,
    LineVerdict,
    Nearest,
    Outcome,
    QuotaLine,
    RequestCheck,
    Resource,
)
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
CONCLUSION: Mapping[Conclusion, Text] = {
    "approve": Text("同意", "approved"),
    "approve_with_changes": Text("修改后同意", "approved after changes"),
    "reject": Text("不同意", "not approved"),
}
RESOURCE: Mapping[Resource, Text] = {
    "vcpu": Text("vCPU（核）", "vCPU"),
    "memory_gib": Text("内存（GiB）", "memory (GiB)"),
    "storage_gib": Text("存储（GiB）", "storage (GiB)"),
}
NO_CLAUSE = Text(
    "本地区无服务目录条款，结论只是与目录的比较，不是违规。",
    "There is no catalog clause here: the outcome compares with the catalog and is no violation.",
)


def build_request_view(check: RequestCheck, number: int = 1) -> View:
    """The request line by line; costs are of the lines that conform. `number`: its place among those shown together."""
    monthly, yearly, once = costs(check)
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
        notes=_request_notes(check),
        facts={
            "file": check.file,
            "conforms": check.conforms,
            "conclusion": check.conclusion,
            "catalog": check.catalog_id,
            "catalog_version": check.catalog_version,
            "official": check.official,
            "department": check.request.department,
            "system_id": check.request.system_id,
            "project_id": check.request.project_id,
            "applied_on": check.request.applied_on,
            "monthly_yuan": yuan(monthly),
            "yearly_yuan": yuan(yearly),
            "once_yuan": yuan(once),
            "problems": {str(v.line.line): [_problem(p) for p in v.problems] for v in check.lines if v.problems},
            "nearest": {str(v.line.line): [_nearest(n) for n in v.nearest] for v in check.lines if v.nearest},
            "exceptions": {str(v.line.line): _exception(v) for v in check.lines if v.exception is not None},
            "quota": [_quota(line) for line in check.quota],
        },
    )


def costs(check: RequestCheck) -> tuple[int, int, int]:
    """(monthly, yearly, once) in fen, of the lines that conform and have a price."""
    good = [line for line in check.lines if line.conforms]
    return (
        sum(line.monthly_fen or 0 for line in good),
        sum(line.yearly_fen or 0 for line in good),
        sum(line.once_fen or 0 for line in good),
    )


def _money(fen: int | None) -> Term | None:
    """`1,234.50` for eyes, `1234.50` for scripts."""
    if fen is None:
        return None
    shown = f"{fen // 100:,}.{fen % 100:02d}"
    return Term(shown, shown, yuan(fen) or "")


def _request_row(verdict: LineVerdict) -> dict[str, Cell]:
    nearest = [f"{n.code} {n.name.zh}" for n in verdict.nearest], [f"{n.code} {n.name.en}" for n in verdict.nearest]
    codes = tuple(n.code for n in verdict.nearest)
    return {
        "line": verdict.line.line,
        "what": verdict.line.what,
        "quantity": verdict.line.quantity,
        "outcome": term(OUTCOME, verdict.outcome),
        "code": verdict.code,
        "reason": joined(verdict.reasons),
        "clauses": verdict.clauses or None,
        "nearest": Term("；".join(nearest[0]) or UNKNOWN, "; ".join(nearest[1]) or UNKNOWN, codes),
        "monthly_yuan": _money(verdict.monthly_fen),
        "yearly_yuan": _money(verdict.yearly_fen),
    }


def _problem(problem: object) -> dict[str, object]:
    return {name: getattr(problem, name) for name in ("outcome", "reason", "clauses")}


def _nearest(nearest: Nearest) -> dict[str, object]:
    return {"code": nearest.code, "name": nearest.name, "why": nearest.why, "yearly_yuan": yuan(nearest.yearly_fen)}


def _exception(verdict: LineVerdict) -> dict[str, object]:
    return {name: getattr(verdict.exception, name) for name in ("role", "term", "clauses", "text")}


def _quota(line: QuotaLine) -> dict[str, object]:
    return {name: getattr(line, name) for name in ("resource", "asked", "together", "limit", "used", "source", "over")}


def joined(texts: Iterable[Text]) -> Text | None:
    found = list(texts)
    return Text("；".join(t.zh for t in found), "; ".join(t.en for t in found)) if found else None


def _request_notes(check: RequestCheck) -> tuple[Text, ...]:
    good = sum(line.conforms for line in check.lines)
    monthly, yearly, once = costs(check)
    notes = [
        Text("审核结论：{c}。", "Conclusion: {c}.").format(c=CONCLUSION[check.conclusion]),
        Text(
            "{n} 项中 {good} 项符合目录。符合项合计 {m} 元/月、{y} 元/年，另一次性 {o} 元。",
            "{good} of {n} lines conform. Those cost {m} yuan a month, {y} yuan a year and {o} yuan once.",
        ).format(n=len(check.lines), good=good, m=_money(monthly), y=_money(yearly), o=_money(once)),
    ]
    unpriced = [str(v.line.line) for v in check.lines if v.conforms and v.yearly_fen is None]
    if unpriced:
        what = Text("目录没有价格、未计入的行：{l}。", "Lines without a price in the catalog, not counted: {l}.")
        notes.append(what.format(l=", ".join(unpriced)))
    notes += [quota_text(line) for line in check.quota]
    if any(v.conforms and v.line.code is None for v in check.lines):
        notes.append(
            Text(
                "没有写编码的行，取同类中最便宜且合规格的一项。",
                "A line without a code takes the cheapest offering of its kind that fits.",
            )
        )
    if check.no_clause:
        notes.append(NO_CLAUSE)
    notes += dict.fromkeys(v.exception.text for v in check.lines if v.exception is not None)
    if not check.official:
        notes.append(SAMPLE)
    return tuple(notes)


def quota_text(line: QuotaLine) -> Text:
    """One resource as a sentence; an unknown limit is said, not taken for none."""
    asked = Text("{r}：本申请 {a}{more}", "{r}: {a} asked{more}")
    more: Text | str = ""
    if line.together != line.asked:
        more = Text("，连同本部门一并核对的其他申请 {t}", ", {t} with the department's other requests here")
        more = more.format(t=line.together)
    asked = asked.format(r=RESOURCE[line.resource], a=line.asked, more=more)
    if line.limit is None:
        return Text("{a}；配额未知，未核对。", "{a}; the quota is unknown and was not checked.").format(a=asked)
    used = Text("已用未知、未计入", "what is in use is unknown and not counted")
    if line.used is not None:
        used = Text("已用 {u}", "{u} in use").format(u=f"{line.used:g}")
    end = Text("，超出配额。", ": over the quota.") if line.over else Text("，在配额内。", ": within the quota.")
    whole = Text("{a}；{u}，配额 {l}{e}", "{a}; {u}, quota {l}{e}")
    return whole.format(a=asked, u=used, l=f"{line.limit:.15g}", e=end)


def build_requests_view(
    checks: Sequence[RequestCheck], at: Mapping[str, datetime] | None = None, *, name: str = "requests"
) -> View:
    """A row a request, with the sum of what conforms. `at`: file and department -> when it was checked."""
    sums = [costs(check) for check in checks]
    monthly, yearly, once = (sum(part[n] for part in sums) for n in range(3))
    counts = {conclusion: sum(check.conclusion == conclusion for check in checks) for conclusion in CONCLUSION}
    rows = [_summary_row(check, part[1]) for check, part in zip(checks, sums, strict=True)]
    return View(
        name=name,
        title=Text("资源申请汇总", "Requests"),
        columns=(
            Column("department", Text("部门", "Department")),
            Column("system_id", Text("系统", "System")),
            Column("file", Text("文件", "File")),
            Column("applied_on", Text("申请日", "Applied on")),
            Column("conclusion", Text("结论", "Conclusion")),
            Column("conforming", Text("符合项", "Conforming"), "right"),
            Column("lines", Text("总项", "Lines"), "right"),
            Column("problems", Text("问题", "Problems")),
            Column("catalog", Text("目录版本", "Catalog")),
            Column("yearly_yuan", Text("元/年", "Yuan a year"), "right"),
            *((Column("checked_at", Text("核对时间", "Checked at")),) if at is not None else ()),
        ),
        rows=tuple({**row, "checked_at": (at or {}).get(key_of(c))} for row, c in zip(rows, checks, strict=True)),
        notes=(
            Text(
                "{n} 份申请：同意 {a}，修改后同意 {c}，不同意 {r}。符合项合计 {m} 元/月、{y} 元/年，另一次性 {o} 元。",
                "{n} requests: {a} approved, {c} approved after changes, {r} not approved. What conforms costs {m} yuan a "
                "month, {y} yuan a year and {o} yuan once.",
            ).format(
                n=len(checks), a=counts["approve"], c=counts["approve_with_changes"], r=counts["reject"],
                m=_money(monthly), y=_money(yearly), o=_money(once),
            ),
            *(() if all(check.official for check in checks) else (SAMPLE,)),
        ),
        facts={
            "monthly_yuan": yuan(monthly), "yearly_yuan": yuan(yearly), "once_yuan": yuan(once), "conclusions": counts,
        },
    )  # fmt: skip


def key_of(check: RequestCheck) -> str:
    return "\n".join((check.request.department, check.request.system_id or "", check.file))


def _summary_row(check: RequestCheck, yearly: int) -> dict[str, Cell]:
    found = [OUTCOME[outcome] for outcome in dict.fromkeys(v.outcome for v in check.lines if not v.conforms)]
    if check.over_quota:
        found.append(Text("超出配额", "over the quota"))
    return {
        "department": check.request.department,
        "system_id": check.request.system_id,
        "file": check.file,
        "applied_on": check.request.applied_on,
        "conclusion": term(CONCLUSION, check.conclusion),
        "conforming": sum(line.conforms for line in check.lines),
        "lines": len(check.lines),
        "problems": joined(found),
        "catalog": f"{check.catalog_id} {check.catalog_version}",
        "yearly_yuan": _money(yearly),
    }


def build_faulty_view(faulty: Sequence[FaultyRequest]) -> View:
    """Files that could not be checked, each with its first fault."""
    return View(
        name="faulty",
        title=Text("没有核对的文件", "Files that were not checked"),
        columns=(
            Column("where", Text("位置", "Where")),
            Column("what", Text("问题", "What is wrong")),
            Column("file", Text("文件", "File")),
        ),
        rows=tuple({"where": f.where, "what": f.what, "file": f.file} for f in faulty),
        notes=(Text("其余文件已核对并记录；改正后只需重新核对这些文件。", "The others were checked and recorded; correct these and check them again."),),
    )  # fmt: skip
