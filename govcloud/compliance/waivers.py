"""Which findings are waived on a day, and whether a waiver may be granted at all. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from govcloud.model.regulation import Finding
from govcloud.model.text import Text
from govcloud.model.waiver import Waiver

_SUPERVISED = ("owner", "builder")
"""Those who carry out and those who build; none of the documents lets them decide what they may leave undone."""


def apply_waivers(findings: Sequence[Finding], waivers: Iterable[Waiver], as_of: date) -> tuple[Finding, ...]:
    """Each finding with the waiver that is valid on that day, or else the last one, which has ended.

    Only what fails and binds is waived: a waiver granted for a fact says nothing once the fact is unknown, and what is
    shown for reference needs none.
    """
    of_finding: dict[str, list[Waiver]] = {}
    for waiver in waivers:
        if waiver.state(as_of) != "not_yet":
            of_finding.setdefault(waiver.finding_id, []).append(waiver)
    if not of_finding:
        return tuple(findings)
    return tuple(
        _with(finding, of_finding[finding.finding_id], as_of) if finding.finding_id in of_finding else finding
        for finding in findings
    )


def _with(finding: Finding, waivers: Sequence[Waiver], as_of: date) -> Finding:
    last = max(waivers, key=lambda w: (w.valid(as_of), w.withdrawn_on or w.valid_until, w.waiver_id))
    concerned = finding.verdict == "fail" and finding.standing == "binding" and finding.state != "resolved"
    return replace(finding, waiver=last, waived=concerned and last.valid(as_of))


def verify_grant(
    finding: Finding, waivers: Sequence[Waiver], wanted: Waiver, roles: Mapping[str, str | None], today: date
) -> list[Text]:
    """Why the waiver can't be granted; empty when it can. `waivers`: of the finding; `roles`: of its document."""
    return [
        *_not_waivable(finding, waivers, today),
        *_wrong_party(finding, wanted, roles),
        *_wrong_paper(wanted, today),
    ]


def granting_roles(finding: Finding, roles: Mapping[str, str | None]) -> dict[str, str]:
    """Role -> its term, of the parties that may grant a waiver of the finding by its document."""
    known = {role: term for role, term in roles.items() if term is not None}
    acting = {finding.responsible, *_SUPERVISED}
    return {r: t for r, t in known.items() if r not in acting and t != known.get(finding.responsible)}


def _not_waivable(finding: Finding, waivers: Sequence[Waiver], today: date) -> Iterable[Text]:
    if finding.state == "resolved":
        yield Text("问题已消除，无须豁免", "the problem is gone; there is nothing to waive")
    elif finding.standing == "reference":
        yield Text("条款只供参照，不约束本单位，无须豁免", "the clause is for reference and does not bind this office; there is nothing to waive")  # fmt: skip
    elif finding.verdict == "undetermined":
        yield Text("资料不足、尚未判定的不能豁免，先补齐所缺字段", "nothing is decided yet; fill in what is missing first: an unknown fact can't be waived")  # fmt: skip
    for waiver in waivers:
        if waiver.valid(today):
            yield Text("已有有效的豁免 {id}，至 {day}；要换先撤销", "waiver {id} is valid until {day}; withdraw it first to replace it").format(id=waiver.waiver_id, day=waiver.valid_until.isoformat())  # fmt: skip


def _wrong_party(finding: Finding, wanted: Waiver, roles: Mapping[str, str | None]) -> Iterable[Text]:
    known = {role: term for role, term in roles.items() if term is not None}
    if wanted.role not in known:
        options = "、".join(f"{role} {term}" for role, term in known.items() if role not in _SUPERVISED)
        yield Text("依据的文件中没有角色 {r}；可用：{o}", "the document knows no role {r}; it knows: {o}").format(r=wanted.role, o=options)  # fmt: skip
    elif wanted.role == finding.responsible or known[wanted.role] == known.get(finding.responsible):
        yield Text("{t} 是责任方，不能豁免自己", "{t} is the party that must act and can't exempt itself").format(t=known[wanted.role])  # fmt: skip
    elif wanted.role in _SUPERVISED:
        yield Text("{t} 是被监管的一方，不能批准豁免", "{t} is among those who are supervised and can't grant a waiver").format(t=known[wanted.role])  # fmt: skip


def _wrong_paper(wanted: Waiver, today: date) -> Iterable[Text]:
    parts = {
        Text("理由", "reason"): wanted.reason, Text("批准人", "approver"): wanted.approver,
        Text("批准文件", "document"): wanted.document,
    }  # fmt: skip
    for name, value in parts.items():
        if not value.strip():
            yield Text("没有写{n}", "no {n} is given").format(n=name)
    if wanted.approved_on > today:
        yield Text("批准日期 {d} 还没有到", "it can't have been approved on {d}, which is still to come").format(d=wanted.approved_on.isoformat())  # fmt: skip
    if wanted.valid_until < wanted.approved_on:
        yield Text("截止日期早于批准日期", "it ends before it was approved")
    elif wanted.valid_until < today:
        yield Text("截止日期 {d} 已过", "it ended on {d}, which is past").format(d=wanted.valid_until.isoformat())
