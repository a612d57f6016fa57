"""What the JSON interface answers where nothing was done: problem details (RFC 9457), in the language that was asked for."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from govcloud.errors import GovcloudError, UsageError
from govcloud.model.text import Text
from govcloud.web.place import language_of

MEDIA = "application/problem+json"
TITLES: Mapping[int, Text] = {
    400: Text("请求读不出来", "The body can't be read"),
    401: Text("未登录", "Not signed in"),
    403: Text("无权限", "Not allowed"),
    404: Text("不存在", "There is no such thing"),
    405: Text("不接受这种请求", "Not this kind of request"),
    409: Text("现状不允许", "As things stand it can't be done"),
    413: Text("内容过大", "Too large"),
    415: Text("不接受这种内容", "Not this kind of content"),
    421: Text("不认识的主机名", "Unknown host name"),
    422: Text("请求不合要求", "The request is not valid"),
    429: Text("请求过于频繁", "Too many requests"),
    500: Text("govcloud 自身的缺陷", "A defect of govcloud itself"),
    503: Text("外部的主机或程序出错", "A host or program outside failed"),
}
NO_TOKEN = Text("没有令牌", "There is no token")
BAD_TOKEN = Text("令牌无效、已到期或已吊销", "The token is unknown, has expired or was revoked")


class Problem(BaseModel):
    """Why nothing was done."""

    status: int
    title: str = Field(description="What kind of answer it is, in the language asked for")
    detail: str = Field(description="What, where and what next, in the language asked for")
    code: int = Field(description="As the exit code of the command: 2 usage or right, 3 input, 4 outside, 5 integrity")
    error: Text
    where: Text
    next: Text | None


def refused(request: Request, error: GovcloudError, status: int) -> JSONResponse:
    """404 for what was to be looked at and is not there, 409 for what things as they stand do not let happen."""
    if status == 400:
        status = 404 if request.method in ("GET", "HEAD") else 409
    return _answer(request, status, error, {})


def problem(
    request: Request, status: int, error: Text | None = None, *, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """What never reached an operation."""
    said = UsageError(error or TITLES.get(status, Text("请求未能完成", "The request could not be answered")))
    return _answer(request, status, said, headers or {})


def not_signed_in(request: Request) -> JSONResponse:
    """RFC 6750 §3: which it is, a missing token or one that is not good."""
    given = request.headers.get("authorization", "").lower().startswith("bearer ")
    challenge = 'Bearer realm="govcloud"' + (', error="invalid_token"' if given else "")
    return problem(request, 401, BAD_TOKEN if given else NO_TOKEN, headers={"WWW-Authenticate": challenge})


def _answer(request: Request, status: int, error: GovcloudError, headers: Mapping[str, str]) -> JSONResponse:
    lang = language_of(request)
    parts = (error.what, error.where, error.next_step)
    said = Problem(
        status=status, title=TITLES.get(status, error.what).to(lang), code=error.exit_code, error=error.what,
        where=error.where, next=error.next_step,
        detail=Text("。", ". ").to(lang).join(text for part in parts if part and (text := part.to(lang))),
    )  # fmt: skip
    return JSONResponse(
        said.model_dump(mode="json"), status, {"Content-Language": lang, **headers}, media_type=MEDIA
    )  # fmt: skip
