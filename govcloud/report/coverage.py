"""Views of what becomes of every clause: tested by which rule, asked of requests, or why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from govcloud.model.coverage import ClauseCoverage, DocumentCoverage, Handling
from govcloud.model.regulation import Clause, Regulation
from govcloud.model.text import Term, Text, same
from govcloud.report.findings import STANDING, role_text, term
from govcloud.report.projects import EVENT
from govcloud.report.view import Cell, Column, View

HANDLING: Mapping[Handling, Text] = {
    "rule": Text("规则检查", "tested by rules"),
    "request": Text("核对申请时引用", "cited by request checks"),
    "information": Text("仅说明", "information"),
    "not_automatable": Text("不能自动判定", "not automatable"),
}
LEVEL: Mapping[str, Text] = {
    "province": Text("省", "province"),
    "city": Text("市", "city"),
    "county": Text("县", "county"),
}
TOPIC: Mapping[str, Text] = {
    "acceptance": Text("验收", "acceptance"), "approval": Text("立项审批", "approval"),
    "archives": Text("档案", "archives"), "assessment": Text("考核评价", "assessment"), "audit": Text("审计", "audit"),
    "builder": Text("建设单位选定", "choice of the builder"), "change": Text("变更", "changes"),
    "cloud": Text("统一平台", "the single platform"), "cloud_ops": Text("云平台管理", "running the cloud"),
    "consolidation": Text("集约整合", "consolidation"), "controllable": Text("自主可控", "controllability"),
    "coordination": Text("协同建设", "joint projects"), "data": Text("数据共享", "data sharing"),
    "data_directory": Text("信息资源目录", "data directory"), "data_liability": Text("信息责任", "liability for data"),
    "data_ownership": Text("信息资源归属", "ownership of data"), "data_platform": Text("数据平台", "data platforms"),
    "data_quality": Text("数据质量", "data quality"), "delegation": Text("授权制定办法", "making of local rules"),
    "deliverables": Text("成果交付", "deliverables"), "filing": Text("全口径备案", "full-scope filing"),
    "funding": Text("经费", "funding"), "governance": Text("责任落实", "governance"),
    "incident": Text("应急与事件", "contingency and incidents"), "network": Text("电子政务网络", "e-government networks"),
    "operations": Text("运行维护", "operations"), "plan": Text("规划计划", "planning"),
    "plan_filing": Text("规划备案", "filing of plans"), "principle": Text("原则", "principles"),
    "reporting": Text("进展报告", "progress reports"), "review": Text("项目审核", "review of projects"),
    "roles": Text("职责分工", "roles"), "sanction": Text("责任追究", "sanctions"), "scope": Text("适用范围", "scope"),
    "security": Text("安全保障", "security"),
}  # fmt: skip
"""Topics of clauses that no rule is about; the others have their titles in regulations/topics.yaml."""
REQUEST: Mapping[str, Text] = {
    "use_catalog": Text("使用目录服务", "use of the catalog"),
    "no_duplicates": Text("不重复建设", "no duplicates"),
    "own_cloud": Text("自建云或机房", "own cloud or machine room"),
    "own_network": Text("自建专网", "own network"),
    "exception": Text("例外", "exceptions"),
}


def build_clauses_view(
    documents: Sequence[DocumentCoverage], topics: Mapping[str, Text], *, only_open: bool = False
) -> View:
    """A row a clause. `only_open`: those that ask something which no record shows, so that a person has to look."""
    shown = [
        (document.regulation, clause)
        for document in documents
        for clause in document.clauses
        if not only_open or clause.handling == "not_automatable"
    ]
    office = any(clause.standing is not None for _, clause in shown)
    binds = Column("standing", Text("效力", "Standing")) if office else Column("reaches", Text("及于", "Reaches"))
    columns = (
        Column("clause_id", Text("条款", "Clause")),
        Column("article", Text("条号", "Article")),
        Column("topics", Text("主题", "Topics")),
        Column("obligation", Text("要求（概括）", "Obligation, in our words")),
        Column("who", Text("责任方", "Who")),
        Column("deadline", Text("期限", "Deadline")),
        binds,
        Column("handling", Text("处理", "Treatment")),
        Column("tested_by", Text("规则或答复", "Rules or answers")),
        Column("reason", Text("原因", "Reason")),
    )
    return View(
        name="clauses",
        title=Text("须人工掌握的条款", "Clauses for a person to look after")
        if only_open
        else Text("逐条处理情况", "Clause by clause"),
        columns=columns,
        rows=tuple(_row(pack, clause, topics) for pack, clause in shown),
        notes=(_OPEN,) if only_open and shown else (),
    )


_OPEN = Text(
    "这些条款有要求，但单位的台账看不出是否做到，检查不会提到它们。",
    "These clauses ask something, but no record that an office keeps shows whether it was done; checks never mention them.",
)


def _row(pack: Regulation, covered: ClauseCoverage, topics: Mapping[str, Text]) -> dict[str, Cell]:
    clause = covered.clause
    return {
        "clause_id": clause.clause_id,
        "article": clause.article,
        "topics": _terms(clause.topics, {**TOPIC, **topics}),
        "obligation": clause.obligation,
        "who": parties(clause.who, pack),
        "deadline": deadline_text(clause),
        "standing": term(STANDING, covered.standing) if covered.standing else None,
        "reaches": _terms(clause.reaches, LEVEL),
        "handling": term(HANDLING, covered.handling),
        "tested_by": _tested_by(covered),
        "reason": None if covered.handling in ("rule", "request") else clause.treatment_reason,
    }


def _terms(codes: Sequence[str], words: Mapping[str, Text]) -> Term:
    texts = [words.get(code, same(code)) for code in codes]
    return Term("、".join(t.zh for t in texts), ", ".join(t.en for t in texts), tuple(codes))


def _tested_by(covered: ClauseCoverage) -> Term | None:
    """Rule ids, then the answers to requests; people read the answers as words."""
    if not covered.rules and not covered.requests:
        return None
    asked = [REQUEST.get(name, same(name)) for name in covered.requests]
    return Term(
        "、".join((*covered.rules, *(f"申请：{t.zh}" for t in asked))),
        ", ".join((*covered.rules, *(f"requests: {t.en}" for t in asked))),
        (*covered.rules, *(f"requests.{name}" for name in covered.requests)),
    )


def parties(roles: Sequence[str], pack: Regulation) -> Term | None:
    """As the document calls them; None where it names nobody."""
    if not roles:
        return None
    texts = [role_text(role, pack.roles.get(role)) for role in roles]
    return Term("、".join(t.zh for t in texts), ", ".join(t.en for t in texts), tuple(roles))


def deadline_text(clause: Clause) -> Text | None:
    """The deadline in words, with what the text adds to it; None where it has none."""
    counted, note = _counted(clause), clause.deadline_note
    if counted is None or note is None:
        return counted or note
    if clause.deadline and clause.deadline.unit == "recurring":
        return note  # it says how often, or that the text does not
    return Text("{a}（{b}）", "{a} ({b})").format(a=counted, b=note)


def _counted(clause: Clause) -> Text | None:
    deadline = clause.deadline
    if deadline is None:
        return None
    event = EVENT.get(deadline.event or "", same(deadline.event or ""))
    match deadline.unit:
        case "workday" | "month" if deadline.n is not None:
            unit = Text("个工作日", "working days") if deadline.unit == "workday" else Text("个月", "months")
            number = f"{deadline.n_min}–{deadline.n}" if deadline.n_min is not None else str(deadline.n)
            return Text("{event}后 {n} {unit}内", "within {n} {unit} of: {event}").format(
                event=event, n=number, unit=unit
            )
        case "date":
            return Text("{day} 前", "by {day}").format(day=deadline.due_on)
        case "yearly":
            return Text("每年 {day} 前", "by {day} every year").format(day=deadline.month_day)
        case "recurring":
            return Text("定期", "regularly")
    if deadline.event is None:
        return None
    return Text("{event}起，条文未写天数", "from: {event}; the text gives no number").format(event=event)


def build_documents_view(documents: Sequence[DocumentCoverage], own: Regulation | None) -> View:
    """A row a document with its totals, and the sum of all in the note."""
    kinds = tuple(HANDLING)
    totals: dict[str, int] = {kind: sum(d.count(kind) for d in documents) for kind in kinds}
    clauses = sum(len(d.clauses) for d in documents)
    notes = [
        Text(
            "{n} 条 = 规则检查 {rule} + 核对申请时引用 {request} + 仅说明 {information} + 不能自动判定 {not_automatable}",
            "{n} clauses = {rule} tested by rules + {request} cited by request checks + {information} information"
            " + {not_automatable} not automatable",
        ).format(n=clauses, **totals)
    ]
    unchecked = [d.regulation.regulation_id for d in documents if not d.checked]
    if unchecked:
        notes.append(
            Text(
                "工作区的 govcloud.yaml 没有写 {ids}，检查时不用。",
                "govcloud.yaml does not name {ids}: not used in checks.",
            ).format(ids=", ".join(unchecked))
        )
    notes += [
        Text("{id} 已由 {new} 取代。", "{id} was replaced by {new}.").format(
            id=d.regulation.regulation_id, new=d.regulation.superseded_by
        )
        for d in documents
        if d.regulation.superseded_by
    ]
    return View(
        name="documents",
        title=Text("法规文件", "Documents"),
        columns=(
            Column("regulation_id", Text("编号", "Id")),
            Column("title", Text("名称", "Title")),
            Column("number", Text("文号", "Number")),
            Column("level", Text("层级", "Level")),
            Column("rules", Text("规则数", "Rules"), "right"),
            Column("clauses", Text("条款数", "Clauses"), "right"),
            *(Column(kind, HANDLING[kind], "right") for kind in kinds),
        ),
        rows=tuple(_document_row(d) for d in documents),
        notes=tuple(notes),
        facts={"totals": {"clauses": clauses, **totals}, "jurisdiction": own.regulation_id if own else None},
    )


def _document_row(document: DocumentCoverage) -> dict[str, Cell]:
    pack = document.regulation
    row: dict[str, Cell] = {
        "regulation_id": pack.regulation_id,
        "title": pack.title,
        "number": pack.number,
        "level": term(LEVEL, pack.level),
        "rules": len(pack.rules),
        "clauses": len(document.clauses),
    }
    row.update({kind: document.count(kind) for kind in HANDLING})
    return row
