"""Who comes in: every page and every operation names its action, and the table of roles decides."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, get_args

from fastapi import Depends
from fastapi.dependencies.models import Dependant
from fastapi.params import File
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from govcloud.errors import GovcloudError, NotAllowed
from govcloud.model.account import Acting, Action
from govcloud.model.text import Text
from govcloud.web.place import language_of, place_of
from govcloud.web.security import MAX_FORM, MAX_STRANGER, MAX_UPLOAD, bounded, same_origin
from govcloud.web.visit import Visit
from govcloud.workflow.accounts import admit, by_token
from govcloud.workflow.sign_in import signed_in

ANYBODY: tuple[Action, ...] = get_args(Action)
"""Whoever is signed in."""
COOKIE = "govcloud"
_SAFE = ("GET", "HEAD")


class NotSignedIn(Exception):
    """Pages lead to the sign-in, the JSON interface answers 401."""


class OwnPasswordFirst(Exception):
    """Somebody else set his password: pages lead to the one where he sets his own."""


class Forged(GovcloudError):
    """A changing request that does not come from one of our own forms."""

    exit_code = 2


def stranger(request: Request) -> Visit:
    """Somebody who has not shown who he is: sees the sign-in and refusals, nothing else."""
    place = place_of(request)
    session = place.session_for(Acting(name="", roles=frozenset()), language_of(request))
    return Visit(request=request, place=place, session=session, csrf="", signed_in=False)


class Door:
    """A dependency that lets in who may do any of the actions."""

    def __init__(self, actions: tuple[Action, ...], *, sets_password: bool) -> None:
        self.actions = actions
        self._sets_password = sets_password

    async def admit(self, request: Request) -> None:
        """Without a look at the body. Raises NotSignedIn, NotAllowed, OwnPasswordFirst."""
        token = _bearer(request)
        # The store is asked in a thread: a locked database must not stop everybody else's pages.
        request.state.visit = await run_in_threadpool(
            _by_token if token else _by_cookie, request, token, self.actions, self._sets_password
        )

    async def __call__(self, request: Request) -> Visit:
        visit: Visit = request.state.visit  # of DoorFirst; a refusal further on is shown on a page of his, too
        if request.method not in _SAFE and not _bearer(request):
            await _check_form(request, visit)
        return visit


def enter(*actions: Action, sets_password: bool = False) -> Door:
    """`sets_password`: it is where one sets one's own."""
    return Door(actions, sets_password=sets_password)


def door_of(dependant: Dependant) -> Door | None:
    return next((d.call for d in dependant.dependencies if isinstance(d.call, Door)), None)


class DoorFirst(APIRoute):
    """The door stands before the body: nothing that a stranger sends is read, and of what others send no more than the
    route has use for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, door = super().get_route_handler(), door_of(self.dependant)
        uploads = any(isinstance(field.field_info, File) for field in self.dependant.body_params)
        most = MAX_STRANGER if door is None else MAX_UPLOAD if uploads else MAX_FORM

        async def let_in(request: Request) -> Response:
            if door is not None:
                await door.admit(request)
            return await handle(Request(request.scope, bounded(request, most)))

        return let_in


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _by_token(request: Request, token: str, actions: tuple[Action, ...], _sets_password: bool) -> Visit:
    place, lang = place_of(request), language_of(request)
    account = by_token(place.session, token)
    if account is None:
        raise NotSignedIn
    acting = admit(place.session, account, actions, "token", request.url.path)
    return Visit(request=request, place=place, session=place.session_for(acting, lang), csrf="")


def _by_cookie(request: Request, _token: str, actions: tuple[Action, ...], sets_password: bool) -> Visit:
    place, lang = place_of(request), language_of(request)
    cookie = request.cookies.get(COOKIE, "")
    found = signed_in(place.session, cookie) if cookie else None
    if found is None:
        raise NotSignedIn
    account = found.account
    try:
        acting = admit(
            place.session, account, actions, found.session.identity, request.url.path, sets_password=sets_password
        )
    except NotAllowed:
        if account is not None and account.password_set_by not in ("", account.login) and request.method in _SAFE:
            raise OwnPasswordFirst from None
        raise
    return Visit(request=request, place=place, session=place.session_for(acting, lang), csrf=found.session.csrf)


def still_in(visit: Visit) -> bool:
    """Whether who follows a page is signed in yet; that a page lies open prolongs nothing."""
    session = visit.place.session
    if token := _bearer(visit.request):
        return by_token(session, token) is not None
    return signed_in(session, visit.request.cookies.get(COOKIE, ""), touch=False) is not None


async def _check_form(request: Request, visit: Visit) -> None:
    form = await request.form()
    given = request.headers.get("x-csrf-token") or form.get("csrf") or ""
    fits = isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), visit.csrf.encode())
    if not fits or not same_origin(request.headers, secure=visit.place.secure):
        raise Forged(
            Text("这一请求不是由本页的表单发出的，未执行", "The request did not come from a form of ours; nothing was done"),
            where=request.url.path,
            next_step=Text("重新打开页面后再提交", "Load the page again, then submit it"),
        )  # fmt: skip


Reading = Annotated[Visit, Depends(enter("read"))]
