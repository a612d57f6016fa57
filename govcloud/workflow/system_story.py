"""One system from the first observation to the signature: everything that the workspace knows of it, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from govcloud.compliance.waivers import apply_waivers
from govcloud.model.answers import Page, SubjectAnswer
from govcloud.model.handover import Todo
from govcloud.model.inventory import Project
from govcloud.model.plan import MigrationPlan, Move, Unplaced, Wave
from govcloud.model.regulation import Finding
from govcloud.model.request import RequestCheck
from govcloud.model.run import ENDED, MOVED, Run, RunSystem
from govcloud.model.story import NextStep
from govcloud.model.text import Text
from govcloud.model.waiver import Waiver
from govcloud.store import finding as finding_store
from govcloud.store import handover as handover_store
from govcloud.store import listing
from govcloud.store import request as request_store
from govcloud.store import run as run_store
from govcloud.store import waiver as waiver_store
from govcloud.workflow.inventory import explain_subject, page_of
from govcloud.workflow.kept import kept
from govcloud.workflow.lists import finding_heads
from govcloud.workflow.office import today
from govcloud.workflow.plan import latest_plan
from govcloud.workflow.session import Session
from govcloud.workflow.takeover import Takeover, checklist_of, show, todos


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Of a system in the newest plan."""

    plan_id: str
    wave: Wave | None = None
    move: Move | None = None
    unplaced: Unplaced | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStory:
    answer: SubjectAnswer
    servers: Page
    networks: Page
    dependencies: Page
    findings: tuple[Finding, ...]
    """What the last check left open, the most urgent first; also waived, undetermined and for reference."""
    waivers: tuple[tuple[Waiver, Finding], ...]
    requests: tuple[RequestCheck, ...]
    place: Place | None
    """None: there is no plan, or it does not know the system."""
    runs: tuple[tuple[Run, RunSystem], ...]
    """The newest first."""
    takeovers: tuple[Takeover, ...]
    """The newest first."""
    todos: tuple[Todo, ...]
    """Of the newest takeover that is not signed."""
    projects: tuple[Project, ...]

    @property
    def failing(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.verdict == "fail" and f.standing == "binding" and not f.waived)

    @property
    def next_steps(self) -> tuple[NextStep, ...]:
        """What its road waits for, the nearest first."""
        return tuple(_next(self))


def read_story(session: Session, system_id: str) -> SystemStory | None:
    """None where the inventory has no such system."""
    answer = explain_subject(session, "system", system_id)
    if answer is None:
        return None
    place = _place(newest_plan(session), system_id)
    heads = [h for h in finding_heads(session).all if h.subject_id == system_id]
    with session.store.read() as tx:
        waivers = waiver_store.list_waivers(tx, [h.finding_id for h in heads])
        stored = finding_store.load_findings(tx, [h.finding_id for h in heads])
        findings = apply_waivers(list(stored.values()), waivers, today(session))
        checklist = checklist_of(session)
        takeovers = [show(session, checklist, h) for h in handover_store.handovers_of(tx, system_id)][::-1]
        projects = listing.load_entities(tx, "project", handover_store.projects_of(tx, system_id))
        return SystemStory(
            answer=answer, servers=_entities(session, tx, "server", answer.entity.servers, system_id),
            networks=_entities(session, tx, "network", answer.entity.networks, system_id),
            dependencies=_dependencies(tx, system_id),
            findings=tuple(sorted(findings, key=lambda f: (_RANK[f.severity], f.finding_id))),
            waivers=tuple((w, stored[w.finding_id]) for w in waivers),
            requests=request_store.requests_of(tx, system_id), place=place, runs=_runs(tx, system_id),
            takeovers=tuple(takeovers), projects=tuple(p.entity for p in projects),
            todos=todos(session, takeovers[0]) if takeovers and takeovers[0].status != "operating" else (),
        )  # fmt: skip


_RANK = {"high": 0, "medium": 1, "low": 2, "info": 3}


def newest_plan(session: Session) -> MigrationPlan | None:
    """As the dashboard shows it again and again: a plan of 10,000 systems takes a second to decode."""
    return kept(session, "plan", latest_plan, kinds=("plan",)).value


def _place(plan: MigrationPlan | None, system_id: str) -> Place | None:
    if plan is None:
        return None
    wave = plan.wave_of(system_id)
    if wave is not None:
        move = next(m for m in wave.moves if m.system_id == system_id)
        return Place(plan_id=plan.plan_id, wave=wave, move=move)
    unplaced = next((u for u in plan.unplaced if u.system_id == system_id), None)
    known = unplaced or any(system_id in g.system_ids for g in plan.problem.groups)
    return Place(plan_id=plan.plan_id, unplaced=unplaced) if known else None


def _entities(session: Session, tx: Connection, kind: Any, ids: Sequence[str], system_id: str) -> Page:
    found = [e.entity for e in listing.load_entities(tx, kind, ids)]
    counts = {
        "departments": 0,
        "seen": sum(1 for s in found if getattr(s, "seen", None)),
        "undeclared": sum(1 for s in found if getattr(s, "declared", None) is False),
    }
    return page_of(session, tx, kind, found, len(found), dict.fromkeys(ids, (system_id,)), counts)


def _dependencies(tx: Connection, system_id: str) -> Page:
    found = listing.dependencies_of(tx, system_id)
    stored = listing.load_entities(tx, "dependency", [d.dependency_id for d in found])
    return Page(
        entities=tuple(found), total=len(found),
        labels=listing.load_labels(tx, {end for d in found for end in (d.source_id, d.target_id)}),
        beside={e.entity_id: ("declared",) for e in stored if "source_id" in e.evidence},
    )  # fmt: skip


def _runs(tx: Connection, system_id: str) -> tuple[tuple[Run, RunSystem], ...]:
    found = []
    for run_id in run_store.runs_of(tx, [system_id]):
        run, row = run_store.load_run(tx, run_id), run_store.load_run_system(tx, run_id, system_id)
        if run is not None and row is not None:
            found.append((run, row))
    return tuple(sorted(found, key=lambda pair: (pair[0].created_at, pair[0].run_id), reverse=True))


def _next(story: SystemStory) -> Iterator[NextStep]:
    system_id = story.answer.subject_id
    run = story.runs[0] if story.runs else None
    if run is not None and run[1].state not in ENDED | MOVED:
        wait = run[1].wait
        what = wait.text if wait else Text("迁移正在执行", "The migration is under way")
        yield NextStep(what=what, path=f"/runs/{run[0].run_id}")
    moved = story.answer.entity.hosting == "gov_cloud" or (run is not None and run[1].state in MOVED)
    yield from _takeover_steps(story, system_id, moved=moved)
    if not moved and (run is None or run[1].state in ENDED):
        yield from _plan_steps(story, system_id)
    if story.failing:
        what = Text("处理未关闭的合规问题 {n} 项，或申请豁免", "{n} open findings: put them right, or ask for a waiver")
        yield NextStep(what=what.format(n=len(story.failing)), path="#findings")
    disputed = sum(bool(f.against) and f.decision not in ("person", "run") for f in story.answer.fields)
    if disputed:
        what = Text("核实说法不一的字段 {n} 个", "{n} fields are in dispute: find out what holds")
        yield NextStep(what=what.format(n=disputed), path="#witnesses")


def _takeover_steps(story: SystemStory, system_id: str, *, moved: bool) -> Iterator[NextStep]:
    if story.todos:
        first, takeover = story.todos[0], story.takeovers[0].handover.handover_id
        yield NextStep(what=first.what, path=f"/takeovers/{takeover}", command=first.command)
    elif moved and not story.takeovers:
        yield NextStep(
            what=Text("已在政务云，还没有启动运维接管", "It is on the government cloud; its takeover has not begun"),
            command=f"govcloud takeover start {system_id}",
        )


def _plan_steps(story: SystemStory, system_id: str) -> Iterator[NextStep]:
    place = story.place
    if place is None:
        yield NextStep(
            what=Text("迁移计划里没有这个系统", "No plan has the system"), command="govcloud plan build", path="/plan"
        )
    elif place.unplaced is not None:
        yield NextStep(
            what=Text("未能排入计划：{r}", "Not placed: {r}").format(r=place.unplaced.reason), path=f"/plan/systems/{system_id}"
        )  # fmt: skip
    elif place.wave is not None:
        yield NextStep(
            what=Text("已排入第 {n} 批，还没有执行", "It is in wave {n}, which was not run yet").format(n=place.wave.number),
            path=f"/plan/systems/{system_id}", command=f"govcloud run start --wave {place.wave.number}",
        )  # fmt: skip
