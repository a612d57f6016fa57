"""Accounts for administrators, and for everybody his own password and tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import Response

from govcloud.errors import UsageError
from govcloud.model.account import ACCOUNT_ROLE_NAMES, ACCOUNT_ROLES, Account, AccountRole
from govcloud.model.text import Text
from govcloud.report.accounts import build_accounts_view, build_rights_view, build_tokens_view
from govcloud.report.view import View, filled
from govcloud.web.door import ANYBODY, DoorFirst, enter
from govcloud.web.sign_in_page import entered
from govcloud.web.visit import Visit
from govcloud.workflow import account_changes as workflow
from govcloud.workflow.accounts import authenticate, has_accounts
from govcloud.workflow.sign_in import begin

router = APIRouter(include_in_schema=False, route_class=DoorFirst)
Looking = Annotated[Visit, Depends(enter("read", "administer"))]
Administering = Annotated[Visit, Depends(enter("administer"))]
Oneself = Annotated[Visit, Depends(enter(*ANYBODY))]
SettingPassword = Annotated[Visit, Depends(enter(*ANYBODY, sets_password=True))]
Line = Annotated[str, Form(max_length=200)]
Password = Annotated[str, Form(max_length=1000)]
Roles = Annotated[list[str], Form(default_factory=list)]
Reason = Annotated[str, Form(max_length=2000)]


@router.get("/accounts")
def accounts(visit: Looking) -> Response:
    also = visit.request.query_params.get("all") == "true"
    found = workflow.list_accounts(visit.session)
    shown = [a for a in found if also or a.disabled_at is None]
    listed = bool(visit.session.workspace.settings.execution.get("people"))
    return visit.page(
        "accounts.html.j2", Text("账号", "Accounts"), view=filled(build_accounts_view(shown, also_listed=listed)),
        hidden=len(found) - len(shown), roles=ACCOUNT_ROLE_NAMES, offers_form=bool(found) and visit.may("administer"),
    )  # fmt: skip


@router.post("/accounts")
def add(visit: Administering, login: Line, name: Line, unit: Line, roles: Roles, os_users: Line = "") -> Response:
    if not has_accounts(visit.session):
        raise UsageError(
            Text("第一个账号须在服务器上建立", "The first account is made on the server"),
            where=login,
            next_step=Text(
                "govcloud accounts add 登录名 --name 姓名 --unit 单位 --role administrator",
                "govcloud accounts add LOGIN --name NAME --unit UNIT --role administrator",
            ),
        )
    made = workflow.add_account(
        visit.session, login.strip(), name=name, unit=unit, roles=_roles(roles), os_users=_words(os_users), here=""
    )
    done = Text("已增加账号 {u}；请设初始口令", "Account {u} was added; set a first password").format(u=made.login)
    return visit.back_to(f"/accounts/{made.login}", done)


def _roles(given: list[str]) -> tuple[AccountRole, ...]:
    if unknown := sorted(set(given) - set(ACCOUNT_ROLES)):
        raise UsageError(Text("没有这个角色", "There is no such role"), where=unknown[0])
    return tuple(role for role in ACCOUNT_ROLES if role in given)


def _words(line: str) -> tuple[str, ...]:
    return tuple(line.replace(",", " ").replace("，", " ").split())


@router.get("/accounts/{login}")
def account(visit: Looking, login: str) -> Response:
    found, tokens = workflow.find_account(visit.session, login)
    return visit.page(
        "account.html.j2", Text("账号 {u}", "Account {u}").format(u=found.login), account=found, tokens=tokens,
        views=_one(found), roles=ACCOUNT_ROLE_NAMES,
        tokens_view=build_tokens_view(tokens, visit.session.now()), open_tokens=[t for t in tokens if t.revoked_at is None],
    )  # fmt: skip


def _one(account: Account) -> tuple[View, ...]:
    return filled(replace(build_accounts_view([account]), notes=())), build_rights_view(account)


@router.post("/accounts/{login}/change")
def change(visit: Administering, login: str, name: Line, unit: Line, roles: Roles, os_users: Line = "") -> Response:
    wanted = workflow.Change(name=name, unit=unit, roles=_roles(roles), os_users=_words(os_users))
    made = workflow.change_account(visit.session, login, wanted)
    return visit.back_to(f"/accounts/{made.login}", Text("已更正：{u}", "Corrected: {u}").format(u=made.login))


@router.post("/accounts/{login}/password")
def first_password(visit: Administering, login: str, password: Password, again: Password) -> Response:
    _demand_same(login, password, again)
    made = workflow.set_password(visit.session, login, password)
    done = Text(
        "初始口令已设：{u}；本人登录后须先改。其浏览器登录已全部退出",
        "First password set: {u}; its holder replaces it after signing in. All browsers of the account are signed out",
    )
    return visit.back_to(f"/accounts/{made.login}", done.format(u=made.login))


def _demand_same(login: str, password: str, again: str) -> None:
    if password != again:
        raise UsageError(Text("两次输入不同，未改动", "The two differ; nothing was changed"), where=login)


@router.post("/accounts/{login}/disable")
def disable(visit: Administering, login: str, reason: Reason = "") -> Response:
    made = workflow.disable_account(visit.session, login, reason)
    done = Text("已停用：{u}；令牌作废，登录退出", "Disabled: {u}; its tokens are revoked, its browsers signed out")
    return visit.back_to(f"/accounts/{made.login}", done.format(u=made.login))


@router.post("/accounts/{login}/enable")
def enable(visit: Administering, login: str, reason: Reason = "") -> Response:
    made = workflow.enable_account(visit.session, login, reason)
    return visit.back_to(f"/accounts/{made.login}", Text("已启用：{u}", "Enabled: {u}").format(u=made.login))


@router.post("/accounts/{login}/tokens/{token_id}/revoke")
def revoke_of(visit: Administering, login: str, token_id: str) -> Response:
    gone = workflow.revoke_token(visit.session, token_id)
    return visit.back_to(f"/accounts/{gone.login}", _REVOKED.format(t=token_id))


_REVOKED = Text("令牌已撤销：{t}", "Token revoked: {t}")


@router.get("/me")
def me(visit: SettingPassword) -> Response:
    return _me(visit)


def _me(visit: Visit, secret: str | None = None) -> Response:
    """`secret`: a new token's text, shown this once."""
    login = visit.acting.login
    found, tokens = workflow.find_account(visit.session, login) if login else (None, [])
    views = _one(found) if found else (build_accounts_view([]),)
    return visit.page(
        "me.html.j2", Text("我的账号", "My account"), account=found, views=views, secret=secret,
        must_set=found is not None and found.password_set_by not in ("", login),
        tokens_view=build_tokens_view(tokens, visit.session.now()), open_tokens=[t for t in tokens if t.revoked_at is None],
        most_days=workflow.MAX_DAYS,
    )  # fmt: skip


@router.post("/me/password")
def set_password(visit: SettingPassword, password: Password, again: Password, current: Password = "") -> Response:
    """All browsers of the account are signed out; this one comes in again with the new password."""
    login = visit.acting.login
    _demand_same(login, password, again)
    account, _ = workflow.find_account(visit.session, login)
    if account.password_hash is not None and authenticate(visit.place.session, login, current) is None:
        raise UsageError(
            Text("现用口令不对，或尝试过多", "The present password is wrong, or was tried too often"), where=login
        )
    made = workflow.set_password(visit.session, login, password)
    begun = begin(visit.place.session, made)
    done = Text("口令已改，其他浏览器已退出", "The password was changed; other browsers are signed out")
    visit.place.notices.put(begun.session.csrf, done)
    return entered(visit.place, begun, "/me")


@router.post("/me/tokens")
def new_token(visit: Oneself, label: Line, days: Annotated[int, Form()]) -> Response:
    """Answered by the page itself and not by a way back to it: the token's text is kept nowhere."""
    _, text = workflow.new_token(visit.session, visit.acting.login, label, days)
    return _me(visit, text)


@router.post("/me/tokens/{token_id}/revoke")
def revoke(visit: Oneself, token_id: str) -> Response:
    workflow.revoke_token(visit.session, token_id)
    return visit.back_to("/me", _REVOKED.format(t=token_id))
