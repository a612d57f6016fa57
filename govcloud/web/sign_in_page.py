"""Signing in and out, and the choice of language."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from govcloud.model.text import Text
from govcloud.web.door import ANYBODY, COOKIE, DoorFirst, enter, stranger
from govcloud.web.oidc import WITHIN, Provider, Refused
from govcloud.web.place import LANGUAGE, Place, place_of
from govcloud.web.security import same_origin
from govcloud.web.visit import Visit
from govcloud.workflow.accounts import acting_for, enabled_account, has_accounts
from govcloud.workflow.sign_in import Begun, begin, sign_in, sign_in_by_provider, sign_out, signed_in

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
_TITLE = Text("登录", "Sign in")
_HOW = Text(
    "本工作区没有账号：请打开 govcloud serve 启动时在终端上给出的地址。要让多人使用，请先建立账号（govcloud accounts add）。",
    "This workspace keeps no accounts: open the address that govcloud serve printed on its terminal. For several people make accounts first (govcloud accounts add).",
)
_WRONG = Text("账号或口令不对，或账号不可用", "Account or password is wrong, or the account can't be used")
_NOT_KNOWN = Text(
    "统一身份认证登录未成功：请重试，仍不成功请找系统管理员",
    "That sign-in did not work: try again, then ask an administrator",
)
_OFTEN = Text("尝试过于频繁，请稍后再试", "Too many attempts; try again later")
_OVER = Text("登录已失效，请重新登录", "Your session has ended; sign in again")
_OIDC, _OIDC_PATH = "govcloud_oidc", "/sign-in/oidc"
_log = logging.getLogger(__name__)
_YEAR_S = 365 * 24 * 3600


def _form(request: Request, why: Text | None = None, status: int = 200, *, login: str = "") -> Response:
    """`login`: as it was typed; the password is typed again."""
    visit = stranger(request)
    accounts = has_accounts(visit.place.session)
    return visit.page("sign_in.html.j2", _TITLE, status=status, why=why, accounts=accounts, how=_HOW, login=login[:64])


@router.get("/sign-in")
def show_form(request: Request) -> Response:
    cookie = request.cookies.get(COOKIE)
    over = cookie is not None and signed_in(place_of(request).session, cookie, touch=False) is None
    return _form(request, _OVER if over else None)


@router.post("/sign-in")
def take_form(request: Request, login: Annotated[str, Form()], password: Annotated[str, Form()]) -> Response:
    place = place_of(request)
    if not same_origin(request.headers, secure=place.secure):
        return _form(request, _WRONG, 403)
    if not place.attempts.allows(request.client.host if request.client else ""):
        return _too_often(request, login)
    begun = sign_in(place.session, login, password)
    return _form(request, _WRONG, 401, login=login) if begun is None else entered(place, begun)


def _too_often(request: Request, login: str = "") -> Response:
    answer = _form(request, _OFTEN, 429, login=login)
    answer.headers["Retry-After"] = str(place_of(request).attempts.pause_s)
    return answer


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
    return _keep(RedirectResponse(path or _first_page(place, begun), status_code=303), place, begun)


def _first_page(place: Place, begun: Begun) -> str:
    account = enabled_account(place.session, begun.session.login) if begun.session.login else None
    keeps_accounts = account is not None and acting_for(account, "read", "account") is None
    return "/accounts" if keeps_accounts else "/"


def _keep(answer: Response, place: Place, begun: Begun) -> Response:
    answer.set_cookie(COOKIE, begun.cookie, httponly=True, samesite="strict", secure=place.secure, path="/")
    return answer


@router.get(_OIDC_PATH)
def to_provider(request: Request) -> Response:
    place, provider = place_of(request), _provider(request)
    if not place.attempts.allows(request.client.host if request.client else ""):
        return _too_often(request)
    # By a name that the gatekeeper knows; which addresses may be led back to is kept by the provider, too.
    back = f"{'https' if place.secure else 'http'}://{request.headers['host']}{_OIDC_PATH}/back"
    try:
        browser, url = provider.start(back)
    except Refused as error:
        return _refused(request, error)
    answer = RedirectResponse(url, status_code=303)
    # Lax: the way back begins on the provider's page, and a strict cookie would stay behind. It opens nothing by itself.
    answer.set_cookie(_OIDC, browser, max_age=int(WITHIN.total_seconds()), httponly=True, samesite="lax",
                      secure=place.secure, path=_OIDC_PATH)  # fmt: skip
    return answer


@router.get(f"{_OIDC_PATH}/back")
def from_provider(request: Request) -> Response:
    place, provider = place_of(request), _provider(request)
    try:
        login = provider.finish(request.cookies.get(_OIDC, ""), request.query_params)
        begun = sign_in_by_provider(place.session, login)
        if begun is None:
            raise Refused(f"no enabled account has the login {login[:100]!a}")
    except Refused as error:
        answer = _refused(request, error)
    else:
        path = _first_page(place, begun)
        # A page, no redirect: the session's strict cookie is not sent while the chain that began elsewhere lasts.
        answer = _keep(stranger(request).page("signed_in.html.j2", _TITLE, path=path), place, begun)
        answer.headers["Refresh"] = f"0; url={path}"
    answer.delete_cookie(_OIDC, path=_OIDC_PATH)
    return answer


def _provider(request: Request) -> Provider:
    provider = place_of(request).oidc
    if provider is None:
        raise HTTPException(404)
    return provider


def _refused(request: Request, error: Refused) -> Response:
    _log.warning("sign-in by OpenID Connect refused: %s", error)
    return _form(request, _NOT_KNOWN, 401)


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
