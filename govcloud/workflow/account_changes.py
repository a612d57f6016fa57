"""Accounts are added, changed, disabled; passwords set; tokens given and taken back. Each with its record, never with a hash."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from govcloud.errors import UsageError
from govcloud.model.account import ACCOUNT_ROLE_NAMES, ALONE, Account, AccountRole, Token
from govcloud.model.ids import is_host_name
from govcloud.model.ledger import LedgerEntry
from govcloud.model.text import Text
from govcloud.store import account as account_store
from govcloud.store import inventory as inventory_store
from govcloud.store import ledger as ledger_store
from govcloud.store import web_session
from govcloud.workflow.accounts import refuse, token_digest
from govcloud.workflow.session import Session

MAX_DAYS = 366
"""Of a token: somebody looks once a year whether it is still needed."""
_ENDS_SESSIONS = frozenset({"password", "disable"})
"""A browser that came in by the old password, or before, is out."""
_OS_USER = re.compile(r"[^\s:/,]{1,64}")
_LIST = Text("govcloud accounts list", "govcloud accounts list")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """None: stays as it is."""

    name: str | None = None
    unit: str | None = None
    roles: tuple[AccountRole, ...] | None = None
    os_users: tuple[str, ...] | None = None


def add_account(
    session: Session,
    login: str,
    *,
    name: str,
    unit: str,
    roles: Sequence[AccountRole],
    os_users: Sequence[str] = (),
    here: str,
) -> Account:
    """`here`: the operating-system user who runs this. The first account is his and an administrator's, so that nobody locks
    himself out: from then on nobody acts without an account. Raises UsageError."""
    account = Account(
        login=login, name=_line(name), unit=_line(unit), roles=_ordered(roles), os_users=tuple(dict.fromkeys(os_users)),
        created_at=session.now(), created_by=session.actor,
    )  # fmt: skip
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        kept = account_store.accounts(tx)
        if not kept:
            account = replace(account, os_users=account.os_users or (here,))
            _demand_first(account, here)
        _demand_sound(account, kept)
        account_store.add_account(tx, account)
        _record(session, tx, account, "add")
    return account


def change_account(session: Session, login: str, change: Change) -> Account:
    """Raises UsageError, also where no administrator would be left."""

    def changed(tx: Connection, account: Account) -> Account:
        made = replace(
            account,
            name=account.name if change.name is None else _line(change.name),
            unit=account.unit if change.unit is None else _line(change.unit),
            roles=account.roles if change.roles is None else _ordered(change.roles),
            os_users=account.os_users if change.os_users is None else tuple(dict.fromkeys(change.os_users)),
        )
        if made.name != account.name and account_store.has_acted(tx, account.name):
            raise _wrong(
                login,
                Text(
                    "已以“{n}”之名办过事，姓名不能再改；记录和职责分离以姓名为准",
                    'He has acted as "{n}", so the name stays: records and the separation of duties go by it',
                ).format(n=account.name),
                Text("停用这个账号，另建一个", "Disable this account and add another"),
            )
        if made == account:
            raise _wrong(login, Text("没有要改的", "There is nothing to change"), _LIST)
        return made

    return _change(session, login, "change", changed)


def disable_account(session: Session, login: str, reason: str = "") -> Account:
    """From now on it does nothing, and its tokens are revoked for good. What its holder has approved and nobody has used yet
    counts no more."""

    def disabled(tx: Connection, account: Account) -> Account:
        if account.disabled_at is not None:
            raise _wrong(login, Text("已经停用", "It is disabled already"), _LIST)
        for token in account_store.tokens(tx, login):
            if token.revoked_at is None:
                account_store.replace_token(tx, replace(token, revoked_at=session.now()))
        return replace(account, disabled_at=session.now())

    return _change(session, login, "disable", disabled, reason)


def enable_account(session: Session, login: str, reason: str = "") -> Account:
    def enabled(_: Connection, account: Account) -> Account:
        if account.disabled_at is None:
            raise _wrong(login, Text("没有停用", "It is not disabled"), _LIST)
        return replace(account, disabled_at=None, tries=0, tries_from=None)

    return _change(session, login, "enable", enabled, reason)


def set_password(session: Session, login: str, password: str) -> Account:
    """One's own, or as an administrator somebody else's first one, which he has to replace. Raises NotAllowed, UsageError."""
    from govcloud.workflow.passwords import demand_fit, hash_password

    account = _own(session, login, "accounts password")
    demand_fit(password, account)
    hashed = hash_password(password)  # outside of the transaction: it takes a while

    def changed(_: Connection, account: Account) -> Account:
        return replace(
            account, password_hash=hashed, password_set_by=session.acting.login or login, tries=0, tries_from=None
        )

    return _change(session, login, "password", changed)


def new_token(session: Session, login: str, label: str, days: int) -> tuple[Token, str]:
    """The token's text is known to nobody afterwards. Only one's own: a token acts for its holder."""
    account = _own(session, login, "accounts token", administers=False)
    if account.disabled_at is not None or not 1 <= days <= MAX_DAYS or not _line(label):
        raise _wrong(
            login,
            Text("令牌须写用途，期限 1 至 {n} 天", "A token has a label and is good for 1 to {n} days").format(
                n=MAX_DAYS
            ),
            _LIST,
        )
    text = f"govcloud_{secrets.token_urlsafe(32)}"
    now = session.now()
    token = Token(
        token_id=f"T-{secrets.token_hex(5)}", login=login, label=_line(label), sha256=token_digest(text), created_at=now,
        expires_at=now + timedelta(days=days),
    )  # fmt: skip
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        account_store.add_token(tx, token)
        _record_token(session, tx, token, "token_new")
    return token, text


def revoke_token(session: Session, token_id: str) -> Token:
    with session.store.read() as tx:
        found = account_store.load_token(tx, token_id)
    if found is None:
        raise _wrong(
            token_id,
            Text("没有这个令牌", "No such token"),
            Text("govcloud accounts token list", "govcloud accounts token list"),
        )
    _own(session, found.login, "accounts token", gives=False)
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        found = account_store.load_token(tx, token_id) or found
        if found.revoked_at is None:
            found = replace(found, revoked_at=session.now())
            account_store.replace_token(tx, found)
            _record_token(session, tx, found, "token_revoke")
    return found


def list_accounts(session: Session) -> list[Account]:
    with session.store.read() as tx:
        return account_store.accounts(tx)


def find_account(session: Session, login: str) -> tuple[Account, list[Token]]:
    """With its tokens, which an administrator and the holder see. Raises UsageError for an unknown login."""
    with session.store.read() as tx:
        account = _load(tx, login)
        mine = session.acting.login == login or session.acting.may("administer")
        return account, account_store.tokens(tx, login) if mine else []


def list_tokens(session: Session) -> list[Token]:
    """One's own; an administrator's are all."""
    with session.store.read() as tx:
        return account_store.tokens(tx, None if session.acting.may("administer") else session.acting.login)


def _change(
    session: Session, login: str, what: str, build: Callable[[Connection, Account], Account], reason: str = ""
) -> Account:
    with session.store.begin() as tx:
        inventory_store.queue_writers(tx)
        made = build(tx, _load(tx, login))
        _demand_sound(made, [a for a in account_store.accounts(tx) if a.login != login])
        account_store.replace_account(tx, made)
        if what in _ENDS_SESSIONS:
            web_session.end_sessions_of(tx, login)
        if not any(_administers(a) for a in account_store.accounts(tx)):
            raise _wrong(
                login,
                Text(
                    "至少要有一个启用的、能以系统用户或口令进入的系统管理员",
                    "At least one enabled administrator must be left who can come in by an operating-system user or a password",
                ),
                Text(
                    "先增加另一个系统管理员，或给他系统用户或口令",
                    "Add another administrator first, or give him a way in",
                ),
            )
        _record(session, tx, made, what, reason)
    return made


def _own(session: Session, login: str, what: str, *, administers: bool = True, gives: bool = True) -> Account:
    """The account, where the one who acts may change what opens it. `gives`: another way in, which no token may make."""
    with session.store.read() as tx:
        account = _load(tx, login)
        own = account_store.load_account(tx, session.acting.login)
    acting = session.acting
    mine_to_do = acting.login == login or (administers and acting.may("administer"))
    if acting.roles is not None and (not mine_to_do or (gives and acting.identity == "token")):
        raise refuse(session, what, "role", own or account, "administer")
    return account


def _administers(account: Account) -> bool:
    way_in = bool(account.os_users) or account.password_hash is not None
    return "administrator" in account.roles and account.disabled_at is None and way_in


def _demand_first(account: Account, here: str) -> None:
    if account.roles != ("administrator",) or here not in account.os_users:
        raise _wrong(
            account.login,
            Text(
                "第一个账号须是系统管理员，且属于当前系统用户 {u}：有了账号以后，没有账号的人什么也做不了",
                "The first account is an administrator's and belongs to the operating-system user {u} who adds it: once there is an account, nobody acts without one",
            ).format(u=here),
            Text(
                "govcloud accounts add 登录名 --name 姓名 --unit 单位 --role administrator",
                "govcloud accounts add LOGIN --name NAME --unit UNIT --role administrator",
            ),
        )  # fmt: skip


def _demand_sound(account: Account, others: Sequence[Account]) -> None:
    """`others`: all but this one. Raises UsageError."""
    problem = None
    if any(a.login == account.login for a in others):
        problem = Text("已有这个登录名", "There is such a login already")
    elif not is_host_name(account.login) or len(account.login) > 64:
        problem = Text(
            "登录名只用小写字母、数字、点、横线、下划线",
            "A login has lower-case letters, digits, dot, dash and underscore",
        )
    elif not (_is_plain(account.name, 64) and _is_plain(account.unit, 128)):
        problem = Text("须写姓名和单位，不含控制字符", "Name and unit are needed, without control characters")
    elif not all(_OS_USER.fullmatch(user) and user.isprintable() for user in account.os_users):
        problem = Text("系统用户名不对", "Not a name of an operating-system user")
    elif not account.roles:
        problem = Text("至少一个角色", "At least one role is needed")
    elif len(account.roles) > 1 and (alone := ALONE & set(account.roles)):
        problem = Text("“{r}”不得兼任其他角色", '"{r}" goes with no other role').format(
            r=ACCOUNT_ROLE_NAMES[min(alone)]
        )
    elif shared := sorted(account.words & frozenset().union(*(a.words for a in others))):
        problem = Text(
            "另一账号已用：{w}；登录名、姓名、系统用户都只属于一个人（同名者请加以区别）",
            "Another account has it: {w}; logins, names and operating-system users belong to one person each (tell namesakes apart)",
        ).format(w=", ".join(shared))
    if problem is not None:
        raise _wrong(account.login, problem, _LIST)


def _load(tx: Connection, login: str) -> Account:
    account = account_store.load_account(tx, login)
    if account is None:
        raise _wrong(login, Text("没有这个账号", "No such account"), _LIST)
    return account


def _record(session: Session, tx: Connection, account: Account, what: str, reason: str = "") -> None:
    body = {
        "what": what, "login": account.login, "name": account.name, "holder_unit": account.unit, "roles": list(account.roles),
        "os_users": list(account.os_users), "disabled": account.disabled_at is not None, "reason": _line(reason),
    }  # fmt: skip
    ledger_store.append(tx, LedgerEntry(
        kind="account", actor=session.actor, at=session.now(), subject_id=account.login, body=body
    ))  # fmt: skip


def _record_token(session: Session, tx: Connection, token: Token, what: str) -> None:
    body = {
        "what": what, "login": token.login, "token_id": token.token_id, "label": token.label,
        "expires_at": token.expires_at.isoformat(),
    }  # fmt: skip
    ledger_store.append(tx, LedgerEntry(
        kind="account", actor=session.actor, at=session.now(), subject_id=token.login, body=body
    ))  # fmt: skip


def _ordered(roles: Sequence[AccountRole]) -> tuple[AccountRole, ...]:
    return tuple(role for role in ACCOUNT_ROLE_NAMES if role in roles)


def _line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _is_plain(text: str, most: int) -> bool:
    return 0 < len(text) <= most and text.isprintable()


def _wrong(where: str, what: Text, next_step: Text) -> UsageError:
    return UsageError(what, where=where, next_step=next_step)
