"""移交确认单: the form by which the parties confirm that maintenance has passed. Also the views that the package shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from govcloud.model.handover import (
    ITEM_STATE_NAMES,
    LEVEL_NAMES,
    ORIGIN_NAMES,
    STATE_NAMES,
    Checklist,
    Handover,
    HostRotation,
    Proof,
    Role,
    SignOff,
    Source,
    Standing,
    TakeoverState,
)
from govcloud.model.inventory import System
from govcloud.model.open_risk import OpenRisk, RiskKind
from govcloud.model.text import Text
from govcloud.report.document import FormRow, Section, Signature, Signed
from govcloud.report.handover_proofs import OUTCOMES, build_proofs_view
from govcloud.report.text import UNKNOWN
from govcloud.report.view import Cell, Column, View
from govcloud.report.wave_facts import BLANK

RISKS: Mapping[RiskKind, Text] = {
    "finding": Text("不符合项", "non-compliance"),
    "waiver": Text("豁免期内", "waived for a time"),
    "run_fault": Text("迁移步骤未成功", "migration step failed"),
    "network": Text("业务专网未撤", "dedicated network in use"),
    "expired": Text("已过期", "expired"),
    "ending": Text("90 天内到期", "ends within 90 days"),
    "proof": Text("实测不符或无结论", "proof failed or unclear"),
    "refused": Text("资料被退回", "item sent back"),
    "missing": Text("必需内容未完成", "required item open"),
}
PARTY_TITLES: Mapping[Role, Text] = {
    "owner": Text("移交方（业主单位）", "Handing over (owner)"),
    "builder": Text("接收方（建设单位）", "Taking over (builder)"),
    "supervisor": Text("监理单位", "Supervisor"),
    "authority": Text("主管部门", "Authority"),
}
_PEOPLE = (Text("负责人（签字）", "Person in charge (signature)"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormData:
    """What the form shows, as of one instant."""

    handover: Handover
    checklist: Checklist
    standings: Mapping[str, Standing]
    system: System
    state: TakeoverState
    earlier_unit: str | None
    """Who maintained it before, as far as known."""
    proofs: Sequence[Proof]
    """The newest of each kind and host."""
    risks: Sequence[OpenRisk]
    valid: Mapping[Role, SignOff]
    """Signatures for what is there now."""
    as_of: date


def build_form_sections(data: FormData) -> tuple[Section, ...]:
    views = (
        ("items", build_items_view(data.checklist, data.standings, data.handover)),
        ("proofs", _build_tried_view(data)),
        ("risks", _to_agree(build_risks_view(data.risks))),
    )
    form = Section(section_id="form", title=Text("基本情况", "Overview"), form=_form(data))
    return (form, *(Section(section_id=name, title=view.title, views=(view,)) for name, view in views))


def _form(data: FormData) -> tuple[FormRow, ...]:
    handover, system = data.handover, data.system
    required = [s for s in data.standings.values() if s.required]
    tried = [*(host.ok for _, host in _rotated(data.handover)), *(p.ok for p in data.proofs)]
    done = Text("必需 {n} 项，完成 {d} 项", "{d} of {n} required items").format(
        n=len(required), d=sum(s.done for s in required)
    )
    proved = Text("{n} 项，符合 {k} 项", "{k} of {n} passed").format(n=len(tried), k=sum(ok is True for ok in tried))
    left = (
        Text("{n} 项，见后附清单", "{n}, listed below").format(n=len(data.risks)) if data.risks else Text("无", "none")
    )
    rows: tuple[tuple[tuple[Text, Cell], ...], ...] = (
        ((Text("系统名称", "System"), system.name), (Text("系统编号", "Id"), system.system_id)),
        ((Text("业主单位", "Owner"), system.department), (Text("接管编号", "Takeover"), handover.handover_id)),
        (
            (Text("原运维单位", "Previously maintained by"), data.earlier_unit),
            (Text("接收单位", "Taken over by"), handover.builder),
        ),
        (
            (Text("移交级别", "Level"), LEVEL_NAMES[handover.level]),
            (Text("系统来源", "Origin"), ORIGIN_NAMES[handover.origin]),
        ),
        (
            (Text("开始日期", "Started"), handover.started_at),
            (Text("双轨运行至", "Dual run until"), handover.dual_run_until),
        ),
        ((Text("清单", "Checklist"), done), (Text("实测", "Tests"), proved)),
        ((Text("遗留问题", "Open issues"), left), (Text("当前状态", "State"), STATE_NAMES[data.state])),
        ((Text("涉及主机", "Hosts"), handover.hosts),),
    )
    return tuple(
        FormRow(fields=tuple((label, UNKNOWN if v in (None, "", ()) else v) for label, v in row)) for row in rows
    )


def build_items_view(checklist: Checklist, standings: Mapping[str, Standing], handover: Handover) -> View:
    """The checklist as it is confirmed: what, how it stands, by whom given and accepted."""
    rows: list[dict[str, Cell]] = []
    for group in checklist.groups:
        for item in group.items:
            found = standings[item.item_id]
            giver = found.paper.actor if found.paper else _GIVEN.get(item.source)
            title = item.title if found.required else Text("{t}（非必需）", "{t} (optional)").format(t=item.title)
            if not found.required and found.state == "open":
                continue
            rows.append({
                "no": len(rows) + 1, "title": title,
                "state": ITEM_STATE_NAMES[found.state], "given": giver,
                "accepted": found.acceptance.actor if found.acceptance else None, "clauses": item.clauses,
            })  # fmt: skip
    return View(
        name="items",
        title=Text("移交内容", "Items handed over"),
        columns=(
            Column("no", Text("序号", "No."), "right"),
            Column("title", Text("内容", "What")),
            Column("state", Text("情况", "State")),
            Column("given", Text("移交人", "Given by")),
            Column("accepted", Text("接收人", "Accepted by")),
            Column("clauses", Text("条款", "Clauses")),
        ),
        rows=tuple(rows),
        notes=(Text("非必需且未提交的内容未列出。", "Items that are neither required nor provided are not listed."),),
    )


_GIVEN: Mapping[Source, Text] = {"data": Text("台账生成", "on record"), "proof": Text("实测", "by test")}
"""What stands where nobody hands a paper over."""


def _build_tried_view(data: FormData) -> View:
    """The change of keys and the proofs, without what only the package needs."""
    view = build_proofs_view(data.proofs)
    changes: list[Mapping[str, Cell]] = [
        {"host": host.host, "kind": _KEYS, "outcome": OUTCOMES[host.ok], "detail": host.detail, "at": at}
        for at, host in _rotated(data.handover)
    ]
    return replace(
        view, columns=tuple(c for c in view.columns if c.key not in ("evidence", "actor")), rows=(*changes, *view.rows)
    )  # fmt: skip


def _rotated(handover: Handover) -> list[tuple[datetime, HostRotation]]:
    """The newest change of keys of each host."""
    newest = {host.host: (rotation.at, host) for rotation in handover.rotations for host in rotation.hosts}
    return [newest[name] for name in sorted(newest)]


_KEYS = Text("登录密钥更换", "Change of SSH keys")


def _to_agree(view: View) -> View:
    """Where no day is on record there is room for the one that the parties agree on."""
    return replace(view, rows=tuple({**row, "until": row["until"] or BLANK} for row in view.rows))


_OF_LIST: frozenset[RiskKind] = frozenset(("refused", "missing"))
"""Their subject is an item of the checklist, which `what` names."""


def build_risks_view(risks: Sequence[OpenRisk]) -> View:
    return View(
        name="risks",
        title=Text("遗留问题与风险", "Open issues and risks"),
        columns=(
            Column("kind", Text("类别", "Kind")),
            Column("subject", Text("对象", "Subject")),
            Column("what", Text("内容", "What")),
            Column("until", Text("期限", "Until")),
        ),
        rows=tuple(
            {
                "kind": RISKS[r.kind],
                "subject": None if r.kind in _OF_LIST else r.subject,
                "what": r.what,
                "until": r.until,
            }
            for r in risks
        ),
    )


def build_signatures(data: FormData) -> tuple[Signature, ...]:
    """Owner and builder sign; supervisor and authority have a place to."""
    units: Mapping[Role, str | None] = {"owner": data.system.department, "builder": data.handover.builder}
    return tuple(
        Signature(party=party, unit=units.get(role), people=_PEOPLE, signed=_signed(data.valid.get(role)))
        for role, party in PARTY_TITLES.items()
    )


def _signed(sign_off: SignOff | None) -> Signed | None:
    if sign_off is None:
        return None
    note = Text("系统内签字，所签内容摘要 {d}", "Signed in the ledger; digest of what was signed: {d}")
    return Signed(name=sign_off.actor, at=sign_off.at, note=note.format(d=sign_off.package_sha256))


OPENING = Text(
    "移交方与接收方依据移交清单逐项交接，现对下列内容予以确认。",
    "The parties have gone through the checklist item by item and confirm the following.",
)
CLOSING = Text(
    "自双方签字盖章之日起，系统运维由接收方负责；遗留问题按所列期限处理，未列期限的由双方商定后填写。",
    "From the day both parties have signed, the receiver maintains the system. Open issues are settled by the dates given; where none is "
    "given, the parties agree on one and enter it.",
)
DRAFT = Text("草稿：双方尚未签字，不作为交接依据", "DRAFT: not signed by both parties, not evidence of a handover")
