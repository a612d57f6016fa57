"""The application: routes, the doors before them, and answers to everything that can go wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from govcloud import __version__
from govcloud.errors import GovcloudError, InputError, NotAllowed, OutsideError, UsageError
from govcloud.model.account import Action
from govcloud.model.text import Text
from govcloud.web import (
    account_pages,
    api,
    approval_pages,
    catalog_pages,
    estate_pages,
    finding_pages,
    ledger_pages,
    machine_pages,
    network_pages,
    overview_page,
    papers_page,
    pin_pages,
    plan_pages,
    problems,
    project_pages,
    run_order_pages,
    run_pages,
    sign_in_page,
    system_page,
    takeover_decide_pages,
    takeover_pages,
)
from govcloud.web.api_shape import ROOT
from govcloud.web.door import DoorFirst, Forged, NotSignedIn, OwnPasswordFirst, door_of, stranger
from govcloud.web.files import hide_folder
from govcloud.web.place import Place, place_of
from govcloud.web.security import HEADERS, Gatekeeper
from govcloud.web.visit import Visit

ROUTERS = (
    sign_in_page.router,
    overview_page.router,
    estate_pages.router,
    system_page.router,
    network_pages.router,
    finding_pages.router,
    catalog_pages.router,
    pin_pages.router,
    plan_pages.router,
    run_pages.router,
    run_order_pages.router,
    machine_pages.router,
    approval_pages.router,
    takeover_decide_pages.router,
    takeover_pages.router,
    project_pages.router,
    papers_page.router,
    ledger_pages.router,
    account_pages.router,
    *api.ROUTERS,
)
OPEN = frozenset({"/sign-in", "/sign-in/oidc", "/sign-in/oidc/back", "/local", "/language"})
"""Routes that nobody needs to be signed in for."""
_STATUS = ((NotAllowed, 403), (Forged, 403), (UsageError, 400), (InputError, 422), (OutsideError, 503))


def create_app(place: Place) -> FastAPI:
    """Raises RuntimeError for a route without a door: a defect of ours, found before anything is served."""
    app = FastAPI(title="govcloud", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.place = place
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    for router in ROUTERS:
        app.include_router(router)
    if without := [
        r.path for r in routes() if not isinstance(r, DoorFirst) or (r.path not in OPEN and not actions_of(r))
    ]:
        raise RuntimeError(f"routes without a door: {without}")
    app.add_middleware(Gatekeeper, place=place)
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(OwnPasswordFirst, _own_password_first)
    app.add_exception_handler(GovcloudError, _expected)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)
    return app


def routes() -> list[APIRoute]:
    """All pages and operations."""
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def actions_of(route: APIRoute) -> tuple[Action, ...]:
    """The actions whose door stands before the route; empty for one without a door."""
    door = door_of(route.dependant)
    return door.actions if door else ()


def _is_api(request: Request) -> bool:
    return request.url.path == ROOT or request.url.path.startswith(f"{ROOT}/")


async def _not_signed_in(request: Request, _error: Exception) -> Response:
    if _is_api(request):
        return problems.not_signed_in(request)
    return RedirectResponse("/sign-in", status_code=303)


async def _own_password_first(request: Request, _error: Exception) -> Response:
    if _is_api(request):
        return problems.problem(
            request, 403, Text("口令由他人设置，须先改为自己的", "Somebody else set the password: set your own first")
        )
    return RedirectResponse("/me", status_code=303)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, GovcloudError)  # noqa: S101 - registered for it alone
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    hide_folder(error, place_of(request).session.workspace.path)
    if _is_api(request):
        return problems.refused(request, error, status)
    where = error.where.to(stranger(request).lang)
    what = Text(f"{where}：{error.what.zh}", f"{where}: {error.what.en}") if where else error.what
    return _problem(request, status, what, error.next_step)


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    names = ", ".join(sorted({".".join(str(part) for part in e["loc"][1:]) for e in error.errors()}))
    return _problem(request, 422, Text("字段不合要求：{f}", "Not valid: {f}").format(f=names))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    what = {
        404: Text("没有这个页面", "There is no such page"),
        405: Text("这个页面不接受这种请求", "The page does not take this kind of request"),
        413: Text("内容过大，未接收", "It is too large and was not taken"),
    }.get(error.status_code, Text("请求未能完成", "The request could not be answered"))
    return _problem(request, error.status_code, what, headers=error.headers)


async def _defect(request: Request, _error: Exception) -> Response:
    """The traceback is in the server's log, not on the page."""
    what = Text(
        "这是 govcloud 自身的缺陷，详情见服务日志", "This is a defect of govcloud itself; the server's log says more"
    )
    answer = _problem(request, 500, what, Text("请报告给维护者", "Please report it to the maintainers"))
    answer.headers.update(HEADERS)  # nothing of ours stands around this one
    return answer


def _problem(
    request: Request, status: int, what: Text, next_step: Text | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    if _is_api(request):
        return problems.problem(request, status, what, headers=headers)
    visit: Visit = getattr(request.state, "visit", None) or stranger(request)
    title = Text("不能完成", "That did not work")
    return visit.page("problem.html.j2", title, status=status, what=what, next_step=next_step)
