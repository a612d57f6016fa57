"""All kinds of papers, and those that a scope asks for: one of the estate, or one for each wave, run or takeover."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from govcloud.errors import UsageError
from govcloud.model.handover import TakeoverState
from govcloud.model.text import Text
from govcloud.report.document import Document
from govcloud.workflow.office import today
from govcloud.workflow.paper_kind import Kind, Scope
from govcloud.workflow.papers_estate import ESTATE_KINDS
from govcloud.workflow.papers_waves import WAVE_KINDS
from govcloud.workflow.plan import latest_plan
from govcloud.workflow.run_status import list_states
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import list_takeovers
from govcloud.workflow.takeover_form import build_form


def _handover_form(session: Session, scope: Scope) -> Document | Text:
    if scope.handover_id is None:
        return Text(
            "还没有系统进入运维接管。运行 govcloud takeover start。",
            "No system is being taken over yet. Run govcloud takeover start.",
        )
    return build_form(session, scope.handover_id)


KINDS: tuple[Kind, ...] = (
    *ESTATE_KINDS, *WAVE_KINDS,
    Kind(kind_id="handover-form", title=Text("移交确认单", "Confirmation of the takeover"), about="takeover", build=_handover_form),
)  # fmt: skip
BY_DEPARTMENT: tuple[str, ...] = tuple(kind.kind_id for kind in KINDS if kind.by_department)
NOT_BEGUN: frozenset[TakeoverState] = frozenset({"to_assess", "planned", "deferred", "not_applicable"})
"""Takeovers of which there is a decision, but nothing handed over."""
_UNFIT = re.compile(r"[^\w.-]+")
"""Of names of files; letters of every script are fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    kind: Kind
    scope: Scope
    document: Document

    @property
    def stem(self) -> str:
        """Of the file's name: the kind, and what the paper is about."""
        scope = self.scope
        about = {
            "estate": scope.department, "month": f"{scope.month:%Y-%m}" if scope.month else None,
            "wave": None if scope.wave is None else str(scope.wave), "run": scope.run_id, "takeover": scope.handover_id,
        }[self.kind.about]  # fmt: skip
        one = scope.system_id if self.kind.about == "run" else None
        return "-".join([self.kind.kind_id, *(_UNFIT.sub("_", part) for part in (about, one) if part)])


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPaper:
    kind: Kind
    why: Text
    """And which command changes that."""


def build_papers(session: Session, kinds: Sequence[Kind], scope: Scope) -> tuple[Sequence[Paper], Sequence[NoPaper]]:
    """The papers, and the kinds of which there is none.

    Raises UsageError for a run or takeover that is not there, and for a department where a kind is not by department.
    """
    if scope.department and (whole := [kind.kind_id for kind in kinds if not kind.by_department]):
        raise UsageError(
            Text("这些文书不分部门", "These papers are not by department"), where=f"--department: {', '.join(whole)}",
            next_step=Text("可分部门的：{k}", "These are: {k}").format(k=", ".join(BY_DEPARTMENT)),
        )  # fmt: skip
    made: list[Paper] = []
    missing: list[NoPaper] = []
    for kind in kinds:
        build = kind.builder(session)
        built = [(about, build(about)) for about in _scopes(session, kind, scope)]
        papers = [Paper(kind=kind, scope=about, document=d) for about, d in built if isinstance(d, Document)]
        made += papers
        if not papers:
            missing += [NoPaper(kind=kind, why=why) for _, why in built[:1] if isinstance(why, Text)]
    return made, missing


def general_kinds(scope: Scope) -> list[Kind]:
    """Those that are written when none is named: of the estate and the month, and only what can be of the department."""
    general = [kind for kind in KINDS if kind.about in ("estate", "month")]
    return [kind for kind in general if kind.by_department or not scope.department]


def _scopes(session: Session, kind: Kind, scope: Scope) -> list[Scope]:
    """One for each paper; where nothing of the kind is there the scope as it was given, for the kind to say what to do."""
    found: list[Scope] = []
    if kind.about == "month" and scope.month is None:
        found = [replace(scope, month=today(session).replace(day=1))]
    elif kind.about == "wave" and scope.wave is None:
        plan = latest_plan(session)
        found = [replace(scope, wave=wave.number) for wave in (plan.waves if plan else ())]
    elif kind.about == "run" and scope.run_id is None:
        found = [replace(scope, run_id=run.run_id) for run, _ in list_states(session)]
    elif kind.about == "takeover" and scope.handover_id is None:
        begun = (t.handover for t in list_takeovers(session) if t.status not in NOT_BEGUN)
        found = [replace(scope, handover_id=handover.handover_id) for handover in begun]
    return found or [scope]
