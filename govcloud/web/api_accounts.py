"""/api: accounts and tokens, without their hashes. Passwords are set by commands and pages alone: a token may not make a way in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from govcloud.model.account import ACTIONS, AccountRole, Action
from govcloud.web.api_shape import (
    Administering,
    Anybody,
    Body,
    Looking,
    Name,
    Out,
    Page,
    Paged,
    Words,
    new_router,
)
from govcloud.workflow import account_changes as workflow

router = new_router("accounts")


class AccountOut(Out):
    login: str
    name: str
    unit: str
    roles: list[AccountRole]
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


class TokenOut(Out):
    token_id: str
    login: str
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class AccountRecord(AccountOut):
    tokens: list[TokenOut] = Field(description="An administrator and its holder see them")


class NewToken(TokenOut):
    text: str = Field(description="Shown this once")


class Me(Out):
    login: str
    name: str
    unit: str
    actions: list[Action]


class AccountWanted(Body):
    login: Name
    name: Name
    unit: Name
    roles: list[AccountRole] = Field(min_length=1)
    os_users: list[Name] = Field(default=[])


class AccountChange(Body):
    """What is left out stays as it is."""

    name: Name | None = None
    unit: Name | None = None
    roles: Annotated[list[AccountRole], Field(min_length=1)] | None = None
    os_users: list[Name] | None = None


class Remark(Body):
    reason: Words = ""


class TokenWanted(Body):
    label: Name
    days: int = Field(default=90, ge=1, le=workflow.MAX_DAYS)


@router.get("/me", response_model=Me)
def get_me(visit: Anybody) -> Any:
    """Who acts, and what he may."""
    acting = visit.acting
    may = [action for action in ACTIONS if acting.may(action)]
    return {"login": acting.login, "name": acting.name, "unit": acting.unit, "actions": may}


@router.get("/accounts", response_model=Page[AccountOut])
def get_accounts(visit: Looking, part: Paged, disabled: bool = False) -> Any:
    found = workflow.list_accounts(visit.session)
    return part.of([a for a in found if disabled or a.disabled_at is None])


@router.post("/accounts", response_model=AccountOut)
def add_account(visit: Administering, wanted: AccountWanted) -> Any:
    return workflow.add_account(
        visit.session, wanted.login, name=wanted.name, unit=wanted.unit, roles=wanted.roles, os_users=wanted.os_users,
        here=visit.place.session.actor,
    )  # fmt: skip


@router.get("/accounts/{login}", response_model=AccountRecord)
def get_account(visit: Looking, login: Name) -> Any:
    account, tokens = workflow.find_account(visit.session, login)
    return {**{name: getattr(account, name) for name in AccountOut.model_fields}, "tokens": tokens}


@router.patch("/accounts/{login}", response_model=AccountOut)
def change_account(visit: Administering, login: Name, change: AccountChange) -> Any:
    return workflow.change_account(
        visit.session, login,
        workflow.Change(
            name=change.name, unit=change.unit, roles=None if change.roles is None else tuple(change.roles),
            os_users=None if change.os_users is None else tuple(change.os_users),
        ),
    )  # fmt: skip


@router.post("/accounts/{login}/disable", response_model=AccountOut)
def disable_account(visit: Administering, login: Name, why: Remark) -> Any:
    return workflow.disable_account(visit.session, login, why.reason)


@router.post("/accounts/{login}/enable", response_model=AccountOut)
def enable_account(visit: Administering, login: Name, why: Remark) -> Any:
    return workflow.enable_account(visit.session, login, why.reason)


@router.get("/tokens", response_model=Page[TokenOut])
def get_tokens(visit: Looking, part: Paged) -> Any:
    """One's own; an administrator's are all."""
    return part.of(workflow.list_tokens(visit.session))


@router.post("/tokens", response_model=NewToken)
def add_token(visit: Looking, wanted: TokenWanted) -> Any:
    """One's own, and not by means of a token."""
    token, text = workflow.new_token(visit.session, visit.acting.login, wanted.label, wanted.days)
    return {**{name: getattr(token, name) for name in TokenOut.model_fields}, "text": text}


@router.post("/tokens/{token_id}/revoke", response_model=TokenOut)
def revoke_token(visit: Looking, token_id: Name) -> Any:
    return workflow.revoke_token(visit.session, token_id)
