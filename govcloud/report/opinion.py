"""The review opinion (审核意见) on a request, as the authority sends it to the department.

The gravest outcome decides: everything conforms and fits the quota - approved; figures, versions or the quota to put right,
or an exception to ask for - approved after changes; self-built things or duplicates of common services - not approved.
Where the office's own document has no catalog clause nothing is refused, only advised against. Nobody is signed for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from govcloud.model.regulation import Regulation
from govcloud.model.request import LineVerdict, RequestCheck
from govcloud.model.text import Lang, Text, same
from govcloud.report.catalog import SAMPLE, yuan
from govcloud.report.document import Document, Section, Signature
from govcloud.report.findings import term
from govcloud.report.frame import COLON, FRAME, day_text, made_at, section_number, signature_lines
from govcloud.report.request import CONCLUSION, NO_CLAUSE, OUTCOME, build_request_view, costs, joined, quota_text
from govcloud.report.text import cell_text, render_json
from govcloud.report.view import Cell, Column, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    document: Document
    check: RequestCheck


def build_opinion(
    check: RequestCheck, own: Regulation, *, office: str, at: datetime, timezone: str, made_by: str
) -> Opinion:
    """`own`: the office's own document, which the basis is quoted from in our words."""
    request = check.request
    sections = [
        _basis(check, own), _conclusion(check), _lines(check), _changes(check), _cost(check), _exceptions(check),
    ]  # fmt: skip
    return Opinion(
        document=Document(
            title=Text("关于{d}政务云资源申请的审核意见", "Review opinion on the cloud resource request of {d}").format(
                d=request.department
            ),
            office=office, made_at=at, timezone=timezone, made_by=made_by,
            sections=tuple(section for section in sections if section is not None),
            notice=None if check.official else SAMPLE,
            numbered=True,
            opening=_opening(check),
            closing=(_VOID_UNTIL_SIGNED,),
            signatures=(Signature(party=Text("审核单位", "Reviewing office"), unit=office, people=_PEOPLE),),
            source=Text("依据文件：{f}；SHA-256：{s}", "From the file {f}; SHA-256: {s}").format(f=check.file, s=check.sha256 or "—"),
        ),
        check=check,
    )  # fmt: skip


_VOID_UNTIL_SIGNED = Text(
    "本意见由工具按目录和条款生成，供审核人使用；签字盖章前不生效。",
    "This opinion was drawn up by a program from the catalog and the clauses; it is void until signed and sealed.",
)
_PEOPLE = (Text("经办人（签字）", "Prepared by (signature)"), Text("审核人（签字）", "Reviewed by (signature)"))


def _opening(check: RequestCheck) -> tuple[Text, ...]:
    request = check.request
    subject = request.system_name or request.system_id
    return (
        Text("{d}：", "To: {d}").format(d=request.department),
        Text(
            "你单位{day}提交的{system}政务云资源申请（共 {n} 项{project}）收悉。经对照{catalog}（版本 {v}）逐项审核，意见如下。",
            "Your request of {day} for cloud resources{system} ({n} lines{project}) was checked line by line against the "
            "{catalog} (version {v}), as follows.",
        ).format(
            day=day_text(request.applied_on), n=len(check.lines), catalog=check.catalog_title, v=check.catalog_version,
            system=Text("用于“{s}”的", " for “{s}”").format(s=subject) if subject else "",
            project=Text("，项目编号 {p}", ", project {p}").format(p=request.project_id) if request.project_id else "",
        ),
    )  # fmt: skip


def _basis(check: RequestCheck, own: Regulation) -> Section:
    ids = list(dict.fromkeys((
        *own.requests.use_catalog,
        *(clause for line in check.lines for clause in line.clauses),
        *(clause for line in check.lines if line.exception for clause in line.exception.clauses),
    )))  # fmt: skip
    number = (
        Text("（{n}）", " ({n})").format(n=own.number)
        if own.number
        else Text("（文本未载文号）", " (the text carries no number)")
    )
    clauses = [own.clauses[i] for i in ids if i in own.clauses]
    view = View(
        name="basis",
        title=Text("依据条款（摘要，以原文为准）", "Clauses (in our words; the text itself rules)"),
        columns=(
            Column("clause", Text("编号", "Id")),
            Column("article", Text("条款", "Article")),
            Column("obligation", Text("内容摘要", "What it asks")),
        ),
        rows=tuple({"clause": c.clause_id, "article": c.article, "obligation": c.obligation} for c in clauses),
        notes=(NO_CLAUSE,) if check.no_clause else (),
    )
    intro = Text("《{t}》{n}。", "{t}{n}.").format(t=own.title, n=number)
    return Section(section_id="basis", title=Text("审核依据", "Basis"), intro=intro, views=(view,) if clauses else (),
                   missing=NO_CLAUSE if not clauses else None)  # fmt: skip


def _conclusion(check: RequestCheck) -> Section:
    bad = [line for line in check.lines if not line.conforms]
    name = CONCLUSION[check.conclusion]
    intro = Text(f"{name.zh}。", f"{name.en.capitalize()}.")
    if check.conclusion == "approve":
        why = Text("各项均符合目录规定。", " Every line conforms to the catalog.")
    else:
        what = Text("共 {n} 项，其中 {b} 项不符合{q}。", " {b} of {n} lines do not conform{q}.")
        over = Text("，且超出部门配额", ", and the department's quota is exceeded") if check.over_quota else ""
        why = what.format(n=len(check.lines), b=len(bad), q=over)
    return Section(
        section_id="conclusion", title=Text("总体结论", "Conclusion"),
        intro=Text("{i}{w}", "{i}{w}").format(i=intro, w=why),
    )  # fmt: skip


def _lines(check: RequestCheck) -> Section:
    view = View(
        name="lines",
        title=Text("逐项结论", "Line by line"),
        columns=(
            Column("line", Text("行", "Line"), "right"),
            Column("what", Text("申请内容", "Asked for")),
            Column("quantity", Text("数量", "Quantity"), "right"),
            Column("outcome", Text("结论", "Outcome")),
            Column("service", Text("目录服务", "Service")),
            Column("reason", Text("说明", "Why")),
            Column("yearly_yuan", Text("元/年", "Yuan a year"), "right"),
        ),
        rows=tuple(_line_row(line) for line in check.lines),
    )
    return Section(section_id="lines", title=Text("逐项意见", "Each line"), views=(view,))


def _line_row(verdict: LineVerdict) -> dict[str, Cell]:
    name = verdict.offering_name or same("")
    service = Text("{c} {n}", "{c} {n}").format(c=verdict.code, n=name) if verdict.code else None
    return {
        "line": verdict.line.line,
        "what": verdict.line.what,
        "quantity": verdict.line.quantity,
        "outcome": term(OUTCOME, verdict.outcome),
        "service": service,
        "reason": joined(verdict.reasons),
        "yearly_yuan": yuan(verdict.yearly_fen),
    }


def _changes(check: RequestCheck) -> Section | None:
    bad = [line for line in check.lines if not line.conforms]
    over = [quota_text(line) for line in check.quota if line.over]
    if not bad and not over:
        return None
    view = View(
        name="changes",
        title=Text("须修改的行", "Lines to change"),
        columns=(
            Column("line", Text("行", "Line"), "right"),
            Column("problem", Text("问题", "What is wrong")),
            Column("clauses", Text("条款", "Clauses")),
            Column("instead", Text("可选的目录服务", "Services instead")),
        ),
        rows=tuple(
            {
                "line": line.line.line, "problem": joined(line.reasons), "clauses": line.clauses or None,
                "instead": joined(
                    Text("{c} {n}（{w}）", "{c} {n} ({w})").format(c=n.code, n=n.name, w=n.why) for n in line.nearest
                ),
            }
            for line in bad
        ),
    )  # fmt: skip
    advice = Text("请按下表修改后重新报送。", "Please change the lines below and send the request again.")
    if not bad:
        advice = Text("请压减用量或先申请调整配额。", "Please ask for less, or for another quota first.")
    return Section(
        section_id="changes", title=Text("需要修改的内容", "What to change"),
        intro=Text("\n".join([advice.zh, *(t.zh for t in over)]), "\n".join([advice.en, *(t.en for t in over)])),
        views=(view,) if bad else (),
    )  # fmt: skip


def _cost(check: RequestCheck) -> Section:
    monthly, yearly, once = costs(check)
    told = [
        Text("符合目录的各项合计 {m} 元/月、{y} 元/年，另一次性 {o} 元。",
             "The lines that conform cost {m} yuan a month, {y} yuan a year and {o} yuan once.").format(
            m=yuan(monthly), y=yuan(yearly), o=yuan(once)),
        *(quota_text(line) for line in check.quota),
    ]  # fmt: skip
    if any(line.conforms and line.yearly_fen is None for line in check.lines):
        told.insert(1, Text("目录没有标价的服务未计入。", "Services without a price in the catalog are not counted."))
    return Section(
        section_id="cost", title=Text("费用与配额", "Cost and quota"),
        intro=Text("\n".join(t.zh for t in told), "\n".join(t.en for t in told)),
    )  # fmt: skip


def _exceptions(check: RequestCheck) -> Section | None:
    asked = [line for line in check.lines if line.exception is not None]
    if not asked:
        return None
    numbers = [str(line.line.line) for line in asked]
    texts = [
        Text(f"涉及第 {'、'.join(numbers)} 项。", f"It concerns lines {', '.join(numbers)}."),
        *dict.fromkeys(line.exception.text for line in asked if line.exception),
    ]
    return Section(
        section_id="exceptions", title=Text("目录外事项的办理", "Exceptions"),
        intro=Text("\n".join(t.zh for t in texts), "\n".join(t.en for t in texts)),
    )  # fmt: skip


def render_opinion_json(opinion: Opinion, lang: Lang) -> str:
    """`{"opinion": {rows, notes, …}}`: the request's own keys, with the office, the conclusion and the basis."""
    view = build_request_view(opinion.check)
    document = opinion.document
    facts = {
        **view.facts, "title": document.title, "office": document.office, "made_at": document.made_at,
        "made_by": document.made_by, "sha256": opinion.check.sha256,
        "basis": [dict(row) for row in _views(document.sections, "basis")],
        "signed": False,
    }  # fmt: skip
    opinion_view = View(
        name="opinion", title=view.title, columns=view.columns, rows=view.rows, notes=view.notes, facts=facts
    )
    return render_json([opinion_view], lang) + "\n"


def _views(sections: Sequence[Section], name: str) -> list[dict[str, Cell]]:
    return [dict(row) for section in sections for view in section.views if view.name == name for row in view.rows]


def render_opinion_text(opinion: Opinion, lang: Lang) -> str:
    """Prose for a mail or a form of another system: tables become one paragraph a row."""
    document = opinion.document
    lines = [
        document.title.to(lang), document.office,
        f"{FRAME['made_at'].to(lang)} {made_at(document.made_at, document.timezone, lang)}　{FRAME['made_by'].to(lang)} {document.made_by}",
    ]  # fmt: skip
    if document.notice:
        lines.append(document.notice.to(lang))
    lines += ["", *(text.to(lang) for text in document.opening)]
    for number, section in enumerate(document.sections, start=1):
        lines += ["", section_number(number, lang) + section.title.to(lang)]
        if section.intro:
            lines.append(section.intro.to(lang))
        for view in section.views:
            lines += [_row_text(view, row, lang) for row in view.rows]
            lines += [note.to(lang) for note in view.notes]
        if section.missing:
            lines.append(section.missing.to(lang))
    lines += ["", *(text.to(lang) for text in document.closing)]
    for signature in document.signatures:
        pairs = signature_lines(signature, lang, ZoneInfo(document.timezone))
        lines += ["", signature.party.to(lang), *(f"{label}{COLON.to(lang)}{value}" for label, value in pairs)]
    lines.append("")
    if document.source:
        lines.append(document.source.to(lang))
    return "\n".join(cell_text(part, lang) if part else "" for line in lines for part in line.split("\n")) + "\n"


def _row_text(view: View, row: object, lang: Lang) -> str:
    assert isinstance(row, dict)  # noqa: S101 - built above
    colon, stop = ("：", "；") if lang == "zh" else (": ", "; ")
    shown = [
        f"{c.title.to(lang)}{colon}{cell_text(row[c.key], lang)}"
        for c in view.columns
        if row.get(c.key) not in (None, "", ())
    ]
    return "- " + stop.join(shown)
