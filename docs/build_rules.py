"""Writes docs/rules.md: `python docs/build_rules.py`. A test holds that it is up to date.

Everything on the page comes from regulations/ and, for the comparison, from inventory/sample/differential/.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import differential as compare  # noqa: E402
from condition_words import condition_text, field_text  # noqa: E402

from govcloud import resources  # noqa: E402
from govcloud.compliance.calendar_source import load_calendar  # noqa: E402
from govcloud.compliance.cases import run_cases  # noqa: E402
from govcloud.compliance.coverage import build_document_coverage  # noqa: E402
from govcloud.compliance.load import load_packs, pack_ids  # noqa: E402
from govcloud.model.coverage import ClauseCoverage, DocumentCoverage  # noqa: E402
from govcloud.model.regulation import Regulation, Rule  # noqa: E402
from govcloud.model.text import Text, same  # noqa: E402
from govcloud.report.coverage import HANDLING, LEVEL, REQUEST, deadline_text, parties  # noqa: E402
from govcloud.report.findings import NO_CLAUSE, ROLES, SEVERITY, role_text  # noqa: E402
from govcloud.report.projects import EVENT  # noqa: E402
from govcloud.report.words import SUBJECTS  # noqa: E402

TARGET = HERE / "rules.md"
IDS = ("SX19", "JC22", "JN19", "SD", "SX17")
NOT_IN_TEXT = "文本未载 · not in the text"
OUTCOMES: Mapping[str, Text] = {
    "in_catalog": Text("目录内", "in the catalog"),
    "self_built": Text("自建，目录有同类服务", "self-built; the catalog serves it"),
    "duplicates_common_service": Text("重复公共支撑", "duplicates a common service"),
    "not_in_catalog": Text("目录外", "not in the catalog"),
    "out_of_range": Text("超出范围", "out of range"),
    "catalog_expired": Text("目录已失效", "catalog expired"),
}


def render_page() -> str:
    """The whole page. Raises SystemExit where a case disagrees with its rule or a question names an unknown rule."""
    root = resources.folder("regulations")
    if set(pack_ids(root)) != set(IDS):
        sys.exit(f"packs: {sorted(set(pack_ids(root)) ^ set(IDS))}")
    packs = load_packs(root, IDS)
    calendar = load_calendar(root / "calendars")
    results = [result for pack in packs for result in run_cases(root, pack, calendar)]
    if wrong := [r for r in results if not r.agrees]:
        sys.exit(f"cases disagree: {wrong}")
    if unknown := compare.verify_rules_exist(compare.load_questions().questions):
        sys.exit(f"questions.yaml: no such rules: {unknown}")
    cases = Counter(r.rule_id for r in results)
    covered = [build_document_coverage(pack) for pack in packs]
    parts = (head(), documents(packs), roles(packs), coverage(covered), comparison(), limits(packs))
    lines = [line for part in parts for line in part]
    for document in covered:
        lines += rules(document.regulation, cases)
    for document in covered:
        lines += clauses(document)
    return "\n".join(lines).rstrip() + "\n"


def head() -> list[str]:
    return [
        "# 规则与条款 · Rules and clauses",
        "",
        "<!-- 由 docs/build_rules.py 生成，请勿手改 · made by docs/build_rules.py, don't edit -->",
        "",
        "条款是用自己的话概括的，以公布的原文为准；不知道的文号和日期不写。查本单位的：`govcloud audit coverage`。",
        "Clauses are in our own words; the official texts rule. Numbers and dates that a text does not give are left out.",
        "For one office: `govcloud audit coverage`. How rules are written: [formats.md](formats.md#packs).",
        "",
        "[文件](#documents) · [称谓](#roles) · [处理](#coverage) · [四地对照](#differential) · [界线](#limits) · "
        + " · ".join(f"[{i} 规则](#rules-{i.lower()})" for i in IDS)
        + " · "
        + " · ".join(f"[{i} 条款](#clauses-{i.lower()})" for i in IDS),
        "",
    ]


def table(head: Iterable[object], *rows: Iterable[object]) -> list[str]:
    cells = [[_cell(value) for value in row] for row in (head, *rows)]
    return [f"| {' | '.join(row)} |" for row in (cells[0], ["---"] * len(cells[0]), *cells[1:])] + [""]


def _cell(value: object) -> str:
    text = both(value) if isinstance(value, Text) else "—" if value in (None, "", ()) else str(value)
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;").replace("&lt;br>", "<br>")


def both(text: Text, between: str = "<br>") -> str:
    return text.zh if text.zh == text.en else f"{text.zh}{between}{text.en}"


def section(anchor: str, title: str) -> list[str]:
    return [f'<a id="{anchor}"></a>', f"## {title}", ""]


def documents(packs: Iterable[Regulation]) -> list[str]:
    rows = [
        [
            p.regulation_id, p.title, p.number or NOT_IN_TEXT, p.issuer or NOT_IN_TEXT, LEVEL[p.level],
            p.issued_on or NOT_IN_TEXT, p.effective_from or NOT_IN_TEXT, p.effective_to, p.superseded_by, p.scope, p.note,
        ]
        for p in packs
    ]  # fmt: skip
    header = (
        "编号 id", "名称 title", "文号 number", "发文机关 issuer", "层级 level", "成文 issued", "施行 in force", "失效 ended",
        "被取代 superseded by", "适用 scope", "说明 note",
    )  # fmt: skip
    return [*section("documents", "文件 · Documents"), *table(header, *rows)]


def roles(packs: tuple[Regulation, ...]) -> list[str]:
    known = list(dict.fromkeys(role for p in packs for role in p.roles))
    rows = [[ROLES.get(role, same(role)), f"`{role}`", *(_role(p, role) for p in packs)] for role in known]
    return [
        *section("roles", "称谓对照 · The same term, different parties"),
        "“项目建设单位”在山西、晋城、交城是承建方，在山东是业主部门；山东没有承建方，也就没有接管条款。",
        "项目建设单位 is the builder in Shanxi, Jincheng and Jiaocheng, and the owner department in Shandong, which has no builder"
        " and so no takeover clause.",
        "",
        *table(("角色 role", "编号 id", *(p.regulation_id for p in packs)), *rows),
    ]


def _role(pack: Regulation, role: str) -> str:
    return pack.roles.get(role) or "无此方 · no such party"


def coverage(covered: list[DocumentCoverage]) -> list[str]:
    rows = [
        [d.regulation.regulation_id, len(d.clauses), *(d.count(kind) for kind in HANDLING), len(d.regulation.rules)]
        for d in covered
    ]
    sums = [sum(int(str(row[n])) for row in rows) for n in range(1, len(rows[0]))]
    header = ("编号 id", "条款 clauses", *(both(text, " ") for text in HANDLING.values()), "规则 rules")
    return [*section("coverage", "条款处理 · Coverage"), *table(header, *rows, ["合计 total", *sums])]


def comparison() -> list[str]:
    """Every question with the answers of the four offices side by side."""
    found, offices = compare.load_questions(), compare.offices()
    names = [both(compare.NAMES[office.site], " ") for office in offices]
    asked = [[q.subject, q.question, *(reply(compare.answer(q, o)) for o in offices)] for q in found.questions]
    due = [
        [
            Text("{e}（{d}）", "{e} ({d})").format(e=EVENT[e.event], d=e.happened_on),
            *("<br>".join(map(duty, compare.duties(e, o))) or both(NO_CLAUSE, " ") for o in offices),
        ]
        for e in found.events
    ]
    requests = [[r.question, *(offer(compare.offered(r, o)) for o in offices)] for r in found.requests]
    return [
        *section("differential", "四地对照 · One estate under four offices"),
        f"同一份虚构资产（`inventory/sample/differential/`）按 {found.as_of} 判断。供参照：上级条款按其文字不约束本单位，不是违规。",
        f"One fictitious estate (`inventory/sample/differential/`) as of {found.as_of}. For reference: the higher clause does not bind"
        " this office by its own words; that is no violation.",
        "† 规则在条文之外加了说明（如本单位的界线），见下面规则表的“说明”。"
        " † The rule adds something to the text, such as the office's own number: see its note in the tables of rules below.",
        "",
        "### 事实 · Facts",
        "",
        *table(("对象", "事实 fact", *names), *asked),
        "### 期限 · Deadlines",
        "",
        *table(("事件 event", *names), *due),
        "### 资源申请 · Requests",
        "",
        *table(("申请 request", *names), *requests),
    ]


def reply(found: compare.Reply) -> str:
    ids = "、".join(found.clauses) + (" †" if found.noted else "")
    if found.verdict is None:
        return both(NO_CLAUSE, " ")
    words = {
        "pass": Text("符合", "in order"),
        "fail": Text("**不符合**", "**violation**"),
        "undetermined": Text("不能判定，缺{m}", "undetermined, missing: {m}"),
        "not_applicable": Text("不适用", "not applicable"),
    }[found.verdict]
    missing = [field_text(name) for name in found.missing]
    words = words.format(m=Text("、".join(m.zh for m in missing), ", ".join(m.en for m in missing)))
    if found.standing == "reference":
        met = {"fail": Text("未达到", "not met"), "pass": Text("达到", "met")}.get(found.verdict, words)
        words = Text("供参照：{w}", "for reference: {w}").format(w=met)
    due = f"<br>{found.due_on}" if found.due_on else ""
    return f"{both(words, ' ')}<br>{ids}{due}"


def duty(found: compare.Due) -> str:
    day = found.due_on.isoformat() if found.due_on else "条文无期限 no date in the text"
    if found.earliest_on:
        day = f"{found.earliest_on} – {day}"
    to = [ROLES.get(role, same(role)) for role in found.to]
    to_text = f" → {'、'.join(t.zh for t in to)} {', '.join(t.en for t in to)}" if to else ""
    standing = "供参照 for reference: " if found.standing == "reference" else ""
    return f"{standing}{found.clause_id}: {day}{to_text}"


def offer(found: compare.Offered) -> str:
    outcome = both(OUTCOMES[found.outcome], " ")
    if found.outcome == "in_catalog":
        return f"{outcome}<br>{found.catalog}"
    return f"{outcome}<br>{'、'.join(found.clauses) or both(NO_CLAUSE, ' ')}"


def limits(packs: Iterable[Regulation]) -> list[str]:
    rows = [
        [f"`{name}`", pack.regulation_id, f"{limit.value:g}", limit.title]
        for pack in packs
        for name, limit in sorted(pack.limits.items())
    ]
    return [
        *section("limits", "界线 · Limits"),
        "条文没有给出的数字，是本工具的默认值；本单位的写在 `govcloud.yaml` 的 `limits:`，对同名的全部法规包生效。",
        "Numbers that the texts do not give: our defaults. An office sets its own in `limits:` of `govcloud.yaml`, for every pack with"
        " that name.",
        "",
        *table(("名称 name", "法规包 pack", "默认 default", "含义 meaning"), *rows),
    ]


def rules(pack: Regulation, cases: Counter[str]) -> list[str]:
    header = (
        "规则 rule", "问题 problem", "对象 subject", "条款 clauses", "程度 severity", "责任方 who must act", "查什么 what is tested",
        "下一步 next step", "说明 note", "用例 cases",
    )  # fmt: skip
    rows = [_rule(rule, pack, cases) for rule in pack.rules]
    title = f"{pack.regulation_id} 规则 · Rules of {pack.regulation_id}"
    return [*section(f"rules-{pack.regulation_id.lower()}", title), both(pack.title, " · "), "", *table(header, *rows)]


def _rule(rule: Rule, pack: Regulation, cases: Counter[str]) -> list[object]:
    tested = condition_text(rule.must, rule.subject)
    if rule.when is not None:
        tested = Text("凡{when}的，须{must}", "where {when}: {must}").format(
            when=condition_text(rule.when, rule.subject), must=tested
        )
    return [
        f"`{rule.rule_id.partition('/')[2]}`",
        rule.title,
        SUBJECTS[rule.subject],
        "、".join(rule.clauses),
        SEVERITY[rule.severity],
        role_text(rule.responsible, pack.roles.get(rule.responsible)),
        tested,
        rule.next_step,
        rule.note,
        cases[rule.rule_id],
    ]


def clauses(document: DocumentCoverage) -> Iterator[str]:
    pack = document.regulation
    yield from section(
        f"clauses-{pack.regulation_id.lower()}", f"{pack.regulation_id} 条款 · Clauses of {pack.regulation_id}"
    )
    header = (
        "条款 clause",
        "条号 article",
        "要求 obligation",
        "责任方 who",
        "期限 deadline",
        "后果 consequence",
        "及于 reaches",
        "处理 treatment",
    )
    yield from table(header, *(_clause(covered, pack) for covered in document.clauses))


def _clause(covered: ClauseCoverage, pack: Regulation) -> list[object]:
    clause = covered.clause
    levels = [LEVEL[level] for level in clause.reaches]
    return [
        clause.clause_id,
        clause.article,
        clause.obligation,
        parties(clause.who, pack),
        deadline_text(clause),
        clause.consequence,
        Text("、".join(t.zh for t in levels), ", ".join(t.en for t in levels)),
        _treatment(covered),
    ]


def _treatment(covered: ClauseCoverage) -> str:
    names = [f"`{rule.partition('/')[2]}`" for rule in covered.rules]
    names += [f"核对申请 request check: {both(REQUEST[name], ' ')}" for name in covered.requests]
    if names:
        return "<br>".join(names)
    reason = covered.clause.treatment_reason
    return f"*{both(HANDLING[covered.handling], ' ')}*" + (f"<br>{both(reason)}" if reason else "")


if __name__ == "__main__":
    TARGET.write_text(render_page(), "utf-8")
