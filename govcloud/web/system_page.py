"""One system's whole story on one page: what is known and from where, what is wrong, when it moves, where it is, what comes next."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from govcloud.errors import UsageError
from govcloud.model.text import Text
from govcloud.report.handover import build_list_view, build_todo_view
from govcloud.report.inventory import build_dependency_page, build_network_page, build_server_page
from govcloud.report.inventory_subject import build_subject_views
from govcloud.report.projects import build_projects_view
from govcloud.report.request import build_requests_view
from govcloud.report.story import build_standing_view, build_system_findings_view, build_system_runs_view
from govcloud.report.timeline import build_log_view
from govcloud.report.view import View
from govcloud.report.waivers import build_waivers_view
from govcloud.web.door import DoorFirst, Reading
from govcloud.web.estate_pages import KNOWN
from govcloud.web.visit import Visit
from govcloud.workflow.office import today
from govcloud.workflow.system_story import SystemStory, read_story
from govcloud.workflow.timeline import Timeline, Wanted, read_timeline, record_titles

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
_RECORDS = 20


@router.get("/systems/{system_id}")
def system(visit: Reading, system_id: str) -> Response:
    story = read_story(visit.session, system_id)
    if story is None:
        raise HTTPException(404)
    timeline = _timeline(visit, system_id)
    log = build_log_view(timeline.records, record_titles(visit.session), earlier=timeline.earlier)
    facts, *behind = build_subject_views(story.answer, why=True, history=True)
    shown = _views(story, replace(facts, title=KNOWN))
    if story.waivers:
        shown.append(build_waivers_view(list(story.waivers), today(visit.session)))
    if visit.request.query_params.get("as"):
        return visit.views(_title(story), *shown, *behind, log)
    return visit.page(
        "system.html.j2", _title(story), story=story, standing=_standing(story), shown=shown, behind=behind,
        log=replace(log, notes=()), earlier=timeline.earlier, system_id=system_id,
    )  # fmt: skip


def _timeline(visit: Visit, system_id: str) -> Timeline:
    try:
        return read_timeline(visit.session, Wanted(system=system_id), limit=_RECORDS)
    except UsageError:
        # The inventory knows it, but no record names it yet.
        return Timeline(records=(), canonical=())


def _title(story: SystemStory) -> Text:
    return Text("{i} {n}", "{i} {n}").format(i=story.answer.subject_id, n=story.answer.entity.name)


def _standing(story: SystemStory) -> View:
    place = story.place
    taken = build_list_view([(t.handover, t.status, len(t.open)) for t in story.takeovers[:1]])
    state = taken.rows[0]["status"] if taken.rows else None
    return build_standing_view(
        story.answer.entity, wave=place.wave if place else None, unplaced=place.unplaced if place else None,
        run=story.runs[0] if story.runs else None, takeover=state if isinstance(state, Text) else None,
        failing=len(story.failing),
        undetermined=sum(f.verdict == "undetermined" and f.standing == "binding" for f in story.findings),
    )  # fmt: skip


def _views(story: SystemStory, facts: View) -> list[View]:
    """Those with something to tell, in the order of the road."""
    views = (
        facts,
        build_server_page(story.servers),
        build_network_page(story.networks),
        build_dependency_page(story.dependencies),
        build_system_findings_view(story.findings),
        build_requests_view(story.requests),
        build_system_runs_view(story.runs),
        build_list_view([(t.handover, t.status, len(t.open)) for t in story.takeovers]),
        build_todo_view(story.todos),
        build_projects_view(story.projects),
    )
    # Their notes count the rows, or tell of options of the command line.
    return [replace(view, notes=()) for view in views if view.rows]
