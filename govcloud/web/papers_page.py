"""Papers to download: of the estate, the month, a wave, a run, a takeover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from govcloud.errors import InputError
from govcloud.model.text import Text, same
from govcloud.report.plan_words import day_text
from govcloud.web.door import DoorFirst, enter
from govcloud.web.downloads import give_paper, paper_kinds
from govcloud.web.visit import Visit
from govcloud.workflow.kept import kept
from govcloud.workflow.lists import system_heads
from govcloud.workflow.office import today
from govcloud.workflow.paper_kind import Scope
from govcloud.workflow.plan import latest_plan
from govcloud.workflow.run_status import list_states
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import list_takeovers

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Exporting = Annotated[Visit, Depends(enter("export"))]
Chosen = Annotated[str, Form(max_length=200)]
Option = tuple[str, Text]
FORMS: tuple[Option, ...] = (
    ("docx", Text("Word 文档（.docx）", "Word (.docx)")),
    ("xlsx", Text("表格（.xlsx）", "Workbook (.xlsx)")),
    ("html", Text("网页（.html）", "Page (.html)")),
)
_SYSTEMS = 2
_NEWEST = 200
"""So many runs and takeovers can be chosen here; the others' own pages lead to their papers."""


@router.get("/papers")
def papers(visit: Exporting, wave: str = "", run: str = "", takeover: str = "") -> Response:
    """The parameters are chosen beforehand: other pages lead here."""
    kinds: dict[str, list[Option]] = {}
    for kind in paper_kinds().values():
        kinds.setdefault(kind.about, []).append((kind.kind_id, kind.title))
    session = visit.session
    waves = kept(session, "waves of the newest plan", _waves, kinds=("plan",)).value
    runs = [(r.run_id, _named(r.run_id, r.systems)) for r, _ in list_states(session, limit=_NEWEST)]
    takeovers = kept(session, "takeovers begun", _takeovers, kinds=("handover", "signoff")).value
    day = today(session)
    return visit.page(
        "papers.html.j2", Text("文书", "Papers"), kinds=kinds, forms=FORMS, month=f"{day:%Y-%m}",
        departments=sorted({h.department for h in system_heads(session).all if h.department}),
        subjects={"wave": _first(waves, wave), "run": _first(runs, run), "takeover": _first(takeovers[:_NEWEST], takeover)},
        chosen={"wave": wave, "run": run, "takeover": takeover},
    )  # fmt: skip


def _first(known: Iterable[Option], wanted: str) -> list[Option]:
    """With the one that was asked for, which may be older than those that are listed."""
    found = list(known)
    named = wanted[:200]
    return found if not named or named in dict(found) else [(named, same(named)), *found]


def _waves(session: Session) -> list[Option]:
    plan, zone = latest_plan(session), ZoneInfo(session.workspace.settings.timezone)
    return [
        (str(wave.number), Text("第 {n} 批　{d}", "Wave {n} · {d}").format(n=wave.number, d=day_text(wave.window.starts_at, zone)))
        for wave in (plan.waves if plan else ())
    ]  # fmt: skip


def _takeovers(session: Session) -> list[Option]:
    """Of which there is more than a decision, the newest first."""
    # Papers take libraries that the start of the server need not wait for.
    from govcloud.workflow.papers import NOT_BEGUN

    begun = [t.handover for t in list_takeovers(session) if t.status not in NOT_BEGUN]
    return [(h.handover_id, _named(h.handover_id, [h.system_id])) for h in reversed(begun)]


def _named(name: str, systems: Sequence[str]) -> Text:
    more = (
        Text("", "")
        if len(systems) <= _SYSTEMS
        else Text(" 等 {n} 个系统", " and others, {n} systems in all").format(n=len(systems))
    )
    return Text("{i} · {s}{m}", "{i} · {s}{m}").format(i=name, s=", ".join(systems[:_SYSTEMS]), m=more)


@router.post("/papers")
def paper(
    visit: Exporting, kind: Chosen, form: Chosen = "docx", wave: Annotated[int | None, Form(ge=1)] = None, run: Chosen = "",
    system: Chosen = "", takeover: Chosen = "", department: Chosen = "", month: Chosen = "",
) -> Response:  # fmt: skip
    """A form and not a link: the ledger keeps the digest of what was given away."""
    scope = Scope(
        wave=wave, run_id=run.strip() or None, system_id=system.strip() or None, handover_id=takeover.strip() or None,
        department=department.strip() or None, month=_month(month),
    )  # fmt: skip
    return give_paper(visit.session, kind, scope, form)


def _month(text: str) -> date | None:
    """Browsers without a field for months send what was typed."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(f"{text.strip()}-01")
    except ValueError:
        raise InputError(Text("月份写成 2026-01", "A month is written 2026-01"), where=text[:40]) from None
