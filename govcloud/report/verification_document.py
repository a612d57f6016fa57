"""What a run has proven of each system's data and service, and what it has not (核验报告)."""

from __future__ import annotations

from dataclasses import replace

from govcloud.model.text import Text
from govcloud.report.document import Document, FormRow, Section, Signature
from govcloud.report.plan_words import listed
from govcloud.report.proof_levels import CLAIMS, STATES, build_claims
from govcloud.report.run_facts import told
from govcloud.report.run_paper import SYSTEM, RunPaper, run_form
from govcloud.report.view import Cell, Column, View

_BEYOND = (
    "attributes_left", "can_still_write", "accounts_not_carried", "accounts_without_password", "not_measured",
    "tls_keys_not_compared", "left_changed",
)  # fmt: skip
"""Facts that say what was left out of a proof."""
_MOST_SAID = 100


def build_verification_document(paper: RunPaper, blank: Document) -> Document:
    """`blank`: with the office, the time and the source filled in."""
    sections = (
        Section(section_id="overview", title=Text("概况", "Overview"), form=run_form(paper), paragraphs=(_LEVELS,)),
        Section(section_id="claims", title=Text("逐级核验结论", "Findings, level by level"), views=(build_claims_view(paper),)),
        Section(section_id="digests", title=Text("计数与摘要", "Counts and digests"), views=(build_digests_view(paper),)),
        Section(section_id="unproven", title=Text("未证明的事项", "Not proven"), views=(build_unproven_view(paper),)),
        Section(section_id="owner", title=Text("业主抽样核对（L4）", "Samples checked by the owner (L4)"), intro=_OWNER, form=_SAMPLES),
    )  # fmt: skip
    return replace(
        blank, title=Text("迁移核验报告（{r}）", "Verification report of run {r}").format(r=paper.shown.run.run_id),
        sections=sections, signatures=(
            Signature(party=Text("核验（实施单位）", "Verified by (builder)")),
            Signature(party=Text("抽样核对（系统主管部门）", "Sampled by (owner)")),
        ),
    )  # fmt: skip


_LEVELS = Text(
    "核验分级：L0 存在与大小；L1 计数、结构、序列、授权；L2 源冻结后两端全量内容摘要；L3 割接后应用应答；L4 业主抽样核对并签字。"
    "源恢复写入后，此前的摘要不再证明数据一致，须重新复制、重新核对。",
    "Levels: L0 presence and size; L1 counts, schema, sequences, grants; L2 digests of the full content on both sides after the "
    "freeze; L3 the application answers after the cutover; L4 sampled and signed by the owner. Once the source takes writes "
    "again, earlier digests no longer prove that the data are equal: they have to be copied and compared anew.",
)
_OWNER = Text(
    "由业主单位选定业务合计数，分别在源和目标查得，一致后签字。本系统不代为填写。",
    "The owner chooses business totals, looks them up at the source and at the target and signs if they agree. The program "
    "fills in nothing here.",
)
_SAMPLES = tuple(
    FormRow(fields=((Text("合计项目", "Total of"), None), (Text("源 / 目标", "Source / target"), None)))
    for _ in range(4)
)


def build_claims_view(paper: RunPaper) -> View:
    rows: list[dict[str, Cell]] = []
    for s in paper.systems:
        for claim in build_claims(s):
            result = claim.attempt.result if claim.attempt else None
            rows.append(
                {
                    "system_id": s.row.system_id, "level": claim.level, "claim": CLAIMS[claim.level],
                    "state": STATES[claim.state], "at": result.finished_at if result else None, "why": _short(claim.why),
                }
            )  # fmt: skip
    columns = (
        SYSTEM,
        Column("level", Text("级别", "Level")),
        Column("claim", Text("结论", "Finding")),
        Column("state", Text("是否证明", "Proven")),
        Column("at", Text("时间", "At")),
        Column("why", Text("说明", "Remark")),
    )  # fmt: skip
    return View(
        name="claims", title=Text("逐级核验结论", "Findings, level by level"), columns=columns, rows=tuple(rows)
    )


def _short(why: Text | None) -> Text | None:
    """An application's own answer may be a page long; all of it stands in the run report."""
    if why is None:
        return None
    zh, en = (said if len(said) <= _MOST_SAID else said[:_MOST_SAID] + "…" for said in (why.zh, why.en))
    return Text(zh, en)


def build_digests_view(paper: RunPaper) -> View:
    """Counts in words, digests in full, of the attempts that the claims rest on."""
    rows: list[dict[str, Cell]] = []
    for s in paper.systems:
        for claim in build_claims(s)[2:4]:
            result = claim.attempt.result if claim.attempt else None
            if result is None:
                continue
            counts = told({k: v for k, v in result.facts.items() if "sha256" not in k and k != "level"})
            rows.append({"system_id": s.row.system_id, "level": claim.level, "what": Text("计数", "Counts"),
                         "value": listed(counts) if counts else None})  # fmt: skip
            rows += [
                {"system_id": s.row.system_id, "level": claim.level, "what": _digest_of(key), "value": str(value)}
                for key, value in result.facts.items() if "sha256" in key
            ]  # fmt: skip
            rows.append(
                {"system_id": s.row.system_id, "level": claim.level, "what": _EVIDENCE, "value": result.evidence_sha256}
            )
    columns = (
        SYSTEM,
        Column("level", Text("级别", "Level")),
        Column("what", Text("对象", "What")),
        Column("value", Text("数值或摘要 SHA-256", "Value or digest (SHA-256)")),
    )
    note = Text("“证据清单”为该次尝试全部证据文件清单的摘要，与台账记录中的一致。",
                "“list of evidence” is the digest over the list of all evidence files of that attempt, the same as in its ledger record.")  # fmt: skip
    return View(
        name="digests",
        title=Text("计数与摘要", "Counts and digests"),
        columns=columns,
        rows=tuple(rows),
        notes=(note,) if rows else (),
    )


_EVIDENCE = Text("证据清单", "list of evidence")


def _digest_of(key: str) -> Text:
    if key.startswith("sha256 "):
        return Text("目录 {d}", "directory {d}").format(d=key.removeprefix("sha256 "))
    host = key.rpartition(".")[0]
    return Text("数据库（{h}）", "database ({h})").format(h=host) if host else Text("数据库", "database")


def build_unproven_view(paper: RunPaper) -> View:
    """Levels without a proof, and what the proofs themselves left out."""
    rows: list[dict[str, Cell]] = []
    for s in paper.systems:
        rows += [
            {"system_id": s.row.system_id, "level": c.level, "what": CLAIMS[c.level], "why": _short(c.why)}
            for c in build_claims(s) if c.state in ("not_proven", "lapsed")
        ]  # fmt: skip
        left = {
            k: v
            for a in s.attempts
            if a.result
            for k, v in a.result.facts.items()
            if k.rpartition(".")[2] in _BEYOND and v
        }
        rows += [{"system_id": s.row.system_id, "level": None, "what": text, "why": _LEFT_OUT} for text in told(left)]
    columns = (
        SYSTEM,
        Column("level", Text("级别", "Level")),
        Column("what", Text("未证明", "Not proven")),
        Column("why", Text("原因", "Why")),
    )
    return View(name="unproven", title=Text("未证明的事项", "Not proven"), columns=columns, rows=tuple(rows), notes=(_SCOPE,))  # fmt: skip


_SCOPE = Text(
    "核验范围为迁移文件所列的目录、数据库和服务检查；没有列入迁移文件的数据不在其内，是否列全由业主和建设单位确认。",
    "The proof covers the directories, databases and checks listed in the migration file. Data not listed there are not "
    "covered; owner and builder confirm that the list is complete.",
)
_LEFT_OUT = Text("不在核对范围内，须另行处理", "outside the comparison; to be dealt with separately")
