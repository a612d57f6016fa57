"""Verification levels as named claims, each with the attempt that proved it.

L0 it is there and has its size; L1 counts, schema, sequences and grants; L2 full content digests on both sides of a frozen
source; L3 the application answers through its entrance after the cutover; L4 business totals, sampled and signed by the owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from govcloud.model.attempt import Attempt
from govcloud.model.migration import MigrationSpec
from govcloud.model.step import Phase, StepName
from govcloud.model.text import Term, Text
from govcloud.report.plan_words import listed
from govcloud.report.run_overview import SystemStatus

ProofLevel = Literal["L0", "L1", "L2", "L3", "L4"]
State = Literal["proven", "not_proven", "lapsed", "nothing"]
CLAIMS: Mapping[ProofLevel, Text] = {
    "L0": Text(
        "所列文件和数据库在目标上存在，大小一致",
        "All listed files and databases are present on the target and equal in size",
    ),
    "L1": Text(
        "所列数据库的行数、结构、序列、授权一致",
        "Row counts, schema, sequences and grants of the listed databases are equal",
    ),
    "L2": Text(
        "源冻结后，所列文件和数据库两端的内容摘要一致",
        "After the freeze, the content digests of all listed files and databases are equal on both sides",
    ),
    "L3": Text(
        "割接后，应用经入口应答正确", "After the cutover, the application answers correctly through its entrance"
    ),
    "L4": Text("业务合计数经业主抽样核对并签字", "Business totals sampled and signed by the owner"),
}
STATES: Mapping[State, Term] = {
    "proven": Term("已证明", "proven", "proven"),
    "not_proven": Term("未证明", "not proven", "not_proven"),
    "lapsed": Term("已失效", "lapsed", "lapsed"),
    "nothing": Term("无此类数据", "no such data", "nothing"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    level: ProofLevel
    state: State
    attempt: Attempt | None = None
    """The one that proved it."""
    why: Text | None = None
    """Why it is not proven, or no more."""


def attempts_of(
    status: SystemStatus, step: StepName, phase: Phase = "apply", *, ok: bool = False
) -> tuple[Attempt, ...]:
    """In order of time; `ok`: only those that succeeded."""
    return tuple(
        a for a in status.attempts
        if a.key.step == step and a.key.phase == phase and (not ok or (a.result is not None and a.result.status == "ok"))
    )  # fmt: skip


def build_claims(status: SystemStatus) -> tuple[Claim, ...]:
    """All five levels, in order."""
    data = _data_claim(status)
    lower: tuple[ProofLevel, ...] = ("L0", "L1", "L2")
    # Equal content on both sides implies that it is there and that its counts are equal.
    claims = [replace(data, level=name) for name in lower]
    return (*claims, _service_claim(status), Claim(level="L4", state="not_proven", why=_BY_HAND))


_BY_HAND = Text("须由业主抽样核对并签字", "needs the owner's samples and signature")


def _data_claim(status: SystemStatus) -> Claim:
    if not _has_data(status.row.spec):
        return Claim(level="L2", state="nothing")
    made = attempts_of(status, "verify_data")
    proofs = attempts_of(status, "verify_data", ok=True)
    if not made:
        return Claim(
            level="L2", state="not_proven", why=Text("没有做到数据核对这一步", "the comparison was not reached")
        )
    if not proofs or proofs[-1].token != made[-1].token:
        return Claim(level="L2", state="not_proven", why=_reasons(made[-1]))
    proof = proofs[-1]
    if proof.result is None or proof.result.facts.get("level") != "L2":
        return Claim(
            level="L2",
            state="not_proven",
            why=Text("步骤成功，但没有给出全量摘要", "the step succeeded but gave no full digests"),
        )
    # Where the outcome of the freeze was not known, a check that found the source frozen counts as well.
    frozen = (*attempts_of(status, "freeze", ok=True), *attempts_of(status, "freeze", "verify", ok=True))
    if not any(a.token < proof.token for a in frozen):
        return Claim(
            level="L2", state="not_proven", why=Text("核对不在源冻结之后", "it was not compared after a freeze")
        )
    if any(a.token > proof.token for a in attempts_of(status, "freeze", "rollback")):
        return Claim(level="L2", state="lapsed", attempt=proof, why=_SOURCE_RAN)
    return Claim(level="L2", state="proven", attempt=proof)


_SOURCE_RAN = Text("其后源系统恢复写入，副本作废", "the source took writes again afterwards, the copy is given up")


def _service_claim(status: SystemStatus) -> Claim:
    made = attempts_of(status, "verify_service")
    proofs = [
        a for a in attempts_of(status, "verify_service", ok=True) if a.result and a.result.facts.get("level") == "L3"
    ]
    if not made:
        return Claim(
            level="L3", state="not_proven", why=Text("没有做到服务验证这一步", "the proof of service was not reached")
        )
    if not proofs or proofs[-1].token != made[-1].token:
        return Claim(level="L3", state="not_proven", why=_reasons(made[-1]))
    if any(a.token > proofs[-1].token for a in attempts_of(status, "cutover", "rollback")):
        return Claim(
            level="L3", state="lapsed", attempt=proofs[-1], why=Text("其后已回退", "it was rolled back afterwards")
        )
    return Claim(level="L3", state="proven", attempt=proofs[-1])


def _has_data(spec: MigrationSpec) -> bool:
    return bool(spec.files or spec.databases)


def _reasons(attempt: Attempt) -> Text:
    result = attempt.result
    if result is None:
        return Text("正在进行", "it is under way")
    if result.status == "ok":
        return Text("没有可问的检查项", "there was nothing to ask")
    return listed(result.reasons, "；", "; ") if result.reasons else Text("未成功", "it did not succeed")


def proven_levels(status: SystemStatus) -> tuple[str, ...]:
    return tuple(c.level for c in build_claims(status) if c.state == "proven")
