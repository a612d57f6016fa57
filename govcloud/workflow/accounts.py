"""Who acts, and whether he may: the one door for commands and pages alike. Accounts are kept by account_changes.py."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import msgspec

from govcloud.errors import NotAllowed
from govcloud.model.account import (
    ACCOUNT_ROLE_NAMES,
    ACCOUNT_ROLES,
    ACTION_NAMES,
    ACTIONS,
    Account,
    Acting,
    Action,
    Identity,
    roles_for,
)
from govcloud.model.ledger import LedgerEntry
from govcloud.model.text import Text
from govcloud.store import account as account_store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.workflow.session import Session

MAX_TRIES, TRIES_WITHIN = 10, timedelta(minutes=15)
"""So many passwords may be tried for an account in that time, the parallel ones counted; then it waits until it is over.
Whoever keeps trying keeps a person from his password, but not from his token, nor from his operating-system user."""
QUIET, MOST_REFUSED, LOOKED_AT = timedelta(minutes=10), 30, 200
"""A refusal like one among the ledger's last LOOKED_AT records is not recorded again within QUIET, nor is any more than
MOST_REFUSED there: a loop that is turned away can't fill the ledger."""
Actions = Action | tuple[Action, ...]


def has_accounts(session: Session) -> bool:
    with session.store.read() as tx:
        return account_store.has_accounts(tx)


def authenticate(session: Session, login: str, password: str) -> Account | None:
    """The account that the password opens. None: wrong, unknown, disabled, or tried too often: one answer for all, after the
    same work, and recorded."""
    # Imported here: it is a compiled library, and most commands need no password.
    from govcloud.workflow.passwords import matches

    account = _count_try(session, login)
    if matches(account.password_hash if account else None, password) and account is not None:
        return _end_tries(session, login)
    refuse(session, "password", "identity", account)
    return None


def by_token(session: Session, token: str) -> Account | None:
    """The enabled account of a token that is neither revoked nor over."""
    with session.store.read() as tx:
        found = account_store.find_token(tx, token_digest(token))
        if found is None or found.revoked_at is not None or found.expires_at <= session.now():
            return None
        return _enabled(account_store.load_account(tx, found.login))


def by_os_user(session: Session, *names: str) -> Account | None:
    """`names`: of the operating-system user, plain and with its machine: two machines may have users of one name."""
    with session.store.read() as tx:
        mine = [a for a in account_store.accounts(tx) if set(names) & set(a.os_users) and a.disabled_at is None]
    return mine[0] if len(mine) == 1 else None


def enabled_account(session: Session, login: str) -> Account | None:
    with session.store.read() as tx:
        return _enabled(account_store.load_account(tx, login))


def acting_for(account: Account, actions: Actions, identity: Identity) -> Acting | None:
    """In the role that lets him in; None where no role of his does."""
    for action in _each(actions):
        for role in ACCOUNT_ROLES:
            if role in account.roles and role in ACTIONS.get(action, ()):
                return Acting(
                    name=account.name, login=account.login, identity=identity, unit=account.unit, role=role,
                    roles=frozenset(account.roles),
                )  # fmt: skip
    return None


def admit(
    session: Session,
    account: Account | None,
    action: Actions | None,
    identity: Identity,
    what: str,
    *,
    sets_password: bool = False,
) -> Acting:
    """Who acts in what follows. `what`: the command or page. `action`: several where any of them lets in; None lets nobody in
    where accounts are kept. `account`: None for somebody unknown; without accounts the session's own person acts.

    `sets_password`: what follows lets him set his own, which is all that a password set by another is good for.
    Raises NotAllowed, which the ledger then holds.
    """
    if account is None and not has_accounts(session):
        return session.acting
    if account is None or account.disabled_at is not None:
        raise refuse(session, what, "identity", None)
    if identity == "account" and account.password_set_by not in ("", account.login) and not sets_password:
        raise refuse(session, what, "password", account)
    acting = acting_for(account, action, identity) if action is not None else None
    if acting is None:
        raise refuse(session, what, "role", account, action)
    return acting


def refuse(session: Session, what: str, why: str, account: Account | None, action: Actions | None = None) -> NotAllowed:
    """The error to raise, after it was recorded. `why`: identity, password or role. What a stranger called himself is not
    recorded: it may be a password typed into the wrong line."""
    actor = account.name if account is not None and why != "identity" else session.actor
    body: dict[str, Any] = {"what": what, "why": why, "actions": list(_each(action or ()))}
    if account is not None:
        body |= {"login": account.login, "roles": list(account.roles)}
    _record(session, actor, body, unit=account.unit if account is not None and actor == account.name else None)
    if account is None or why == "identity":
        return stranger(what)
    return _not_allowed(what, why, account, _each(action or ()))


@contextmanager
def recorded_refusals(session: Session, what: str, **about: Any) -> Iterator[None]:
    """Around a transaction: that a person may not do this is in the ledger although nothing else of it is. `about`: fields of
    the record, such as run_id."""
    try:
        yield
    except NotAllowed as error:
        reason = {"zh": error.what.zh, "en": error.what.en}
        _record(session, session.actor, {"what": what, "why": "person", "actions": [], "reason": reason}, **about)
        raise


def stranger(what: str) -> NotAllowed:
    """One answer for all that may be wrong: it tells nobody which logins there are."""
    return NotAllowed(
        Text(
            "不能确认操作人：账号、口令或令牌不对，已停用或已过期，或尝试过多（{m} 分钟后再试）",
            "It is not known who acts: account, password or token is wrong, disabled or over, or was tried too often (wait {m} minutes)",
        ).format(m=int(TRIES_WITHIN.total_seconds() // 60)),
        where=what,
        next_step=Text(
            "用 --user 登录名 并输入口令，或设置 GOVCLOUD_TOKEN_FILE；没有账号的请找系统管理员",
            "Give --user LOGIN and the password, or set GOVCLOUD_TOKEN_FILE; ask an administrator for an account",
        ),
    )


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _not_allowed(what: str, why: str, account: Account, actions: tuple[Action, ...]) -> NotAllowed:
    if why == "password":
        return NotAllowed(
            Text("口令由他人设置，须先改为自己的", "The password was set by somebody else; set your own first"),
            where=what,
            next_step=Text("govcloud --user {u} accounts password", "govcloud --user {u} accounts password").format(u=account.login),
        )  # fmt: skip
    mine = [ACCOUNT_ROLE_NAMES[role] for role in ACCOUNT_ROLES if role in account.roles]
    said = Text("、".join(n.zh for n in mine), ", ".join(n.en for n in mine))
    if not actions:
        return NotAllowed(
            Text(
                "这个命令没有写明所需权限，不予执行", "This command names no right that it takes, so nobody may use it"
            ),
            where=what,
            next_step=Text("请报告给维护者", "Please report it to the maintainers"),
        )
    return NotAllowed(
        Text("无权{action}（{id}）：须有以下角色之一：{may}；{who} 的角色：{mine}", "Not allowed to {action} ({id}): it takes one of the roles {may}; {who} has: {mine}").format(
            action=ACTION_NAMES[actions[0]], id=", ".join(actions), may=roles_for(actions[0]), who=account.name, mine=said),
        where=what,
        next_step=Text(
            "请有此角色的人办理；角色不对的，请系统管理员用 govcloud accounts change {u} --role 角色 更正",
            "Ask somebody who has the role; where yours is wrong, an administrator corrects it: govcloud accounts change {u} --role ROLE",
        ).format(u=account.login),
    )  # fmt: skip


def _record(session: Session, actor: str, body: dict[str, Any], **about: Any) -> None:
    now = session.now()
    with session.store.read() as tx:
        again = _known(tx, actor, body, now)
    if not again:
        with session.store.begin() as tx:
            ledger_store.append(tx, LedgerEntry(kind="refused", actor=actor, at=now, body=body, **about))


def _known(tx: Any, actor: str, body: Mapping[str, Any], now: datetime) -> bool:
    """Whether the ledger's end says so already, or has enough of the kind."""
    refused = []
    for record in islice(ledger_store.iterate(tx, newest_first=True), LOOKED_AT):
        with suppress(msgspec.DecodeError, KeyError, ValueError):
            told = msgspec.json.decode(record.canonical)
            if told["kind"] == "refused" and now - datetime.fromisoformat(told["at"]) < QUIET:
                refused.append((told["actor"], told["body"]))
    return len(refused) >= MOST_REFUSED or (actor, body) in refused


def _count_try(session: Session, login: str) -> Account | None:
    """The enabled account, with this try counted before it is made; None where there is none, or tried too often."""
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        account = _enabled(account_store.load_account(tx, login))
        if account is None:
            return None
        now = session.now()
        if account.tries_from is None or not timedelta() <= now - account.tries_from < TRIES_WITHIN:
            account = replace(account, tries=0, tries_from=now)
        if account.tries >= MAX_TRIES:
            return None
        account_store.replace_account(tx, replace(account, tries=account.tries + 1))
        return account


def _end_tries(session: Session, login: str) -> Account | None:
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        account = _enabled(account_store.load_account(tx, login))
        if account is not None:
            account = replace(account, tries=0, tries_from=None)
            account_store.replace_account(tx, account)
        return account


def _enabled(account: Account | None) -> Account | None:
    return account if account is not None and account.disabled_at is None else None


def _each(actions: Actions) -> tuple[Action, ...]:
    return (actions,) if isinstance(actions, str) else actions
