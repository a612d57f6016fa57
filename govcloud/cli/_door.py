"""What a command shows at the door: the operating-system user, a login with its password, or a token; never on argv."""

from __future__ import annotations

import os
import pwd
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import click

from govcloud.access import load_secret
from govcloud.errors import NotAllowed, UsageError
from govcloud.model.account import Account, Acting, Identity
from govcloud.model.text import Lang, Text
from govcloud.workflow import accounts
from govcloud.workflow.accounts import Actions
from govcloud.workflow.session import Session

TOKEN, TOKEN_FILE, PASSWORD_FILE = "GOVCLOUD_TOKEN", "GOVCLOUD_TOKEN_FILE", "GOVCLOUD_PASSWORD_FILE"


def os_user() -> str:
    """Of the process. The environment names somebody, too, but anybody can set that."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def without_accounts(user: str | None) -> Acting:
    """Who acts in a workspace that keeps no accounts. `user`: a name that was given, which nobody checks."""
    return Acting(name=user, identity="declared") if user else Acting(name=os_user())


def door(
    user: str | None, actions: Actions | None, what: str, lang: Lang, *, sets_password: bool = False
) -> Callable[[Session], Acting]:
    """For `open_session(admit=…)`, whose session is the operating-system user's. `what`: the command."""

    def ask(session: Session) -> Acting:
        if not accounts.has_accounts(session):
            return without_accounts(user)
        account, identity = _identify(session, user, what, lang)
        return accounts.admit(session, account, actions, identity, what, sets_password=sets_password)

    return ask


def _identify(session: Session, user: str | None, what: str, lang: Lang) -> tuple[Account | None, Identity]:
    if token := _token():
        account = accounts.by_token(session, token)
        return (account if account and user in (None, account.login) else None), "token"
    mine = accounts.by_os_user(session, os_user(), f"{os_user()}@{socket.gethostname()}")
    if user is None or (mine is not None and mine.login == user):
        return mine, "os_user"
    account = accounts.authenticate(session, user, _password(user, lang))
    if account is None:
        raise accounts.stranger(what)
    return account, "account"


def _token() -> str | None:
    text, file = os.environ.get(TOKEN), os.environ.get(TOKEN_FILE)
    if text and file:
        raise UsageError(
            Text("{a} 和 {b} 只能设一个", "Set only one of {a} and {b}").format(a=TOKEN, b=TOKEN_FILE), where=TOKEN
        )
    return load_secret(Path(file)) if file else text


def _password(user: str, lang: Lang) -> str:
    if file := os.environ.get(PASSWORD_FILE):
        return load_secret(Path(file))
    if not sys.stdin.isatty():
        raise NotAllowed(
            Text("要口令，但没有终端可输入", "A password is needed, and there is no terminal to ask for it"),
            where=f"--user {user}",
            next_step=Text(
                "程序用令牌：设置 {t}；或把口令写入只有本人可读的文件，设置 {p}",
                "Programs use a token: set {t}; or write the password to a file that only you can read, and set {p}",
            ).format(t=TOKEN_FILE, p=PASSWORD_FILE),
        )
    asked: str = click.prompt(Text("{u} 的口令", "Password of {u}").format(u=user).to(lang), hide_input=True, err=True)
    return asked
