"""Takeovers of maintenance: which system stands where, and one takeover with its papers, proofs and signatures."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, File, Form, UploadFile
from starlette.responses import Response

from govcloud.errors import UsageError
from govcloud.model.account import ACCOUNT_ROLE_NAMES
from govcloud.model.handover import (
    LEVEL_NAMES,
    ORIGIN_NAMES,
    STATE_NAMES,
    Handover,
    Role,
    Standing,
    SystemTakeover,
)
from govcloud.model.ids import normalize
from govcloud.model.text import Text
from govcloud.report.handover import (
    build_access_view,
    build_checklist_view,
    build_data_view,
    build_progress_view,
    build_sign_view,
    build_systems_view,
    build_todo_view,
)
from govcloud.report.handover_history import build_history_view
from govcloud.report.handover_proofs import build_proof_facts_view, build_proofs_view
from govcloud.report.plan_words import listed
from govcloud.report.view import Cell, View, filled
from govcloud.web.door import DoorFirst, Reading, enter
from govcloud.web.downloads import give_package
from govcloud.web.files import uploaded
from govcloud.web.paging import Paging, page_number
from govcloud.web.visit import Visit
from govcloud.workflow import takeover as workflow
from govcloud.workflow import takeover_data, takeover_overview, takeover_papers
from govcloud.workflow.kept import Kept, kept
from govcloud.workflow.takeover import Takeover
from govcloud.workflow.takeover_history import list_maintenance

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Giving = Annotated[Visit, Depends(enter("give_papers"))]
Receiving = Annotated[Visit, Depends(enter("receive_papers"))]
Signing = Annotated[Visit, Depends(enter("sign"))]
Exporting = Annotated[Visit, Depends(enter("export"))]
Items = Annotated[list[str], Form(default_factory=list)]
Reason = Annotated[str, Form(max_length=2000)]
_BY_COMMAND = re.compile("govcloud takeover (prove|rotate) ")
_KINDS = ("handover", "signoff")
_STATED = (
    Text(
        "“填报”的起始日是最早见于资料的时间，实际可能更早。",
        "Where it is only stated, the time is when it was first said; it may have begun earlier.",
    ),
)
_LINKS = (
    (Text("各部门进度", "By department"), "/takeovers/progress"),
    (Text("运维单位沿革", "Who maintained what"), "/takeovers/history"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One item of the checklist as the page offers it."""

    item_id: str
    title: Text
    standing: Standing
    choosable: bool
    """The receiver may accept it or send it back."""
    sha256: str | None
    """Of the file that was handed over."""

    @property
    def given(self) -> bool:
        return self.standing.paper is not None or self.standing.acceptance is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some of the checklist: the rows of a view, each with its line."""

    view: View
    lines: list[Line]


def _systems(visit: Visit) -> Kept[list[SystemTakeover]]:
    """Worked out over all systems once for each change; every system's state depends on its papers and on the day."""
    return kept(visit.session, "takeovers", takeover_overview.list_systems, kinds=_KINDS)


@router.get("/takeovers")
def takeovers(visit: Reading) -> Response:
    asked = visit.request.query_params
    state, department = asked.get("state", ""), asked.get("department", "")[:200].strip()
    found = [
        s for s in _systems(visit).value
        if state in ("", s.state) and department in (s.department or "") and (not asked.get("overdue") or s.overdue)
    ]  # fmt: skip
    paging = Paging(
        number=page_number(asked.get("page", "")), total=len(found),
        query={k: v for k, v in asked.items() if k in ("state", "department", "overdue") and v},
    )  # fmt: skip
    shown = found if asked.get("as") else found[paging.offset : paging.offset + paging.rows]
    view = replace(build_systems_view(shown), notes=())
    if not asked.get("as"):
        view = filled(view, without=() if any(s.overdue for s in shown) else ("overdue",))
    filters = (
        {"name": "department", "label": Text("部门", "Department"), "value": department},
        {"name": "state", "label": Text("状态", "State"), "value": state, "choices": list(STATE_NAMES.items())},
        {"name": "overdue", "label": Text("逾期", "Overdue"), "value": asked.get("overdue", ""), "choices": [("true", Text("只列逾期的", "Overdue only"))]},
    )  # fmt: skip
    late = sum(s.overdue for s in found)
    intro = Text("共 {n} 个系统，逾期 {late} 个", "{n} systems, {late} overdue").format(n=len(found), late=late)
    return visit.views(
        Text("运维接管", "Takeovers"), view if asked.get("as") else _by_system(view), paging=paging, intro=intro,
        filters=filters, links=_LINKS,
    )  # fmt: skip


def _by_system(view: View) -> View:
    """Systems lead to what is decided about them: most have no takeover yet."""
    columns = tuple(replace(c, key="takeover_of") if c.key == "system_id" else c for c in view.columns)
    return replace(view, columns=columns, rows=tuple({**row, "takeover_of": row["system_id"]} for row in view.rows))


@router.get("/takeovers/progress")
def progress(visit: Reading) -> Response:
    rows = takeover_overview.build_progress(_systems(visit).value)
    links = ((Text("各系统", "By system"), "/takeovers"),)
    return visit.views(Text("运维接管进度", "Progress of takeovers"), build_progress_view(rows), links=links)


@router.get("/takeovers/history")
def history(visit: Reading) -> Response:
    asked = visit.request.query_params
    system, unit = (asked.get(name, "")[:200].strip() for name in ("system", "unit"))
    if system:
        periods = list_maintenance(visit.session, system, unit=unit or None)
    else:
        known = kept(visit.session, "maintenance", list_maintenance).value
        periods = tuple(p for p in known if not unit or normalize(p.unit) == normalize(unit))
    paging = Paging(
        number=page_number(asked.get("page", "")), total=len(periods),
        query={name: value for name, value in (("system", system), ("unit", unit)) if value},
    )  # fmt: skip
    shown = periods if asked.get("as") else periods[paging.offset : paging.offset + paging.rows]
    filters = (
        {"name": "system", "label": Text("系统", "System"), "value": system},
        {"name": "unit", "label": Text("运维单位", "Maintained by"), "value": unit},
    )
    view = replace(build_history_view(shown), notes=_STATED if periods else ())
    if not asked.get("as"):
        view = filled(view)
    return visit.views(Text("运维单位沿革", "Who maintained what"), view, paging=paging, filters=filters)


@router.get("/takeovers/{handover_id}")
def takeover(visit: Reading, handover_id: str) -> Response:
    return show_takeover(visit, workflow.get_takeover(visit.session, handover_id))


def show_takeover(visit: Visit, found: Takeover) -> Response:
    """With the reasons why what was asked for did not happen."""
    handover, session = found.handover, visit.session
    data = takeover_data.build_data(session, handover, takeover_data.data_items(found.checklist))
    title = Text("{s} 的运维接管", "Takeover of {s}").format(s=handover.system_id)
    view, signed = (
        build_checklist_view(handover, found.checklist, found.standings, found.status),
        workflow.sign_offs(found),
    )
    open_yet = found.status != "operating"
    asked, others = _parts(view, _lines(found))
    proofs = (build_proofs_view(handover.proofs), build_proof_facts_view(handover.proofs), build_access_view(handover))
    return visit.page(
        "takeover.html.j2", title, status=409 if found.obstacles else 200, found=found, handover=handover, facts=_facts(found),
        seen=_seen(handover), asked=asked, others=others, giving=open_yet and visit.may("give_papers"),
        receiving=open_yet and visit.may("receive_papers"),
        checklist=replace(view, title=Text("接管清单", "Checklist"), notes=view.notes[1:]),
        todo=_todo(build_todo_view(workflow.todos(session, found))), role_names=ACCOUNT_ROLE_NAMES,
        roles=[role for role in _signing_roles(visit) if open_yet and role not in signed],
        views=[filled(shown) for shown in proofs if shown.rows],
        data=filled(build_data_view(data, found.checklist, workflow.today(session)), without=("item_id",)),
        signatures=build_sign_view(handover, signed),
    )  # fmt: skip


def _facts(found: Takeover) -> list[tuple[Text, Cell]]:
    """Where it stands, at a glance; what is not there is left out."""
    handover = found.handover
    required = [s for s in found.standings.values() if s.required]
    done = Text("{d} / {n} 项", "{d} of {n}").format(d=sum(s.done for s in required), n=len(required))
    told: list[tuple[Text, Cell]] = [
        (Text("状态", "State"), STATE_NAMES[found.status]),
        (Text("必需资料已完成", "Required items done"), done),
        (Text("等级", "Level"), LEVEL_NAMES[handover.level]),
        (Text("来源", "Where it runs"), ORIGIN_NAMES[handover.origin]),
        (Text("接管单位", "Taken over by"), handover.builder),
        (Text("主机", "Hosts"), handover.hosts),
        (Text("编号", "Number"), handover.handover_id),
    ]
    return [(label, value) for label, value in told if value]


def _parts(view: View, lines: list[Line]) -> tuple[Part, Part]:
    """What is asked for or was given; and what this takeover can do without."""
    view = replace(view, columns=tuple(c for c in view.columns if c.key != "item_id"))
    rows = list(zip(view.rows, lines, strict=True))

    def part(wanted: bool) -> Part:
        chosen = [(row, line) for row, line in rows if (line.standing.required or line.given) is wanted]
        return Part(view=filled(replace(view, rows=tuple(r for r, _ in chosen))), lines=[line for _, line in chosen])

    return part(True), part(False)


def _todo(view: View) -> View:
    """Proofs and changes of keys take private keys and stay commands; the rest are forms of this page."""
    rows = tuple(
        {**row, "command": row["command"] if _BY_COMMAND.match(str(row["command"])) else None} for row in view.rows
    )
    return filled(replace(view, rows=rows), without=("item_id",))


def _lines(found: Takeover) -> list[Line]:
    lines = []
    for item in (item for group in found.checklist.groups for item in group.items):
        standing = found.standings[item.item_id]
        paper = standing.paper
        takes = paper is not None or standing.acceptance is not None or item.source == "data"
        lines.append(Line(
            item_id=item.item_id, title=item.title, standing=standing, choosable=takes, sha256=paper.sha256 if paper else None
        ))  # fmt: skip
    return lines


def _signing_roles(visit: Visit) -> list[Role]:
    roles = visit.acting.roles
    return [role for role in get_args(Role) if visit.may("sign") and (roles is None or role in roles)]


def _seen(handover: Handover) -> str:
    """Of the state that a page shows: what is signed is what the signer looked at."""
    return hashlib.sha256(repr(handover).encode()).hexdigest()


def _done(visit: Visit, found: Takeover, done: Text) -> Response:
    return show_takeover(visit, found) if found.obstacles else visit.back_to(f"/takeovers/{found.handover.handover_id}", done)  # fmt: skip


def _left(done: Text, found: Takeover) -> Text:
    return Text("{done}；还有 {n} 项必需未完成", "{done}; {n} required items are open").format(
        done=done, n=len(found.open)
    )


@router.post("/takeovers/{handover_id}/evidence")
def evidence(
    visit: Giving, handover_id: str, item: Annotated[str, Form()], file: Annotated[UploadFile | None, File()] = None,
    note: Reason = "", not_applicable: Annotated[bool, Form()] = False,
) -> Response:  # fmt: skip
    given, said = file if file is not None and file.filename else None, note.strip() or None
    if (given is not None and not_applicable) or (given is None and said is None):
        raise UsageError(
            Text("给出文件或说明；“不适用”只写理由", "Give a file or a note; what does not apply has a reason only"),
            where=item,
        )
    if given is None:
        found = takeover_papers.add_evidence(visit.session, handover_id, item, note=said, not_applicable=not_applicable)
    else:
        with uploaded(given) as path:
            found = takeover_papers.add_evidence(visit.session, handover_id, item, file=path, note=said)
    return _done(visit, found, _left(Text("已收：{item}", "Taken: {item}").format(item=_titles(found, [item])), found))


@router.post("/takeovers/{handover_id}/accept")
def accept(visit: Receiving, handover_id: str, items: Items) -> Response:
    _demand(handover_id, items)
    found = takeover_papers.accept(visit.session, handover_id, items)
    done = Text("已接收：{items}", "Accepted: {items}").format(items=_titles(found, items))
    return _done(visit, found, _left(done, found))


@router.post("/takeovers/{handover_id}/refuse")
def refuse(visit: Receiving, handover_id: str, items: Items, reason: Reason = "") -> Response:
    _demand(handover_id, items)
    if not reason.strip():
        raise UsageError(Text("写明退回的理由", "Say why they are sent back"), where=handover_id)
    found = takeover_papers.refuse(visit.session, handover_id, items, reason.strip())
    return _done(visit, found, Text("已退回：{items}", "Sent back: {items}").format(items=_titles(found, items)))


def _titles(found: Takeover, items: list[str]) -> Text:
    known = [found.checklist.item(name) for name in items]
    return listed(item.title for item in known if item is not None)


def _demand(handover_id: str, items: list[str]) -> None:
    if not items:
        raise UsageError(Text("先在清单中勾选", "Tick items of the checklist first"), where=handover_id)


@router.post("/takeovers/{handover_id}/sign")
def sign(visit: Signing, handover_id: str, role: Annotated[Role, Form()], seen: Annotated[str, Form()]) -> Response:
    now = workflow.get_takeover(visit.session, handover_id)
    if seen != _seen(now.handover):
        changed = Text(
            "内容已有变化，未签字；请看过后再签", "It has changed since; not signed. Look at it again, then sign"
        )
        return show_takeover(visit, replace(now, obstacles=(changed,)))  # fmt: skip
    found = workflow.sign(visit.session, handover_id, role)
    done = (
        Text("双方已签字，接管完成", "Both have signed: taken over")
        if found.status == "operating"
        else Text("已签字，等待另一方", "Signed; waiting for the other party")
    )
    return _done(visit, found, done)


@router.post("/takeovers/{handover_id}/package")
def package(visit: Exporting, handover_id: str) -> Response:
    return give_package(visit.session, handover_id)
