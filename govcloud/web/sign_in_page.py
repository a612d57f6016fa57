"""Signing in and out, and the choice of language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from govcloud.model.text import Text
from govcloud.web.door import ANYBODY, COOKIE, LANGUAGE, enter, place_of, stranger
from govcloud.web.place import Place
from govcloud.web.security import same_origin
from govcloud.web.visit import Visit
from govcloud.workflow.accounts import acting_for, enabled_account, has_accounts
from govcloud.workflow.sign_in import Begun, begin, sign_in, sign_out

router = APIRouter(include_in_schema=False)
_TITLE = Text("登录", "Sign in")
_HOW = Text(
    "本工作区没有账号：请打开 govcloud serve 启动时在终端上给出的地址。要让多人使用，请先建立账号（govcloud accounts add）。",
    "This workspace keeps no accounts: open the address that govcloud serve printed on its terminal. For several people make accounts first (govcloud accounts add).",
)
_WRONG = Text("账号或口令不对，或账号不可用", "Account or password is wrong, or the account can't be used")
_YEAR_S = 365 * 24 * 3600


def _form(request: Request, why: Text | None = None, status: int = 200) -> Response:
    visit = stranger(request)
    accounts = has_accounts(visit.place.session)
    return visit.page("sign_in.html.j2", _TITLE, status=status, why=why, accounts=accounts, how=_HOW)


@router.get("/sign-in")
def show_form(request: Request) -> Response:
    return _form(request)


@router.post("/sign-in")
def take_form(request: Request, login: Annotated[str, Form()], password: Annotated[str, Form()]) -> Response:
    place = place_of(request)
    if not same_origin(request.headers, secure=place.secure):
        return _form(request, _WRONG, 403)
    if not place.attempts.allows(request.client.host if request.client else ""):
        return _form(request, Text("尝试过于频繁，请稍后再试", "Too many attempts; try again later"), 429)
    begun = sign_in(place.session, login, password)
    return _form(request, _WRONG, 401) if begun is None else entered(place, begun)


@router.get("/local")
def by_local_key(request: Request, key: str = "") -> Response:
    """The address on the server's terminal; good once, and only while there are no accounts."""
    place = place_of(request)
    usable = place.local_key is not None and not has_accounts(place.session)
    if not usable or place.local_key is None or not place.local_key.use(key):
        return _form(request, Text("这个地址已用过或不对", "This address was used before, or is wrong"), 403)
    return entered(place, begin(place.session, None))


def entered(place: Place, begun: Begun, path: str | None = None) -> Response:
    """To `path`, by default the first page that he may look at."""
    account = enabled_account(place.session, begun.session.login) if begun.session.login else None
    keeps_accounts = account is not None and acting_for(account, "read", "account") is None
    answer = RedirectResponse(path or ("/accounts" if keeps_accounts else "/"), status_code=303)
    answer.set_cookie(COOKIE, begun.cookie, httponly=True, samesite="strict", secure=place.secure, path="/")
    return answer


@router.post("/sign-out")
def leave(visit: Annotated[Visit, Depends(enter(*ANYBODY))]) -> Response:
    sign_out(visit.place.session, visit.request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@router.post("/language")
def choose_language(request: Request, lang: Annotated[str, Form()], path: Annotated[str, Form()] = "/") -> Response:
    """Changes nothing but a cookie, so it needs no one to be signed in."""
    place = place_of(request)
    if lang not in ("zh", "en") or not same_origin(request.headers, secure=place.secure):
        return PlainTextResponse("zh / en\n", 400)
    answer = RedirectResponse(_own_path(path), status_code=303)
    answer.set_cookie(LANGUAGE, lang, max_age=_YEAR_S, httponly=True, samesite="strict", secure=place.secure, path="/")
    return answer


def _own_path(path: str) -> str:
    """A path of this server: what begins with two slashes or a backslash would be another host's."""
    own = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isascii() and path.isprintable()
    return path if own else "/"
